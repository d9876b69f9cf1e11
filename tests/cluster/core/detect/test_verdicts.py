"""Convictions and clearings in virtual time."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cluster.core.detect.phi import DETECTORS, patience_us
from cluster.core.detect.ready import DetectEvent, VerdictChanged
from cluster.core.detect.verdicts import NEVER_US, START_TIMEOUTS, Detector
from cluster.core.policy import DetectPolicy
from cluster.core.types import MS, SECOND

POLICY = DetectPolicy()


def beating(policy: DetectPolicy = POLICY, subjects: tuple[str, ...] = ("n2",), beats: int = 40) -> tuple[Detector, int]:
    """A detector that has heard every subject every 100 ms; returns it and the time of the last beat."""
    detector = Detector(policy, subjects)
    now = 0
    for _ in range(beats):
        now += 100 * MS
        for subject in subjects:
            detector.heard(subject, now)
        assert detector.check(now) == []
    return detector, now


def run_until(detector: Detector, now: int, until: int) -> list[tuple[int, DetectEvent]]:
    """Wake only at deadlines, as a node does; (time, event)."""
    told: list[tuple[int, DetectEvent]] = []
    while (due := max(now, detector.deadline())) <= until:
        told += [(due, event) for event in detector.check(due)]
        now = due + 1 if due == now else due
    return told


def test_silence_convicts_at_the_deadline_and_not_before() -> None:
    detector, now = beating()
    due = detector.deadline()
    while detector.check(due) == []:  # a deadline may be early, never late
        due = detector.deadline()
    assert now + 200 * MS < due < now + 600 * MS
    detector, now = beating()
    assert detector.check(due - 1) == []
    assert detector.alive("n2")
    (verdict,) = [event for event in detector.check(due) if isinstance(event, VerdictChanged)]
    assert (verdict.subject, verdict.convicted, verdict.detector, verdict.silence_us) == ("n2", True, "akka", due - now)
    assert verdict.phi >= POLICY.threshold
    assert not detector.alive("n2")
    assert detector.check(due + 1) == [], "said once"


def test_all_forms_run_in_shadow_and_convict_in_their_order() -> None:
    detector, now = beating()
    told = run_until(detector, now, now + 10 * SECOND)
    times = {event.detector: at - now for at, event in told}
    assert set(times) == set(DETECTORS)
    assert times["akka"] < times["timeout"] < times["cassandra"]
    assert times["timeout"] == POLICY.timeout_us
    assert [type(event) for _, event in told].count(VerdictChanged) == 1
    assert detector.deadline() == NEVER_US, "everybody is convicted by everything: nothing is due"


@pytest.mark.parametrize("decider", DETECTORS)
def test_the_policy_chooses_who_decides(decider: str) -> None:
    detector, now = beating(DetectPolicy(decider=decider))
    verdicts = [event for _, event in run_until(detector, now, now + 10 * SECOND) if isinstance(event, VerdictChanged)]
    assert [verdict.detector for verdict in verdicts] == [decider]


def test_only_evidence_clears() -> None:
    detector, now = beating(subjects=("n2", "n3"))
    for _ in range(30):  # n3 goes on; n2 is silent
        now += 100 * MS
        detector.heard("n3", now)
        detector.check(now)
    detector.froze(2 * SECOND, now)
    assert not detector.alive("n2"), "neither time nor a freeze clears"
    now += 50 * MS
    detector.heard("n2", now)
    assert detector.alive("n2")
    assert detector.deadline() == 0, "there is something to say"
    (cleared,) = detector.check(now)
    assert isinstance(cleared, VerdictChanged)
    assert (cleared.subject, cleared.convicted) == ("n2", False)
    assert cleared.silence_us > SECOND
    assert detector.check(now) == []


def test_a_convicted_subject_that_speaks_once_is_convicted_again() -> None:
    detector, now = beating()
    run_until(detector, now, now + 2 * SECOND)
    now += 2 * SECOND
    detector.heard("n2", now)
    told = run_until(detector, now, now + 10 * SECOND)
    assert [event.convicted for _, event in told if isinstance(event, VerdictChanged)] == [False, True]


def test_ones_own_freeze_convicts_nobody() -> None:
    policy = DetectPolicy(local_pause_us=900 * MS)
    detector, now = beating(policy, subjects=("n2", "n3"))
    now += 3 * SECOND
    woke = now
    detector.froze(3 * SECOND, now)
    assert detector.check(now) == []
    # n2 speaks on, n3 really is gone: it is convicted, but only after the local pause.
    told: list[tuple[int, DetectEvent]] = []
    for _ in range(30):
        now += 50 * MS
        detector.heard("n2", now)
        (_, n3) = detector.beliefs(now)
        assert n3.countdown_us >= woke + policy.local_pause_us - now
        told += [(now, event) for event in detector.check(now) if isinstance(event, VerdictChanged)]
    assert [(at, event.subject) for at, event in told] == [(woke + policy.local_pause_us, "n3")]


def test_without_the_notice_a_freeze_would_convict_everyone() -> None:
    detector, now = beating(subjects=("n2", "n3"))
    convicted = [event for event in detector.check(now + 3 * SECOND) if isinstance(event, VerdictChanged)]
    assert len(convicted) == 2


def test_a_node_never_heard_gets_time_to_start_and_no_more() -> None:
    detector = Detector(POLICY, ["n2"])
    assert detector.deadline() == 0, "asks for a first look at the time"
    began = 5 * SECOND
    assert detector.check(began) == []
    (opinion,) = detector.beliefs(began + SECOND)
    assert (opinion.phi_tenths, opinion.alive) == (-1, True)
    start = began + START_TIMEOUTS * POLICY.timeout_us
    told = [at for at, event in run_until(detector, began, began + 60 * SECOND) if isinstance(event, VerdictChanged)]
    assert len(told) == 1
    assert start < told[0] < start + SECOND
    (opinion,) = detector.beliefs(told[0])
    assert (opinion.alive, opinion.countdown_us) == (False, 0)
    assert opinion.phi_tenths >= 80


def test_the_first_words_of_a_late_starter_are_no_interval() -> None:
    detector = Detector(POLICY, ["n2"])
    detector.check(0)
    detector.heard("n2", 500 * MS)
    (opinion,) = detector.beliefs(500 * MS)
    first, pause = POLICY.first_estimate_us, POLICY.acceptable_pause_us
    std_us = max(first // 4, POLICY.std_floor_us)
    assert opinion.countdown_us == patience_us("akka", POLICY.threshold, first, std_us, pause, POLICY.timeout_us)
    assert opinion.phi_tenths == 0


def test_the_countdown_ends_exactly_at_the_conviction() -> None:
    detector, now = beating()
    (opinion,) = detector.beliefs(now + 10 * MS)
    due = now + 10 * MS + opinion.countdown_us
    assert [e for e in detector.check(due - 1) if isinstance(e, VerdictChanged)] == []
    assert [e for e in detector.check(due) if isinstance(e, VerdictChanged)] != []
    (opinion,) = detector.beliefs(due)
    assert (opinion.countdown_us, opinion.alive) == (0, False)


def test_an_irregular_heart_is_given_more_time() -> None:
    steady, now = beating()
    patience = {"steady": steady.beliefs(now)[0].countdown_us}
    detector = Detector(POLICY, ["n2"])
    now = 0
    for beat in range(40):
        now += (20 if beat % 2 else 400) * MS
        detector.heard("n2", now)
    patience["irregular"] = detector.beliefs(now)[0].countdown_us
    assert patience["irregular"] > 1.5 * patience["steady"]


def test_whoever_is_not_watched_changes_nothing() -> None:
    detector, now = beating()
    detector.heard("n99", now)
    assert [opinion.subject for opinion in detector.beliefs(now)] == ["n2"]
    assert detector.alive("n99")


def test_nobody_to_watch_is_never_due() -> None:
    detector = Detector(POLICY, [])
    assert detector.check(7) == []
    assert detector.deadline() == NEVER_US


@settings(max_examples=80, deadline=None)
@given(
    steps=st.lists(st.tuples(st.sampled_from(["heard n2", "heard n3", "froze", "wait"]), st.integers(0, 900 * MS)), max_size=40),
    decider=st.sampled_from(DETECTORS),
)
def test_waking_at_deadlines_misses_nothing_and_beliefs_agree_with_verdicts(steps: list[tuple[str, int]], decider: str) -> None:
    """One detector is checked every 10 ms, its twin only when its deadline says so: they tell the same story."""
    policy = DetectPolicy(decider=decider)
    often, seldom = Detector(policy, ["n2", "n3"]), Detector(policy, ["n2", "n3"])
    now = 0
    stories: tuple[list[DetectEvent], list[DetectEvent]] = ([], [])
    often.check(0)
    seldom.check(0)
    for what, wait in steps:
        if what == "froze":
            often.froze(wait, now)
            seldom.froze(wait, now)
        elif what != "wait":
            often.heard(what.split()[1], now)
            seldom.heard(what.split()[1], now)
        end = now + wait
        while now < end:
            stories[0].extend(often.check(now))
            if seldom.deadline() <= now:
                stories[1].extend(seldom.check(now))
            for opinion in often.beliefs(now):
                assert opinion.alive == often.alive(opinion.subject)
                assert (opinion.countdown_us == 0) == (not opinion.alive)
                assert opinion.alive or opinion.phi_tenths >= 0
            now = min(end, now + 10 * MS)
    assert stories[0] == stories[1]


def test_a_subject_that_is_watched_later_gets_as_long_to_speak_as_all_had_at_the_start() -> None:
    detector, now = beating()
    detector.watch(("n3", "n2"), now)
    patience = START_TIMEOUTS * POLICY.timeout_us
    convicted = {}
    while now < 10 * patience and "n3" not in convicted:
        now += 50_000
        detector.heard("n2", now)
        convicted |= {event.subject: now for event in detector.check(now) if isinstance(event, VerdictChanged)}
    assert convicted.keys() == {"n3"}
    assert convicted["n3"] >= patience
