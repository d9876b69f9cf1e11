"""Bounds of the keyspace: pages, the past that goes, and the store that is full."""

from __future__ import annotations

from cluster.core.kv import keyspace
from cluster.core.kv.history import CHANGE_CHARS
from cluster.core.kv.ops import COMPACTED, NO_SPACE, Compact, Delete, DeleteRange, Get, Page, Put, Range, Reply, Txn
from cluster.core.kv.store import Store
from cluster.core.types import VALUE_BYTES_MAX
from tests.cluster.core.kv.entries import apply, done


def page(store: Store, asked: Range) -> Page:
    body = store.read(asked).body
    assert isinstance(body, Page)
    return body


def test_pages_of_a_range_at_one_revision_join_to_what_it_held_then() -> None:
    store = Store()
    done(store, *(Put(f"k{number:03}", "old") for number in range(25)))
    then = store.revision
    done(store, *(Put(f"k{number:03}", "new") for number in range(0, 25, 2)), DeleteRange("k010", "k020"), Put("k9", "new"))
    first, found = "k", []
    while True:
        part = page(store, Range(first, "l", 10, then))
        found += [(item.key, item.value) for item in part.items]
        if not part.more:
            break
        first = part.items[-1].key + "\0"
    assert found == [(f"k{number:03}", "old") for number in range(25)]
    assert page(store, Range("k", "l", 1)).count == 16


def test_a_page_stops_before_it_outgrows_a_frame_and_says_so() -> None:
    store = Store()
    done(store, *(Put(f"k{number:02}", "v" * VALUE_BYTES_MAX) for number in range(20)))
    part = page(store, Range("", None))
    assert part.more
    assert len(part.items) == keyspace.REPLY_CHARS_MAX // (VALUE_BYTES_MAX + 3)


def test_a_compacted_revision_is_refused_and_the_one_compacted_to_is_not() -> None:
    store = Store()
    done(store, Put("a", "1"), Put("a", "2"), Put("a", "3"), Delete("a"), Compact(2))
    assert store.read(Get("a", revision=1)).error == COMPACTED
    assert [store.read(Get("a", revision=at)).value for at in (2, 3, 4)] == ["2", "3", None]
    assert [reply.outcome for reply in apply(store, Compact(2), Compact(9))] == ["fail", "fail"]


def test_the_past_goes_by_itself_and_memory_stays_flat() -> None:
    store, most = Store(), 0
    for number in range(100_000):
        store.apply(number + 1, 1, 1, HOT)
        most = max(most, len(store.history.changes))
    assert most <= keyspace.HISTORY_CHARS_MAX // CHANGE_CHARS
    assert len(store.history.changes) > most // 4
    assert store.read(Get("hot", revision=1)).error == COMPACTED


HOT = b"\x94\xa3put\xa3hot\xa1v\x00"


def test_a_full_store_refuses_definitely_and_takes_writes_again_after_a_delete() -> None:
    store = Store(chars_max=10 * CHANGE_CHARS)
    done(store, *(Put(f"k{number}", "") for number in range(11)))
    (refused,) = apply(store, Put("more", ""))
    assert refused == Reply("fail", revision=11, error=NO_SPACE)
    (refused,) = apply(store, Txn((), (Put("more", ""),)))
    assert (refused.outcome, refused.error) == ("fail", NO_SPACE)
    done(store, Delete("k0"), Put("more", ""))
    assert store.find("k1") is not None


def test_a_full_store_that_holds_only_the_past_forgets_it_instead() -> None:
    store = Store(chars_max=10 * CHANGE_CHARS)
    done(store, *(Put("k", str(number)) for number in range(100)))
    assert store.get("k").value == "99"
