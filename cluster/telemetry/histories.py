"""What a client writes down of an operation: one rule for live clients and simulated ones, since the checkers read both.

Law 1: what certainly did not happen is `fail`, what may have happened is `info`; a read that failed constrains nothing and is `fail`.
"""

from __future__ import annotations

from cluster.core.kv.ops import Cas, Get, Operation, Put, Reply
from cluster.telemetry.control import NOT_SWAPPED

Value = tuple[str | None, ...]


def asked(operation: Operation) -> Value:
    """The value of the line that begins an operation: what is written; for a compare-and-set, what is expected and written."""
    if isinstance(operation, Put):
        return (operation.value,)
    if isinstance(operation, Cas):
        return (operation.expect, operation.value)
    return ()


def outcome(operation: Operation, reply: Reply) -> tuple[str, Value, str]:
    """(kind, value, error) of the line that ends it (law 1)."""
    if isinstance(operation, Get):
        return ("ok", (reply.value,), "") if reply.outcome == "ok" else ("fail", (), reply.error or reply.outcome)
    wanted = asked(operation)
    if reply.outcome == "ok":
        if isinstance(operation, Cas) and not reply.swapped:
            return "fail", wanted, NOT_SWAPPED
        return "ok", wanted, ""
    if reply.outcome == "unknown":
        return "info", wanted, reply.error
    return "fail", wanted, reply.error or reply.outcome
