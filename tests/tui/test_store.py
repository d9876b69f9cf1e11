from __future__ import annotations

from cluster.telemetry import events as e
from tests.tui.sample_raft_gossip import ZERO, cut, healthy, lab, mock_up
from tui import reduce as r
from tui.state import UiState
from tui.store import WAITING_MAX, Store, roster_of, undo_text


def store(**ui: object) -> Store:
    return Store(healthy(), UiState(**ui), seat="me")  # type: ignore[arg-type]


def fault(number: int, by: str, text: str = "isolate n1", kind: str = "isolate") -> e.FaultBegan:
    return e.FaultBegan(ZERO, number, kind, text, text, ("n1",), 0, by)


def test_whoever_listens_hears_each_change_once() -> None:
    known = store()
    heard: list[int] = []
    known.listen(lambda: heard.append(1))
    known.act(r.Moved(1, ("n1", "n2")))
    known.feed((e.Heartbeat(ZERO, 0), e.Heartbeat(ZERO + 1, 0)))
    assert len(heard) == 2


def test_what_changes_nothing_tells_nobody() -> None:
    known = store()
    heard: list[int] = []
    known.listen(lambda: heard.append(1))
    known.act(r.Moved(1, ()))
    known.note(paused=False)
    assert heard == []


def test_an_answer_goes_to_the_seat_and_request_that_asked() -> None:
    known = store()
    known.asked(7, "isolate n1")
    mine = e.CommandDone(ZERO, "me", 7, "isolate n1", True, "#4 isolate n1")
    assert known.feed((e.CommandDone(ZERO, "you", 7, "crash n1", True, ""), e.CommandDone(ZERO, "me", 6, "heal", True, ""))) == []
    (answer,) = known.feed((mine,))
    assert (answer.text, answer.ok, answer.undoable) == ("isolate n1", True, True)
    assert known.feed((mine,)) == [], "an answer is given once"


def test_a_refusal_is_kept_in_the_last_line() -> None:
    known = store()
    known.asked(1, "restart n1")
    (answer,) = known.feed((e.CommandDone(ZERO, "me", 1, "restart n1", False, "n1 is running"),))
    assert not answer.ok
    assert known.ui.last == "restart n1: n1 is running"


def test_what_was_read_stays_in_the_last_line() -> None:
    known = store()
    known.asked(1, "get colour lease")
    (answer,) = known.feed((e.CommandDone(ZERO, "me", 1, "get colour lease", True, "colour = blue (n1, revision 7)"),))
    assert answer.asked
    assert known.ui.last == answer.line == "get colour lease: colour = blue (n1, revision 7)"


def test_commands_that_are_never_answered_do_not_pile_up() -> None:
    known = store()
    for request in range(WAITING_MAX + 1):
        known.asked(request, "heal")
    assert known.feed((e.CommandDone(ZERO, "me", 0, "heal", True, ""),)) == []
    assert len(known.feed((e.CommandDone(ZERO, "me", WAITING_MAX, "heal", True, ""),))) == 1


def test_undo_names_the_newest_fault_of_this_seat() -> None:
    known = store()
    known.feed((fault(1, "me"), fault(2, "me", "pause n1 for 3s", "pause"), fault(3, "you", "crash n1", "crash")))
    assert known.ui.undo.startswith("pause n1 for 3s (")
    known.feed((e.FaultEnded(ZERO, 2, "expired", ""), e.FaultEnded(ZERO, 1, "healed", "")))
    assert known.ui.undo == ""


def test_undo_says_what_it_cannot_bring_back() -> None:
    known = store()
    known.feed((fault(1, "me", "crash n1", "crash"),))
    assert "memory is lost" in undo_text(known.view, "me")


def test_cursor_and_marks_are_on_nodes_that_exist() -> None:
    known = Store(healthy(9), UiState(cursor="n9", marked=("n2", "n9")), seat="me")
    known.feed((lab(5, 5),))
    assert known.ui.cursor == "n1"
    assert known.ui.marked == ("n2",)


def test_the_roster_is_the_truth_about_processes() -> None:
    roster = roster_of(mock_up())
    assert roster.down == ("n12",)
    assert roster.paused == ("n11",)
    assert roster.leader == "n3"
    assert set(roster.faults) == {17, 18, 19}
    assert ("n1", "n4") in roster.severed
    assert ("n1", "n2") not in roster.severed


def test_a_dead_leader_leads_nobody() -> None:
    known = store()
    assert roster_of(known.view).leader == "n3"
    known.feed((e.ProcessChanged(known.view.now_us, "n3", "down", 0, 1, "SIGKILL (crash #1)"),))
    assert roster_of(known.view).leader is None


def test_a_cut_puts_a_fault_of_someone_else_on_the_screen_but_not_into_undo() -> None:
    known = store()
    known.feed(tuple(cut(ZERO, 1, ("n1", "n2"), ("n3", "n4", "n5"))))
    assert 1 in known.view.faults
    assert known.ui.undo == ""


def test_the_sign_of_a_recording_goes_out_with_it() -> None:
    known = store(recording=True)
    known.feed((e.CommandDone(ZERO, "you", 1, "heal 9", False, "#9 is not in force"),))
    assert known.ui.recording
    known.feed((e.CommandDone(ZERO, e.RECORDER, 0, "record", False, "recording a.flt ended: No space left on device"),))
    assert not known.ui.recording
