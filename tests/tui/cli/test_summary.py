"""A run in words: nothing is claimed that was not measured, and nothing bad is left out."""

from __future__ import annotations

from cluster.telemetry import events as e
from cluster.telemetry.fold import fold_all
from cluster.telemetry.report import Reporter
from cluster.telemetry.view import EMPTY
from tests.cluster.telemetry.happened import fault, light, opened, ops, ready, role, up
from tui.cli.summary import farewell, summary


def _words(*events: e.Event) -> list[str]:
    reporter = Reporter()
    reporter.feed([opened(), *events])
    return summary(reporter.document()).splitlines()


def test_what_was_not_measured_is_said_to_be_that() -> None:
    words = _words()
    assert words[0] == "3 nodes, 3 voters, profile demo, seed 7"
    assert "ready      not measured, first leader not measured" in words
    assert "leaders    none" in words
    assert "acked      not counted" in words
    assert "history    unknown" in words
    assert words[-1] == "exit       NOT CLEAN"


def test_a_good_run() -> None:
    words = _words(
        *(ready(node, 80_000) for node in ("n1", "n2", "n3")), role("n1", "leader", 1, 310_000), fault(1, "pause n2", 1_000_000),
        fault(2, "crash n3", 2_000_000), e.FaultEnded(3_000_000, 1, "expired", ""), ops(4_000_000, ok=7, invoked=9, unavailable_us=120_000),
        light("linearizable", "ok", 5_000_000), light("vote once", "ok", 5_000_000, checked=12), e.AckedCounted(5_000_000, 4, 0, ()),
        e.LabClosed(6_000_000, True, "the operator ended the lab"),
    )  # fmt: skip
    assert words[1:] == [
        "ready      80 ms, first leader 310 ms",
        "leaders    n1 (term 1)",
        "fault #1   pause n2, from 1.0 s to 3.0 s",
        "fault #2   crash n3, from 2.0 s to the end",
        "operations 7 ok, 0 failed, 0 unknown of 9; nothing answered for 120 ms",
        "suspicions 0, 0 of them false",
        "acked      4 acknowledged writes, none lost",
        "history    linearizable",
        "invariants 0 violations in 12 checks",
        "exit       clean",
    ]


def test_a_bad_run_says_what_was_found() -> None:
    words = _words(
        e.CommandDone(5, "ada", 1, "crash n9", False, "there is no n9"), light("linearizable", "violated", 5, "k1 went back"),
        light("vote once", "violated", 6, "n1 voted twice in term 3"), light("log order", "unknown", 7),
        e.AckedCounted(8, 40, 2, ("slot 3",)),
    )  # fmt: skip
    assert "refused    crash n9: there is no n9" in words
    assert "acked      40 acknowledged writes, 2 lost" in words
    assert "history    NOT LINEARIZABLE" in words
    assert "VIOLATION  vote once: n1 voted twice in term 3" in words
    assert "invariants 1 violations in 2 checks; unknown: log order" in words


def test_the_farewell_is_one_line_on_what_happened() -> None:
    assert farewell(EMPTY) == "the lab had not opened"
    begun = [opened(), *up(), role("n1", "leader", 1, 10), fault(1, "pause n2", 20), ops(95_000_000, ok=7, invoked=9)]
    assert farewell(fold_all(EMPTY, begun)) == "ran 1:35 · 1 fault · 1 reign · 7 of 9 operations ok"
    assert farewell(fold_all(EMPTY, [*begun, light("acked", "ok", 5)])).endswith("all judges green")
    assert farewell(fold_all(EMPTY, [*begun, light("acked", "unknown", 5)])).endswith("not judged whole")
    assert farewell(fold_all(EMPTY, [*begun, light("acked", "violated", 5, "x")])).endswith("VIOLATED: acked")
