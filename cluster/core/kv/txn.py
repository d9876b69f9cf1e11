"""Transactions: comparisons, then one of two branches, at once and under one revision.

Law 1: a transaction that fails has changed nothing: whatever can fail is looked at before the first step.
Law 2: steps see those before them; a range sees what the transaction has written, unless it asks for the past.
Law 3: all ranges of one transaction share one allowance, since its reply must fit into one frame.
"""

from __future__ import annotations

from collections.abc import Callable

from cluster.core.kv.keyspace import REPLY_CHARS_MAX, Keyspace
from cluster.core.kv.ops import Branch, Compare, Delete, Deleted, KeyValue, Page, Put, Range, Reply, Txn, TxnStep

_ABSENT = KeyValue("", "", 0, 0, 0)
_TARGETS: dict[str, Callable[[KeyValue], int]] = {
    "version": lambda held: held.version,
    "create": lambda held: held.create_revision,
    "mod": lambda held: held.mod_revision,
    "lease": lambda held: held.lease,
}


def transact(store: Keyspace, txn: Txn) -> Reply:
    """Perform a transaction that is well-formed (`limits.unfit`)."""
    succeeded = all(holds(compare, store.find(compare.key)) for compare in txn.compares)
    steps = txn.then if succeeded else txn.otherwise
    if reason := _refusal(store, steps):
        return store.fail(reason)
    revision = store.revision + 1
    replies: list[Reply] = []
    allowance = REPLY_CHARS_MAX
    for step in steps:
        reply = _perform(store, step, revision, allowance)
        if isinstance(reply.body, Page):
            allowance -= sum(len(item.key) + len(item.value) for item in reply.body.items)
        replies.append(reply)
    return Reply("ok", None, store.revision, body=Branch(succeeded, tuple(replies)))


def holds(compare: Compare, held: KeyValue | None) -> bool:
    """Whether a comparison is true of a key (None: it does not exist)."""
    if compare.target == "value":
        return held is not None and _related(held.value, compare.relation, compare.operand)
    return _related(_TARGETS[compare.target](held or _ABSENT), compare.relation, compare.operand)


def _related(left: str | int, relation: str, right: str | int) -> bool:
    if relation in ("=", "!="):
        return (left == right) is (relation == "=")
    # Both are texts or both are numbers; the order of texts is that of keys.
    return left < right if relation == "<" else left > right  # type: ignore[operator]


def _refusal(store: Keyspace, steps: tuple[TxnStep, ...]) -> str:
    for step in steps:
        if isinstance(step, Put) and (reason := store.refusal(step.lease)):
            return reason
        if isinstance(step, Range) and (reason := store.unreadable(step.revision)):
            return reason
    return ""


def _perform(store: Keyspace, step: TxnStep, revision: int, allowance: int) -> Reply:
    if isinstance(step, Put):
        store.write(step.key, step.value, step.lease, revision)
        return Reply("ok", None, revision)
    if isinstance(step, Range):
        return store.page(step, allowance)
    keys = [step.key] if isinstance(step, Delete) else store.keys(step.first, step.end)
    count = sum(store.remove(key, revision) for key in keys)
    return Reply("ok", None, store.revision, body=Deleted(count))
