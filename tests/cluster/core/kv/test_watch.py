"""Watches: everything in order, nothing twice, and a definite end for whoever does not keep up."""

from __future__ import annotations

import random

from cluster.core.kv import span
from cluster.core.kv.ops import COMPACTED, SLOW_WATCHER, Changes, Compact, Delete, DeleteRange, KeyValue, Put, Watch
from cluster.core.kv.store import Store
from cluster.core.kv.watch import BATCH_CHANGES_MAX, CREDIT, LAG_REVISIONS_MAX, LOOK_MAX, WATCHERS_MAX, Notice, Watches
from cluster.core.types import VALUE_BYTES_MAX
from tests.cluster.core.kv.entries import done


def changes(notices: list[Notice]) -> list[KeyValue]:
    found: list[KeyValue] = []
    for notice in notices:
        assert isinstance(notice.reply.body, Changes)
        assert notice.more
        found += notice.reply.body.changes
    return found


def test_a_watch_tells_what_happens_in_its_range_from_now_on() -> None:
    store, watches = Store(), Watches()
    done(store, Put("a/1", "before"))
    opened = watches.open(7, Watch(*span.of_prefix("a/")), store)
    assert (opened.token, opened.more, opened.reply.revision, opened.reply.body) == (7, True, 1, Changes(()))
    done(store, Put("a/1", "1"), Put("b", "no"), Put("a/2", "2"), DeleteRange("a/", None))
    told = changes(watches.advance(store))
    assert [(each.key, each.value, each.mod_revision, each.version) for each in told] == [
        ("a/1", "1", 2, 2),
        ("a/2", "2", 4, 1),
        ("a/1", "", 5, 0),
        ("a/2", "", 5, 0),
    ]
    assert watches.advance(store) == []


def test_a_watch_of_the_past_catches_up_first() -> None:
    store, watches = Store(), Watches()
    done(store, *(Put("k", str(number)) for number in range(10)))
    watches.open(1, Watch("k", None, revision=4), store)
    done(store, Delete("k"))
    assert [each.mod_revision for each in changes(watches.advance(store))] == [4, 5, 6, 7, 8, 9, 10, 11]


def test_a_watch_of_the_future_waits_for_its_revision() -> None:
    store, watches = Store(), Watches()
    watches.open(1, Watch("", None, revision=3), store)
    done(store, Put("k", "1"), Put("k", "2"))
    assert watches.advance(store) == []
    done(store, Put("k", "3"))
    assert [each.value for each in changes(watches.advance(store))] == ["3"]


def test_what_is_compacted_cannot_be_watched() -> None:
    store, watches = Store(), Watches()
    done(store, Put("k", "1"), Put("k", "2"), Put("k", "3"), Compact(2))
    refused = watches.open(1, Watch("k", None, revision=2), store)
    assert (refused.reply.outcome, refused.reply.error, refused.more) == ("fail", COMPACTED, False)
    assert len(watches) == 0
    watches.open(1, Watch("k", None, revision=3), store)
    assert [each.value for each in changes(watches.advance(store))] == ["3"]


def test_a_watcher_whose_next_change_is_compacted_away_is_told() -> None:
    store, watches = Store(), Watches()
    watches.open(1, Watch("k", None), store)
    done(store, Put("k", "1"), Put("k", "2"), Compact(2))
    (end,) = watches.advance(store)
    assert (end.reply.outcome, end.reply.error, end.more) == ("fail", COMPACTED, False)
    assert len(watches) == 0


def test_without_acknowledgements_a_few_batches_are_sent_and_then_nothing() -> None:
    store, watches = Store(), Watches()
    watches.open(1, Watch("k", None), store)
    done(store, *(Put("k", str(number)) for number in range((CREDIT + 2) * BATCH_CHANGES_MAX)))
    first = watches.advance(store)
    assert [len(changes([notice])) for notice in first] == [BATCH_CHANGES_MAX] * CREDIT
    assert watches.advance(store) == []
    watches.acknowledge(1, 1)
    (next_,) = watches.advance(store)
    assert changes([next_])[0].value == str(CREDIT * BATCH_CHANGES_MAX)
    watches.acknowledge(1, 1_000)
    assert len(watches.advance(store)) == 1


def test_a_slow_watcher_is_cancelled_and_a_quick_one_goes_on() -> None:
    store, watches = Store(), Watches()
    watches.open(1, Watch("", None), store)
    watches.open(2, Watch("", None), store)
    told = []
    for _ in range(CREDIT * BATCH_CHANGES_MAX + LAG_REVISIONS_MAX + BATCH_CHANGES_MAX):
        done(store, Put("k", "v"))
        notices = watches.advance(store)
        told += notices
        watches.acknowledge(2, sum(notice.token == 2 for notice in notices))
    ends = [notice for notice in told if not notice.more]
    assert [(end.token, end.reply.outcome, end.reply.error) for end in ends] == [(1, "fail", SLOW_WATCHER)]
    quick = changes([notice for notice in told if notice.token == 2])
    assert [each.mod_revision for each in quick] == list(range(1, store.revision + 1))


def test_a_long_past_is_told_in_portions() -> None:
    store, watches = Store(), Watches()
    done(store, *(Put("other", "v") for _ in range(LOOK_MAX + 5)), Put("k", "found"))
    watches.open(1, Watch("k", "k\0", revision=1), store)
    assert watches.advance(store) == []
    assert [each.value for each in changes(watches.advance(store))] == ["found"]


def test_a_batch_of_large_values_fits_a_frame() -> None:
    store, watches = Store(), Watches()
    watches.open(1, Watch("", None), store)
    done(store, *(Put("k", "v" * VALUE_BYTES_MAX) for _ in range(9)))
    assert [len(changes([notice])) for notice in watches.advance(store)] == [4, 4, 1]


def test_a_revision_of_many_changes_is_spread_over_batches_without_a_gap() -> None:
    store, watches = Store(), Watches()
    done(store, *(Put(f"k{number:04}", "v") for number in range(2 * BATCH_CHANGES_MAX + 3)))
    watches.open(1, Watch("", None), store)
    done(store, DeleteRange("", None))
    notices = watches.advance(store)
    assert [len(changes([notice])) for notice in notices] == [BATCH_CHANGES_MAX, BATCH_CHANGES_MAX, 3]
    assert len({each.key for each in changes(notices)}) == 2 * BATCH_CHANGES_MAX + 3


def test_a_watch_survives_its_store_being_replaced_by_an_image() -> None:
    store, watches = Store(), Watches()
    watches.open(1, Watch("", None), store)
    done(store, Put("k", "1"))
    told = changes(watches.advance(store))
    done(store, Put("k", "2"), Put("k", "3"))
    told += changes(watches.advance(Store.load(store.dump())))
    assert [each.value for each in told] == ["1", "2", "3"]


def test_closing_ends_the_stream_once() -> None:
    store, watches = Store(), Watches()
    watches.open(1, Watch("", None), store)
    (end,) = watches.close(1, store)
    assert (end.reply.outcome, end.more) == ("ok", False)
    assert watches.close(1, store) == []
    watches.acknowledge(1, 1)  # late, and harmless
    assert watches.advance(store) == []


def test_a_node_has_only_so_many() -> None:
    store, watches = Store(), Watches()
    notices = [watches.open(token, Watch("", None), store) for token in range(WATCHERS_MAX + 1)]
    assert [notice.more for notice in notices] == [True] * WATCHERS_MAX + [False]
    assert notices[-1].reply.outcome == "fail"


def test_whatever_the_pace_nobody_misses_or_hears_anything_twice() -> None:
    dice = random.Random(3)
    store, watches = Store(), Watches()
    told: dict[int, list[KeyValue]] = {}
    spans = {1: span.of_key("k1"), 2: span.of_prefix("k"), 3: ("k2", "k4"), 4: ("", None)}
    for token, (first, end) in spans.items():
        told[token] = []
        watches.open(token, Watch(first, end), store)
    for _ in range(300):
        done(store, *(Put(f"k{dice.randrange(6)}", str(dice.random())) for _ in range(dice.randrange(40))), Delete("k3"))
        for notice in watches.advance(store):
            told[notice.token] += changes([notice])
            if dice.random() < 0.9:
                watches.acknowledge(notice.token, 1)
            else:
                watches.acknowledge(notice.token, 2)
    for token, (first, end) in spans.items():
        assert told[token] == [change for change in store.history.changes if span.holds(first, end, change.key)]
