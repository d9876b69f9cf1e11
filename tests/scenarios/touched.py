"""What may become of records: a line gone, twice there, or elsewhere; and a ledger whose chain is made anew and tells nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from scenarios.lines import GENESIS, digest, encode

Touch = Callable[[list[bytes], int], list[bytes]]


def _gone(lines: list[bytes], at: int) -> list[bytes]:
    return lines[:at] + lines[at + 1 :]


def _twice(lines: list[bytes], at: int) -> list[bytes]:
    return lines[: at + 1] + lines[at:]


def _moved(lines: list[bytes], at: int) -> list[bytes]:
    return [*_gone(lines, at), lines[at]]


TOUCHES: dict[str, Touch] = {"gone": _gone, "twice": _twice, "moved": _moved}


def touched(file: Path) -> Iterator[tuple[str, bytes]]:
    """What was done to it, and what it is then: the last line gone, one in the middle there twice, the first at the end."""
    lines = file.read_bytes().splitlines(keepends=True)
    for at, what in ((len(lines) - 1, "gone"), (len(lines) // 2, "twice"), (0, "moved")) if lines else ():
        changed = b"".join(TOUCHES[what](lines, at))
        if changed != b"".join(lines):
            yield f"line {at + 1} {what}", changed


def rechained(lines: list[bytes]) -> bytes:
    """A ledger as it would be if it had been written so: no chain tells on it."""
    before, made = GENESIS, b""
    for number, line in enumerate(lines):
        fields = {**msgspec.json.decode(line), "seq": number, "prev_sha": before}
        made += encode(fields)
        before = digest(encode(fields))
    return made
