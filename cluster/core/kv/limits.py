"""What is refused before it costs anything: at the client port, before a leader proposes it, and again when it is applied.

Law: a reason depends on the operation alone, so that whoever asks gets the same one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from cluster.core.kv import span
from cluster.core.kv.ops import (
    MODES,
    Acknowledge,
    Cas,
    CloseSession,
    Command,
    Compact,
    Compare,
    Delete,
    DeleteRange,
    Get,
    Grant,
    InSession,
    KeepAlive,
    KeepSession,
    OpenSession,
    Operation,
    Put,
    Range,
    Revoke,
    Scan,
    Stamped,
    TimeToLive,
    Txn,
    TxnStep,
    Unwatch,
    Watch,
)
from cluster.core.types import KEY_BYTES_MAX, SECOND, VALUE_BYTES_MAX, Micros

# As many steps as etcd's default; and all their bytes must fit beside other entries into one message to a follower.
TXN_STEPS_MAX = 128
TXN_BYTES_MAX = 512 * 1024
RANGE_KEYS_MAX = 10_000
# A shorter lease could not be kept alive over an election; a longer one is a key without a lease.
LEASE_TTL_MIN_US: Micros = SECOND // 10
LEASE_TTL_MAX_US: Micros = 24 * 3_600 * SECOND
# Writes of one session that may wait for an answer at a time: so many answers are kept for it at most.
SESSION_WINDOW = 128
# Counters beyond this are no counters, and their sums must fit into an image.
_COUNT_MAX = 1 << 62
# No character takes more than four bytes.
_SHORT_KEY, _SHORT_VALUE = KEY_BYTES_MAX // 4, VALUE_BYTES_MAX // 4
_TARGETS, _RELATIONS = ("value", "version", "create", "mod", "lease"), ("=", "!=", "<", ">")


def is_short(put: Put) -> bool:
    """Nothing in it can be too large, in whatever characters: by far the most frequent."""
    return len(put.key) <= _SHORT_KEY and len(put.value) <= _SHORT_VALUE and not put.lease


def unfit(operation: Operation | Command) -> str:
    """Why this operation is refused, "" when it is not."""
    return _REASONS[type(operation)](operation)


def too_large(key: str, value: str) -> str:
    """Why this key or value is refused, "" when it is not."""
    if len(key) <= KEY_BYTES_MAX and len(value) <= VALUE_BYTES_MAX and key.isascii() and value.isascii():
        return ""  # by far the most frequent
    if _exceeds(key, KEY_BYTES_MAX):
        return f"key exceeds {KEY_BYTES_MAX} bytes"
    if _exceeds(value, VALUE_BYTES_MAX):
        return f"value exceeds {VALUE_BYTES_MAX} bytes"
    return ""


def _exceeds(text: str, bytes_max: int) -> bool:
    # Python knows of each text whether it is ASCII: then characters are bytes, and nothing needs to be encoded.
    return len(text) > bytes_max or (not text.isascii() and len(text.encode(errors="replace")) > bytes_max)


def _put(put: Put) -> str:
    reason = too_large(put.key, put.value)
    return reason or (_count(put.lease, "lease") if put.lease else "")


def _cas(cas: Cas) -> str:
    return too_large(cas.key, cas.value) or too_large("", cas.expect or "")


def _get(get: Get) -> str:
    return too_large(get.key, "") or _mode(get.mode) or _count(get.revision, "revision")


def _scan(scan: Scan) -> str:
    return too_large(scan.prefix, "") or _mode(scan.mode)


def _range(asked: Range) -> str:
    if not 1 <= asked.limit <= RANGE_KEYS_MAX:
        return f"limit must be from 1 to {RANGE_KEYS_MAX}"
    return _span(asked) or _mode(asked.mode) or _count(asked.revision, "revision")


def _watch(watch: Watch) -> str:
    return _span(watch) or _count(watch.revision, "revision")


def _grant(grant: Grant) -> str:
    if LEASE_TTL_MIN_US <= grant.ttl_us <= LEASE_TTL_MAX_US:
        return ""
    return f"a lease lasts from {LEASE_TTL_MIN_US // 1_000} ms to {LEASE_TTL_MAX_US // SECOND} s"


def _in_session(once: InSession) -> str:
    if not 1 <= once.unanswered <= once.sequence <= _COUNT_MAX:
        return "a session's sequence begins at 1 and is not below the first unanswered one"
    if once.sequence - once.unanswered >= SESSION_WINDOW:
        return f"more than {SESSION_WINDOW} writes of a session unanswered"
    return unfit(once.write)


def _stamped(stamped: Stamped) -> str:
    return _count(stamped.at_us, "time") or ("" if stamped.write is None else unfit(stamped.write))


def _span(asked: DeleteRange | Range | Watch) -> str:
    return too_large(asked.first, "") or too_large((asked.end or "")[:-1], "")


def _mode(mode: str) -> str:
    return "" if mode in MODES else f"a read is {', '.join(MODES[:-1])} or {MODES[-1]}"


def _count(number: int, what: str) -> str:
    return "" if 0 <= number <= _COUNT_MAX else f"{what} must be from 0 to {_COUNT_MAX}"


# ---- transactions ---------------------------------------------------------------------------------------------------


def _txn(txn: Txn) -> str:
    if max(len(txn.compares), len(txn.then), len(txn.otherwise)) > TXN_STEPS_MAX:
        return f"more than {TXN_STEPS_MAX} steps in a transaction"
    for compare in txn.compares:
        if reason := _compare(compare):
            return reason
    for branch in (txn.then, txn.otherwise):
        for step in branch:
            if reason := unfit(step):
                return reason
        if reason := _twice(branch):
            return reason
    if _bytes(txn) > TXN_BYTES_MAX:
        return f"transaction exceeds {TXN_BYTES_MAX} bytes"
    return ""


def _compare(compare: Compare) -> str:
    if compare.target not in _TARGETS or compare.relation not in _RELATIONS:
        return f"a comparison is of {', '.join(_TARGETS)} by {', '.join(_RELATIONS)}"
    if compare.target == "value":
        return too_large(compare.key, compare.operand) if isinstance(compare.operand, str) else "a value compares with a text"
    if isinstance(compare.operand, str):
        return f"{compare.target} compares with a number"
    return too_large(compare.key, "") or _count(compare.operand, compare.target)


def _twice(branch: Sequence[TxnStep]) -> str:
    """A watcher could not tell the order of two changes of one key under one revision."""
    keys = [step.key for step in branch if isinstance(step, (Put, Delete))]
    spans = [(step.first, step.end) for step in branch if isinstance(step, DeleteRange)]
    if len(keys) != len(dict.fromkeys(keys)) or any(span.holds(*one, key) for one in spans for key in keys):
        return "a transaction writes a key once"
    return ""


def _bytes(txn: Txn) -> int:
    steps = (*txn.then, *txn.otherwise)
    texts = [text for step in steps if isinstance(step, Put) for text in (step.key, step.value)]
    texts += [compare.operand for compare in txn.compares if isinstance(compare.operand, str)]
    return sum(len(text.encode(errors="replace")) for text in texts)


def _named(key: str) -> Callable[[Any], str]:
    return lambda operation: _count(getattr(operation, key), key)


_REASONS: dict[type, Callable[[Any], str]] = {
    Put: _put,
    Get: _get,
    Delete: lambda delete: too_large(delete.key, ""),
    DeleteRange: _span,
    Cas: _cas,
    Scan: _scan,
    Range: _range,
    Compact: _named("revision"),
    Txn: _txn,
    Grant: _grant,
    KeepAlive: _named("lease"),
    Revoke: _named("lease"),
    TimeToLive: _named("lease"),
    OpenSession: lambda _: "",
    KeepSession: _named("session"),
    CloseSession: _named("session"),
    InSession: _in_session,
    Stamped: _stamped,
    Watch: _watch,
    Acknowledge: lambda _: "",
    Unwatch: lambda _: "",
}
