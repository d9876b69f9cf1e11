"""Whose fault an error is, and whether the outcome of the operation is definite.

`definite=True`: the operation certainly had no effect and never will. `definite=False`: it may have happened, or may yet.
A client that treats an indefinite error as a failure loses the right to call its history a history (Jepsen's `:info`).
"""

from __future__ import annotations

from typing import Final

import msgspec

# What msgspec raises for bytes that are no message of ours: of another shape, of no text (it lets Python's own error pass), too deep.
UNDECODABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class FaultlineError(Exception):
    """Root of everything faultline raises on purpose."""


class ProtocolError(FaultlineError):
    """The other side sent what no correct peer sends; the connection is closed and counted."""


class Undecided(FaultlineError):
    """An operation may have had its effect or not, or may have it yet: there was no answer."""


class CorruptLog(FaultlineError):
    """The write-ahead log is damaged in its middle: refused, with the offset, never guessed at."""

    def __init__(self, path: str, offset: int, reason: str) -> None:
        super().__init__(f"{path}: corrupt record at offset {offset}: {reason}")
        self.path, self.offset, self.reason = path, offset, reason


class UsageError(FaultlineError):
    """What the operator asked for cannot be understood or done; the text is the one line they read."""


class LawBroken(FaultlineError):
    """A machine caught itself breaking a law that no input may make it break; it stops rather than go on with a lie."""

    def __init__(self, law: str, evidence: str) -> None:
        super().__init__(f"{law}: {evidence}")
        self.law, self.evidence = law, evidence


class EnvironmentFailed(FaultlineError):
    """The machine, not the user and not the cluster, is at fault; the text is the one line to read."""
