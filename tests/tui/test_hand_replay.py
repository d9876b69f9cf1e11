"""The hand over a recording: run, pause, step, seek, begin again."""

from __future__ import annotations

from tests.tui.fake_session import FakeTape
from tests.tui.sample_raft_gossip import lab, up
from tests.tui.test_hand import Bench
from tui.hand import Hand
from tui.keymap import for_key
from tui.state import UiState


def replay() -> tuple[Bench, FakeTape]:
    tape = FakeTape([lab(5, 5), *up(5)])
    bench = Bench(tape.initial, mode="REPLAY", observer=True, paused=True)
    bench.hand = Hand(bench.store, bench.stage, tape)
    return bench, tape


def running(bench: Bench) -> int:
    return sum(node.process == "up" for node in bench.store.view.nodes.values())


def test_a_recording_is_stepped_and_sought() -> None:
    bench, _ = replay()
    seen = []
    for key in ("right", "right", "left", "shift+right", "end", "shift+left", "home"):
        bench.press(key)
        seen.append(running(bench))
    assert seen == [1, 2, 1, 2, 5, 4, 0]


def test_what_was_stepped_to_is_told_until_something_else_is_done() -> None:
    bench, _ = replay()
    bench.press("comma")
    assert bench.store.ui.last == "event 1 of 6"
    bench.press("full_stop", "full_stop")
    assert bench.store.ui.last == "event 3 of 6"
    bench.press("right")
    assert bench.store.ui.last == "event 4 of 6"
    bench.press("end")
    assert bench.store.ui.last == ""


def test_at_its_end_a_recording_begins_again() -> None:
    bench, tape = replay()
    bench.press("end", "space")
    assert tape.playing
    assert running(bench) == 0


def test_a_recording_that_has_run_to_its_end_stands_there() -> None:
    bench, tape = replay()
    bench.press("space")
    bench.hand.rest_at_end()
    assert tape.playing
    tape.place = 6
    bench.hand.rest_at_end()
    assert not tape.playing
    assert bench.store.ui.paused


def test_in_a_recording_rumours_are_picked_with_curly_brackets() -> None:
    ui = UiState(mode="REPLAY", observer=True)
    found = [for_key(key, ui) for key in ("left_square_bracket", "left_curly_bracket")]
    assert [action.name if action else "" for action in found] == ["slower", "older-rumour"]


def test_space_runs_and_pauses_a_recording() -> None:
    bench, tape = replay()
    bench.press("space")
    assert tape.playing
    assert not bench.store.ui.paused
    bench.press("space")
    assert not tape.playing
    assert bench.store.ui.paused


def test_the_speed_has_an_end_on_both_sides() -> None:
    bench, tape = replay()
    bench.press(*["right_square_bracket"] * 20)
    assert tape.speed == bench.store.ui.speed == 10.0
    bench.press(*["left_square_bracket"] * 20)
    assert tape.speed == 0.1
