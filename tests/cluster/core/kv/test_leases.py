"""Leases: by the log's time only, never early, in a fixed order."""

from __future__ import annotations

from cluster.core.kv.leases import LEASES_MAX, Leases
from cluster.core.kv.ops import (
    NO_LEASE,
    Delete,
    Deleted,
    Get,
    Grant,
    KeepAlive,
    Leased,
    Put,
    Revoke,
    Stamped,
    TimeToLive,
)
from cluster.core.kv.store import Store
from cluster.core.types import SECOND
from tests.cluster.core.kv.entries import apply, done


def granted(store: Store, at_s: int, ttl_s: int) -> int:
    (reply,) = done(store, Stamped(at_s * SECOND, Grant(ttl_s * SECOND)))
    assert isinstance(reply.body, Leased)
    return reply.body.lease


def test_keys_go_with_their_lease_and_not_before() -> None:
    store = Store()
    lease = granted(store, 10, 5)
    done(store, Put("a", "1", lease), Put("b", "1", lease), Put("c", "1"))
    done(store, Stamped(15 * SECOND - 1))
    assert store.keys("", None) == ["a", "b", "c"]
    done(store, Stamped(15 * SECOND))
    assert store.keys("", None) == ["c"]
    assert store.revision == 4  # both under one revision
    assert store.get("a", 3).value == "1"
    assert apply(store, Put("d", "1", lease))[0].error == NO_LEASE


def test_keeping_it_alive_gives_it_its_whole_time_again() -> None:
    store = Store()
    lease = granted(store, 0, 5)
    done(store, Stamped(4 * SECOND, KeepAlive(lease)), Stamped(8 * SECOND))
    assert store.read(TimeToLive(lease), 8 * SECOND).body == Leased(lease, 5 * SECOND, 1 * SECOND)
    (late,) = apply(store, Stamped(9 * SECOND, KeepAlive(lease)))
    assert (late.outcome, late.error) == ("fail", NO_LEASE)


def test_a_key_that_was_written_again_belongs_to_its_new_lease_or_to_none() -> None:
    store = Store()
    short, long = granted(store, 0, 1), granted(store, 0, 9)
    done(store, Put("a", "1", short), Put("a", "2", long), Put("b", "1", short), Put("b", "2"), Put("c", "1", short), Delete("c"))
    done(store, Put("c", "2"), Stamped(2 * SECOND))
    assert store.keys("", None) == ["a", "b", "c"]
    done(store, Stamped(9 * SECOND))
    assert store.keys("", None) == ["b", "c"]


def test_leases_end_in_the_order_of_their_deadlines() -> None:
    store = Store()
    late, soon, same = granted(store, 0, 3), granted(store, 0, 2), granted(store, 1, 2)
    done(store, Put("late", "", late), Put("soon", "", soon), Put("same", "", same))
    done(store, Stamped(9 * SECOND))
    assert [change.key for change in store.history.changes[-3:]] == ["soon", "late", "same"]
    assert [change.mod_revision for change in store.history.changes[-3:]] == [4, 5, 6]


def test_revoking_says_how_many_keys_went() -> None:
    store = Store()
    lease = granted(store, 0, 5)
    done(store, Put("a", "1", lease), Put("b", "1", lease))
    revoked, again = apply(store, Revoke(lease), Revoke(lease))
    assert revoked.body == Deleted(2)
    assert again.error == NO_LEASE
    assert store.read(Get("a")).value is None


def test_time_never_goes_back() -> None:
    store = Store()
    done(store, Stamped(9 * SECOND))
    lease = granted(store, 3, 1)
    done(store, Stamped(9 * SECOND + SECOND // 2))
    assert lease in store.leases


def test_there_are_only_so_many() -> None:
    store = Store()
    for _ in range(LEASES_MAX):
        granted(store, 0, 100)
    (refused,) = apply(store, Stamped(0, Grant(SECOND)))
    assert (refused.outcome, len(store.leases)) == ("fail", LEASES_MAX)


def test_the_next_deadline_is_exact_once_time_has_come_to_it() -> None:
    leases = Leases()
    leases.put(1, SECOND, 1 * SECOND)
    leases.put(2, SECOND, 3 * SECOND)
    leases.renew(1, 9 * SECOND)
    assert leases.earliest_us(0) == 1 * SECOND  # too early is allowed, as long as nothing is due before it
    assert leases.earliest_us(1 * SECOND) == 3 * SECOND
    assert leases.due(2 * SECOND) == []
    leases.end(2)
    leases.end(1)
    assert leases.earliest_us(99 * SECOND) is None
