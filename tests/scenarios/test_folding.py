"""The scene that a run's records make: rows, faults, processes, window; the same whatever the order in which files are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.catalog import load
from scenarios.feed import Answered, Clock, News, Told
from scenarios.folding import fold_all
from scenarios.opening import opened, told_of
from scenarios.records import Params
from scenarios.scene import BEAT_NS, BEATS_MAX, MARKS_MAX, ROWS_MAX, FaultSeen, Scene, where_it_fell, window_of
from scenarios.viewing import Column
from tests.scenarios.run_dirs import ORDERS, TOGGLES, charged, stale_lock_run

CARD = load("stale-lock-holder").card
OPENED = opened(CARD, Params(CARD.slug, "broken", TOGGLES, 1), Path("/runs/r"), [{"id": order} for order in ORDERS])
TWICE = [charged(order, caller) for caller in ("w2", "w1") for order in ORDERS]


def scene_of(*news: News) -> Scene:
    return fold_all(Scene(), (OPENED, *news))


def test_a_finished_run_is_opened_from_its_files(tmp_path: Path) -> None:
    scene = fold_all(Scene(), told_of(CARD, stale_lock_run(tmp_path, TWICE)))
    assert {row: {CARD.view.column[i].title: cell.value for i, cell in cells.items()} for row, cells in scene.rows.items()} == {
        order: {"lock": "w2", "token": None, "charged by": "w1", "charges": 2} for order in ORDERS
    }
    assert [cell.value for cell in scene.counters] == [4, 0]
    assert scene.counts["ledger/payd.jsonl:charged"] == 4
    assert [span.state for span in scene.players["w1"].spans] == ["paused", "up"]
    assert scene.outcome is None


def test_rows_that_are_known_stand_there_from_the_start() -> None:
    assert scene_of().rows == {order: {} for order in ORDERS}


LINES: list[tuple[str, dict[str, Any]]] = [
    ("supervisor.jsonl", {"mono_ns": 10, "event": "started", "process": "w1", "pid": 7}),
    ("supervisor.jsonl", {"mono_ns": 100, "event": "stopped", "process": "w1"}),
    ("trace/w1.jsonl", {"mono_ns": 20, "event": "lock.acquired", "process": "w1", "order": "order-1", "token": 1}),
    ("trace/w1.jsonl", {"mono_ns": 30, "event": "worker.holds_all", "process": "w1"}),
    ("trace/w2.jsonl", {"mono_ns": 150, "event": "lock.acquired", "process": "w2", "order": "order-1", "token": 2}),
    ("faults.jsonl", {"mono_ns": 100, "phase": "landed", "step": 0, "do": "pause", "target": "w1", "on": "hand", "ms": None}),
    ("history/w1.jsonl", {"time": 210, "type": "invoke", "f": "charge", "value": {"order": "order-1"}}),
    ("ledger/payd.jsonl", {"mono_ns": 211, "kind": "charged", "order": "order-1", "caller": "w1"}),
    ("ledger/payd.jsonl", {"mono_ns": 212, "kind": "charged", "order": "order-1", "caller": "w2"}),
]


@given(st.permutations(range(len(LINES))), st.integers(1, 4))
def test_files_may_come_in_any_order(order: list[int], batch: int) -> None:
    """Law 1: only the order within each file is kept."""
    queues: dict[str, list[dict[str, Any]]] = {}
    for file, line in LINES:
        queues.setdefault(file, []).append(line)
    news = [Told(LINES[place][0], 1, (queues[LINES[place][0]].pop(0),)) for place in order]
    scene = scene_of()
    for first in range(0, len(news), batch):
        scene = fold_all(scene, news[first : first + batch])
    assert scene == scene_of(*(Told(file, 1, (line,)) for file, line in LINES))


def test_a_scene_stays_what_it_was_when_the_next_is_made() -> None:
    before = scene_of(Told("ledger/payd.jsonl", 1, (LINES[-1][1],)))
    kept = msgspec.msgpack.encode(before)
    fold_all(before, [Told("ledger/payd.jsonl", 2, (LINES[-1][1],))])
    assert msgspec.msgpack.encode(before) == kept


@pytest.mark.parametrize(
    ("landed_ns", "said"),
    [(5, "0 ms before the window"), (100, "inside the window"), (40_000_000, "39 ms after the window")],
)
def test_where_a_fault_fell(landed_ns: int, said: str) -> None:
    scene = scene_of(*(Told(file, 1, (line,)) for file, line in LINES))
    assert window_of(scene) == (30, 210)
    fault = FaultSeen(-1, "pause", "w1", "hand", None, landed_ns)
    assert where_it_fell(scene, fault) == said
    assert where_it_fell(scene, msgspec.structs.replace(fault, target="w2")) == ""
    assert where_it_fell(scene_of(), fault) == "before the window"


def test_a_toggle_set_by_hand_is_the_present_one_and_lasts() -> None:
    line = {"mono_ns": 9, "phase": "landed", "step": -1, "do": "set", "target": "fencing=on", "on": "hand", "ms": None}
    scene = scene_of(Told("faults.jsonl", 1, (line,)), Answered(3, False, "no"), Clock(50, 4))
    assert scene.toggles["fencing"] == "on"
    assert scene.opened is not None
    assert scene.opened.toggles["fencing"] == "off"
    assert (scene.answer.request, scene.now_ns, scene.behind) == (3, 50, 4)  # type: ignore[union-attr]


def test_faults_of_one_step_end_one_after_the_other() -> None:
    base = {"step": 1, "do": "kill", "target": "r", "on": "trace:x@r", "ms": 5.0}
    phases = [("landed", 1), ("ended", 2), ("landed", 3)]
    scene = scene_of(Told("faults.jsonl", 1, tuple({**base, "phase": phase, "mono_ns": at} for phase, at in phases)))
    assert [(fault.landed_ns, fault.ended_ns) for fault in scene.faults] == [(1, 2), (3, 0)]


def test_what_a_waiting_fault_does_is_counted_and_is_no_fault_of_its_own() -> None:
    base = {"step": 0, "do": "drop_response", "target": "a > b", "on": "time", "ms": None}
    phases = [("landed", 1), ("hit", 2), ("hit", 3), ("ended", 4)]
    (fault,) = scene_of(Told("faults.jsonl", 1, tuple({**base, "phase": phase, "mono_ns": at} for phase, at in phases))).faults
    assert (fault.landed_ns, fault.ended_ns, fault.hits) == (1, 4, 2)


def test_an_outcome_without_a_row_is_of_the_row_that_was_asked_for() -> None:
    silence = Column(title="silence", of="history:info")
    view = msgspec.structs.replace(OPENED.view, column=(silence,))
    lines = (
        {"index": 1, "time": 1, "type": "invoke", "value": {"order": "order-2"}},
        {"index": 1, "time": 2, "type": "info", "value": {"error": "no answer"}},
        {"index": 9, "time": 3, "type": "info", "value": {"error": "of nobody"}},
    )
    scene = fold_all(Scene(), (msgspec.structs.replace(OPENED, view=view), Told("history/w1.jsonl", 1, lines)))
    assert {row: {i: cell.value for i, cell in cells.items()} for row, cells in scene.rows.items()} == {"order-1": {}, "order-2": {0: 1}}
    assert not any(scene.asked.values())


def test_what_is_too_much_is_counted() -> None:
    lines = tuple({"mono_ns": i * BEAT_NS, "kind": "charged", "order": f"o{i}", "caller": "w1"} for i in range(ROWS_MAX + 5))
    scene = scene_of(Told("ledger/payd.jsonl", 1, lines))
    assert len(scene.rows) == ROWS_MAX
    assert scene.rows_left_out >= 5
    assert scene.counts["ledger/payd.jsonl:charged"] == ROWS_MAX + 5


def test_a_lane_keeps_its_newest_beats() -> None:
    lines = tuple({"mono_ns": i * BEAT_NS, "kind": "charged", "order": "o", "caller": "w1"} for i in range(BEATS_MAX + 5))
    (beats,) = scene_of(Told("ledger/payd.jsonl", 1, lines)).beats.values()
    assert (beats[0], beats[-1], len(beats)) == (5, BEATS_MAX + 4, BEATS_MAX)


@pytest.mark.parametrize("openings_first", [True, False])
def test_a_window_that_opens_and_closes_all_the_time_is_the_first_one(openings_first: bool) -> None:
    acquired = tuple({"mono_ns": 30 + 100 * i, "process": "w1", "event": "worker.holds_all"} for i in range(MARKS_MAX + 5))
    sent = tuple({"index": i, "time": 60 + 100 * i, "type": "invoke", "value": {}} for i in range(MARKS_MAX + 5))
    news = [Told("trace/w1.jsonl", 1, acquired), *(Told("history/w1.jsonl", 1 + i, (line,)) for i, line in enumerate(sent[:MARKS_MAX]))]
    scene = scene_of(*(news if openings_first else [*news[1:], news[0]]))
    assert window_of(scene) == (30, 60)
    assert len(scene.opens) + len(scene.closes) == 2


def test_lines_that_lack_what_they_should_have_are_passed_over() -> None:
    files = ("supervisor", "faults", "phases", "trace/w1", "history/w1", "ledger/payd", "other")
    for file in files:
        scene_of(Told(f"{file}.jsonl", 1, ({}, {"mono_ns": 1}, {"mono_ns": "x", "kind": "charged"})))


def test_what_is_taken_back_is_gone_and_what_is_not_stands_since_then() -> None:
    """Who holds an account now: a promise, until that transfer is committed or aborted; another one's end says nothing of it."""
    card = load("2pc-in-doubt").card
    first = opened(card, Params(card.slug, "broken", card.toggles("broken"), 1, 1.0), Path("/nowhere"), [])
    place = [column.title for column in card.view.column].index("locked by")
    lines = [
        {"kind": "prepared", "account": "A1", "txn": "t1"},
        {"kind": "prepared", "account": "A2", "txn": "t2"},
        {"kind": "committed", "account": "A1", "txn": "t1"},
        {"kind": "aborted", "account": "A2", "txn": "t9"},
        {"kind": "prepared", "account": "A1", "txn": "t3"},
        {"kind": "prepared", "account": "A4", "txn": "t4"},
        {"kind": "aborted", "account": "A4", "txn": "t4"},
    ]
    told = [Told("ledger/banka.jsonl", i + 1, ({"mono_ns": i, **line},)) for i, line in enumerate(lines)]
    scene = fold_all(Scene(), (first, *told))
    assert {name: (cells[place].value, cells[place].at_ns) for name, cells in scene.rows.items()} == {
        "A1": ("t3", 4), "A2": ("t2", 1), "A4": (None, 6),
    }  # fmt: skip
    assert fold_all(Scene(), (first, Told("ledger/banka.jsonl", 1, tuple({"mono_ns": i, **line} for i, line in enumerate(lines))))) == scene


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("phases.jsonl", '{"mono_ns": 1, "phase": [1]}'),
        ("supervisor.jsonl", '{"mono_ns": 1, "process": ["w1"], "event": "stopped"}'),
        ("supervisor.jsonl", '{"mono_ns": 1, "process": "w1", "event": {}}'),
        ("trace/payd.jsonl", '{"mono_ns": "late", "event": "x", "process": "payd"}'),
        ("trace/payd.jsonl", '{"mono_ns": null, "event": ["x"], "process": 7}'),
    ],
)
def test_a_record_of_another_kind_does_not_keep_a_run_from_being_opened(tmp_path: Path, file: str, line: str) -> None:
    run = stale_lock_run(tmp_path, TWICE)
    path = run / file
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as records:
        records.write(line + "\n")
    assert [cell.value for cell in fold_all(Scene(), told_of(CARD, run)).counters] == [4, 0]
