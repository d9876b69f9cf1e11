"""Transactions: all or nothing, under one revision."""

from __future__ import annotations

import pytest

from cluster.core.kv.ops import (
    COMPACTED,
    FUTURE,
    NO_LEASE,
    Branch,
    Compact,
    Compare,
    Delete,
    Deleted,
    DeleteRange,
    KeyValue,
    Page,
    Put,
    Range,
    Reply,
    Txn,
    TxnStep,
)
from cluster.core.kv.store import Store
from cluster.core.types import VALUE_BYTES_MAX
from tests.cluster.core.kv.entries import apply, done


def store_with(*pairs: tuple[str, str]) -> Store:
    store = Store()
    done(store, *(Put(key, value) for key, value in pairs))
    return store


def branch(reply: Reply) -> Branch:
    assert isinstance(reply.body, Branch)
    return reply.body


def test_a_transfer_moves_all_or_nothing() -> None:
    store = store_with(("alice", "10"), ("bob", "0"))
    transfer = Txn((Compare("alice", "value", "=", "10"),), (Put("alice", "0"), Put("bob", "10")))
    first, second = done(store, transfer, transfer)
    assert (branch(first).succeeded, branch(second).succeeded) == (True, False)
    assert (store.get("alice").value, store.get("bob").value, store.revision) == ("0", "10", 3)


def test_all_changes_carry_one_revision_and_ranges_see_them() -> None:
    store = store_with(("a", "1"), ("b", "1"))
    (reply,) = done(store, Txn((), (Put("a", "2"), Delete("b"), Range("a", "c"), Range("a", "c", revision=2))))
    _, deleted, present, past = branch(reply).replies
    assert reply.revision == 3
    assert deleted.body == Deleted(1)
    assert present.body == Page((KeyValue("a", "2", 1, 3, 2),), False, 1)
    assert isinstance(past.body, Page)
    assert [item.value for item in past.body.items] == ["1", "1"]


def test_a_transaction_that_changes_nothing_costs_no_revision() -> None:
    store = store_with(("a", "1"))
    (reply,) = done(store, Txn((), (Range("a"), Delete("none"), DeleteRange("x", "y"))))
    assert (reply.revision, store.revision) == (1, 1)


@pytest.mark.parametrize(
    ("step", "reason"),
    [(Put("a", "2", lease=99), NO_LEASE), (Range("a", revision=1), COMPACTED), (Range("a", revision=9), FUTURE)],
)
def test_what_cannot_be_done_leaves_the_other_steps_undone(step: TxnStep, reason: str) -> None:
    store = store_with(("a", "1"), ("a", "2"))
    done(store, Compact(2))
    before = store.dump()
    (reply,) = apply(store, Txn((), (Put("b", "new"), step)))
    assert (reply.outcome, reply.error) == ("fail", reason)
    assert store.find("b") is None
    assert Store.load(before).revision == store.revision


@pytest.mark.parametrize(
    ("compare", "holds"),
    [
        (Compare("a", "value", "=", "1"), True),
        (Compare("a", "value", ">", "0"), True),
        (Compare("a", "value", "!=", "1"), False),
        (Compare("a", "version", "=", 1), True),
        (Compare("a", "create", "<", 1), False),
        (Compare("a", "mod", ">", 0), True),
        (Compare("a", "lease", "=", 0), True),
        (Compare("none", "version", "=", 0), True),
        (Compare("none", "mod", "!=", 0), False),
        (Compare("none", "value", "=", ""), False),
        (Compare("none", "value", "!=", "1"), False),
    ],
)
def test_comparisons(compare: Compare, holds: bool) -> None:
    (reply,) = done(store_with(("a", "1")), Txn((compare,), (), ()))
    assert branch(reply).succeeded is holds


def test_the_ranges_of_a_transaction_share_the_room_of_one_frame() -> None:
    store = store_with(*((f"k{number:02}", "v" * VALUE_BYTES_MAX) for number in range(15)))
    (reply,) = done(store, Txn((), (Range("k00", "k10"), Range("k10", "k15"))))
    bodies = [each.body for each in branch(reply).replies]
    assert [(len(body.items), body.more) for body in bodies if isinstance(body, Page)] == [(10, False), (5, False)]
    (reply,) = done(store, Txn((), (Range("k00"), Range("k00"))))
    bodies = [each.body for each in branch(reply).replies]
    assert [(len(body.items), body.more) for body in bodies if isinstance(body, Page)] == [(15, False), (0, True)]
