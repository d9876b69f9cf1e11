"""Folding loses no line, mixes no causes, and says what it did."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cluster.telemetry.view import LANDMARKS, LogLine
from tui.select.folding import QUIET_US, Folded, folded

MS = 1_000
GRANT = "grants n3 its pre-vote for term 2: its log ends at 83 (term 1), mine at 83"


def line(at_ms: int, node: str, kind: str, text: str, fault: int = 0) -> LogLine:
    return LogLine(at_us=at_ms * MS, node=node, kind=kind, text=text, fault=fault)


def read(found: list[Folded]) -> list[str]:
    return [f"{fold.who} {fold.kind} {fold.text}{fold.tail}" for fold in found]


def test_two_voters_that_ask_each_other_for_nine_seconds_are_two_lines() -> None:
    log = [line(at, "n1" if at % 300 else "n3", "VOTE", f"grants n{3 if at % 300 else 1} its pre-vote") for at in range(0, 9_001, 150)]
    assert read(folded(log)) == [
        "n3 VOTE grants n1 its pre-vote ×31, for 9.0 s",
        "n1 VOTE grants n3 its pre-vote ×30, for 8.7 s",
    ]


def test_what_several_nodes_say_once_names_the_first_and_counts_the_others() -> None:
    log = [line(at, f"n{at}", "START", "started") for at in range(1, 51)]
    assert read(folded(log)) == ["n1+49 START started"]
    assert folded(log)[0].nodes == tuple(f"n{number}" for number in range(1, 51))


def test_of_a_measure_the_least_and_the_greatest_stay() -> None:
    log = [
        line(0, "n4", "SUSPECT", "n1, silent for 407 ms, φ 8.1 (true)"),
        line(9, "n2", "SUSPECT", "n1, silent for 1000 ms, φ 8.1 (true)"),
        line(9, "n5", "SUSPECT", "n1, silent for 98 ms, φ 8.1 (true)"),
    ]
    assert read(folded(log)) == ["n4+2 SUSPECT n1, silent for 98–1000 ms, φ 8.1 (true)"]


def test_numbers_that_are_no_measures_keep_lines_apart() -> None:
    log = [line(0, "n1", "VOTE", GRANT), line(1, "n2", "VOTE", GRANT.replace("mine at 83", "mine at 82"))]
    assert len(folded(log)) == 2
    truths = [line(at, "n1", "SUSPECT", f"n2, silent for 4 ms, φ 8.0 ({truth})") for at, truth in enumerate(("true", "false"))]
    assert len(folded(truths)) == 2


def test_nothing_is_folded_across_what_the_operator_did_or_a_new_leader() -> None:
    for kind in sorted(LANDMARKS):
        log = [line(0, "n1", "VOTE", GRANT), line(10, "n2", kind, "something"), line(20, "n1", "VOTE", GRANT)]
        assert [fold.kind for fold in folded(log)] == ["VOTE", kind, "VOTE"]


def test_landmarks_themselves_are_never_folded() -> None:
    assert len(folded([line(0, "n1", "FAULT", "pause n1"), line(1, "n1", "FAULT", "pause n1")])) == 2


def test_what_one_fault_did_is_not_folded_with_what_another_did() -> None:
    assert len(folded([line(0, "n1", "DOWN", "SIGKILL", 1), line(1, "n2", "DOWN", "SIGKILL", 2)])) == 2


def test_a_contrary_ends_the_fold_of_the_node_that_says_it() -> None:
    suspect, clear = "n2, silent for 400 ms, φ 8.0 (false)", "n2 is heard again"
    flapping = [line(0, "n1", "SUSPECT", suspect), line(90, "n1", "CLEAR", clear), line(180, "n1", "SUSPECT", suspect)]
    assert [fold.kind for fold in folded(flapping)] == ["SUSPECT", "CLEAR", "SUSPECT"]
    others = [flapping[0], line(90, "n3", "CLEAR", clear), line(180, "n1", "SUSPECT", suspect)]
    assert [fold.kind for fold in folded(others)] == ["SUSPECT", "CLEAR"]


def test_a_quiet_ends_a_fold() -> None:
    log = [line(0, "n1", "VOTE", GRANT), line(QUIET_US // MS, "n1", "VOTE", GRANT), line(2 * QUIET_US // MS + 1, "n1", "VOTE", GRANT)]
    assert [fold.times for fold in folded(log)] == [2, 1]


def test_the_lab_itself_has_no_name() -> None:
    assert [fold.who for fold in folded([line(0, "", "LAB", "5 nodes")])] == [""]


def test_in_a_crowd_those_spoken_of_are_one_line_too() -> None:
    log = [line(at, f"n{at % 3}", "SUSPECT", f"n{at}, silent for {400 + at} ms, φ 8.0 (true)") for at in range(40, 50)]
    assert read(folded(log, crowd=True)) == ["n1+2 SUSPECT n40 and 9 more, silent for 440–449 ms, φ 8.0 (true) ×10"]
    assert len(folded(log)) == 10
    heard = [line(at, "n1", "CLEAR", f"n{at} is heard again") for at in (2, 3)]
    assert read(folded(heard, crowd=True)) == ["n1 CLEAR n2 and 1 more are heard again ×2"]


def test_in_a_crowd_a_false_verdict_is_not_hidden_among_true_ones() -> None:
    log = [line(0, "n1", "SUSPECT", "n2, silent for 4 ms (true)"), line(1, "n1", "SUSPECT", "n3, silent for 4 ms (false)")]
    assert len(folded(log, crowd=True)) == 2


LINES = st.lists(
    st.tuples(
        st.integers(0, 1_500),
        st.sampled_from(["", "n1", "n2", "n12"]),
        st.sampled_from(["VOTE", "SUSPECT", "CLEAR", "FAULT", "UP", "DOWN", "PAUSE"]),
        st.sampled_from(["a", "n3, silent for 4 ms, φ 8.0", "n3, silent for 11 ms, φ 9.5"]),
        st.integers(0, 1),
    ),
    max_size=40,
)


@given(LINES, st.booleans())
def test_no_line_is_lost_and_order_of_first_words_stays(drawn: list[tuple[int, str, str, str, int]], crowd: bool) -> None:
    at_ms, log = 0, []
    for wait_ms, node, kind, text, fault in drawn:
        at_ms += wait_ms
        log.append(line(at_ms, node, kind, text, fault))
    found = folded(log, crowd=crowd)
    assert sum(fold.times for fold in found) == len(log)
    assert [fold.first_us for fold in found] == sorted(fold.first_us for fold in found)
    assert {(node, fold.kind, fold.fault) for fold in found for node in fold.nodes} == {(x.node, x.kind, x.fault) for x in log}
    assert all(fold.first_us <= fold.last_us for fold in found)


@given(LINES)
def test_folding_the_whole_begins_as_folding_the_part_did(drawn: list[tuple[int, str, str, str, int]]) -> None:
    """A line that is shown is not moved by what is said later: it only grows."""
    log = [line(place * 100, node, kind, text, fault) for place, (_, node, kind, text, fault) in enumerate(drawn)]
    part, whole = folded(log[: len(log) // 2]), folded(log)
    assert [(fold.first_us, fold.kind) for fold in part] == [(fold.first_us, fold.kind) for fold in whole[: len(part)]]
    assert all(before.times <= after.times for before, after in zip(part, whole, strict=False))
