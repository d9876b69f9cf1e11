"""The report of a headless run: a fold of what any seat hears, where nothing measured is None and nothing found is told twice."""

from __future__ import annotations

import json

import pytest

from cluster.telemetry import events as e
from cluster.telemetry.fold import fold_all
from cluster.telemetry.report import VERDICTS_REPORTED_MAX, VIOLATIONS_REPORTED_MAX, Reporter
from cluster.telemetry.view import EMPTY
from tests.cluster.telemetry.happened import NODES, fault, light, opened, ops, process, ready, role, state, up


def _reporter(*events: e.Event) -> Reporter:
    reporter = Reporter()
    reporter.feed([opened(), *events])
    return reporter


def test_what_was_not_measured_is_none_and_never_zero() -> None:
    document = Reporter().document()
    for name in ("ready_ms", "leader_ms", "acked", "acked_lost", "linearizable", "unavailable_ms"):
        assert document[name] is None
    assert document["gossip"]["convergence_ms"] is None
    assert document["clean_exit"] is False
    assert Reporter().unknown


def test_the_document_holds_what_was_promised() -> None:
    document = _reporter().document()
    assert {
        "nodes", "voters", "ready_ms", "leader_ms", "leaders", "faults", "ops", "acked_lost", "linearizable", "invariants", "verdicts",
        "gossip", "unavailable_ms", "clean_exit",
    } <= document.keys()  # fmt: skip
    assert document["ops"].keys() == {"invoked", "ok", "failed", "unknown"}
    assert json.loads(json.dumps(document)) == document


def test_ready_is_the_last_nodes_first_time_and_the_leader_the_first() -> None:
    reporter = _reporter(ready("n1", 100_000), ready("n2", 250_000), role("n1", "leader", 1, 300_000), ready("n1", 900_000, epoch=2))
    assert not reporter.all_ready
    assert reporter.document()["ready_ms"] is None
    reporter.feed([ready("n3", 280_000), role("n2", "leader", 2, 950_000)])
    assert reporter.all_ready
    document = reporter.document()
    assert (document["ready_ms"], document["leader_ms"]) == (280.0, 300.0)
    assert document["leaders"] == [{"term": 1, "node": "n1", "at_ms": 300.0}, {"term": 2, "node": "n2", "at_ms": 950.0}]


def test_a_seat_that_sat_down_late_knows_what_had_happened() -> None:
    """A lab may be up before its first seat has said hello."""
    before = fold_all(EMPTY, [opened(), *up(at_us=70_000), role("n2", "leader", 1, 90_000), fault(1, "pause n3", 95_000)])
    reporter = Reporter(before)
    assert reporter.all_ready
    assert reporter.has_leader
    reporter.feed([e.FaultEnded(99_000, 1, "expired", "")])
    document = reporter.document()
    assert (document["ready_ms"], document["leader_ms"]) == (70.0, 90.0)
    assert [(x["what"], x["ended_ms"]) for x in document["faults"]] == [("pause n3", 99.0)]


def test_a_leader_that_died_or_resigned_is_none() -> None:
    assert _reporter(*up(), role("n1", "leader", 1, 10)).has_leader
    assert not _reporter(*up(), role("n1", "leader", 1, 10), process("n1", "down", 20)).has_leader
    assert not _reporter(*up(), role("n1", "leader", 1, 10), role("n1", "follower", 2, 20)).has_leader


def test_faults_have_their_beginning_and_their_end() -> None:
    document = _reporter(fault(1, "pause n1", 5_000), fault(2, "crash n2", 6_000), e.FaultEnded(8_000, 1, "healed", "")).document()
    assert document["faults"] == [
        {"id": 1, "what": "pause n1", "asked": "pause n1", "at_ms": 5.0, "ended_ms": 8.0},
        {"id": 2, "what": "crash n2", "asked": "crash n2", "at_ms": 6.0, "ended_ms": None},
    ]


def test_what_was_refused_is_told() -> None:
    refused = e.CommandDone(5, "ada", 1, "crash n9", False, "there is no n9")
    assert _reporter(refused, e.CommandDone(6, "ada", 2, "heal", True, "")).document()["refused"] == [
        {"text": "crash n9", "answer": "there is no n9"}
    ]


# ---- verdicts -----------------------------------------------------------------------------------------------------

COUNTED = e.AckedCounted(900, 40, 0, ())


def test_a_red_light_is_one_violation_however_often_it_is_told() -> None:
    red = [light("linearizable", "violated", at, "a read went back", checked=at) for at in range(10, 60)]
    reporter = _reporter(light("linearizable", "ok", 5), *red)
    assert reporter.violated
    assert reporter.document()["linearizable"] is False
    reporter.feed([light("election-safety", "violated", at, "two leaders in term 3") for at in (70, 80)])
    assert reporter.document()["invariants"]["violations"] == [
        {"light": "election-safety", "at_ms": 0.1, "evidence": "two leaders in term 3"}
    ]
    assert len(reporter._violations) == 2


def test_other_evidence_is_another_violation_within_bounds() -> None:
    reds = [light("acked", "violated", at, f"{at} writes are gone") for at in range(1, 2 * VIOLATIONS_REPORTED_MAX)]
    assert len(_reporter(*reds)._violations) == VIOLATIONS_REPORTED_MAX


def test_a_light_that_was_red_makes_a_bad_run_even_if_a_reset_made_it_green() -> None:
    reporter = _reporter(light("linearizable", "violated", 5, "x"), light("linearizable", "ok", 9), ops(10), COUNTED)
    assert reporter.violated


def test_the_greatest_loss_counts() -> None:
    """The clients write on: what is missing now may be hidden by the next write to the same slot."""
    reporter = _reporter(e.AckedCounted(5, 40, 3, ("slot/1",)), e.AckedCounted(9, 90, 0, ()))
    assert reporter.violated
    assert (reporter.document()["acked_lost"], reporter.document()["acked"]) == (3, 90)


@pytest.mark.parametrize(
    ("events", "unknown"),
    [
        ([ops(5, ok=3), COUNTED], False),
        ([ops(5, ok=0), COUNTED], True),  # nothing was done
        ([COUNTED], True),
        ([ops(5, ok=3)], True),  # nobody looked again
        ([ops(5, ok=3), COUNTED, light("linearizable", "unknown", 6)], True),
        ([ops(5, ok=3), COUNTED, light("linearizable", "unknown", 6), light("linearizable", "ok", 7)], False),
    ],
)
def test_a_run_that_was_not_judged_whole_is_unknown(events: list[e.Event], unknown: bool) -> None:
    reporter = _reporter(*events)
    assert not reporter.violated
    assert reporter.unknown == unknown


def test_the_history_is_linearizable_or_not_or_nobody_knows() -> None:
    for state_, answer in (("ok", True), ("violated", False), ("unknown", None)):
        assert _reporter(light("linearizable", state_, 5)).document()["linearizable"] is answer


def test_invariants_are_the_lights_of_the_monitors() -> None:
    lights = [("linearizable", "ok", 9), ("acked", "ok", 9), ("log-order", "ok", 5), ("vote-once", "unknown", 7)]
    document = _reporter(*(light(name, state_, 1, checked=checked) for name, state_, checked in lights)).document()
    assert document["invariants"]["checked"] == 12
    assert document["invariants"]["states"] == {"log-order": "ok", "vote-once": "unknown"}


def test_suspicions_stand_beside_the_truth_within_bounds() -> None:
    suspected = e.Verdict("n1", 400_000, "n2", True, 81, "akka", 400_000)
    reporter = _reporter(*up(), process("n2", "paused", 100_000), suspected, e.Verdict("n1", 500_000, "n2", False, 2, "akka", 0))
    assert reporter.document()["verdicts"] == [
        {"observer": "n1", "subject": "n2", "at_ms": 400.0, "phi": 8.1, "truth": "true", "late_ms": 300.0}
    ]
    reporter.feed([suspected] * (VERDICTS_REPORTED_MAX + 5))
    assert len(reporter.document()["verdicts"]) == VERDICTS_REPORTED_MAX


def test_gossip_converges_when_the_last_node_has_learned() -> None:
    def learned(node: str, at_us: int, version: int = 1) -> e.RumourLearned:
        return e.RumourLearned(node, at_us, "rumour", "n1", version, "n1", "tea")

    reporter = _reporter(*up(), learned("n1", 100_000), learned("n3", 250_000), state("n1", 300_000, gossip_rounds=7))
    assert reporter.document()["gossip"] == {"rounds": 7, "convergence_ms": None}
    reporter.feed([learned("n2", 180_000), learned("n1", 900_000, version=2)])
    assert reporter.document()["gossip"]["convergence_ms"] == 150.0  # of the newest that all know


def test_a_clean_exit_is_one_that_was_told() -> None:
    assert not _reporter().document()["clean_exit"]
    assert _reporter(e.LabClosed(9, True, "the operator ended the lab")).document()["clean_exit"]
    assert not _reporter(e.LabClosed(9, False, "the zygote is gone")).document()["clean_exit"]


def test_operations_and_outages_are_the_last_totals() -> None:
    reporter = _reporter(ops(5, ok=3), ops(9, ok=8, invoked=10, unavailable_us=120_000))
    document = reporter.document()
    assert document["ops"] == {"invoked": 10, "ok": 8, "failed": 0, "unknown": 0}
    assert document["unavailable_ms"] == 120.0
    assert document["nodes"] == len(NODES)
