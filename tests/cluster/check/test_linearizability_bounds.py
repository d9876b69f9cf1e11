"""The live checker at its bounds: lost reads, hard keys, too many keys, retired keys, memory, and what it costs."""

from __future__ import annotations

import random

import pytest

from cluster.check import register
from cluster.check.bounds import Bounds
from cluster.check.linearizability import LiveChecker, check
from cluster.core.types import SECOND
from cluster.telemetry.control import HistoryLine
from tests.cluster.check.histories import TrueRegisters, all_at_once, history

CROWD = "1 invoke w a\n2 invoke w b\n3 invoke c a d\n1 info w a\n2 ok w b\n5 invoke w e\n5 ok w e\n6 invoke w f\n6 ok w f\n3 fail c a d"
STALE_READ = "1 invoke w a\n1 ok w a\n1 invoke w b\n1 ok w b\n2 invoke r\n2 ok r a"


def test_a_read_lost_with_its_client_does_not_hold_the_rest_for_ever() -> None:
    stale = history("1 invoke w a\n1 ok w a\n9 invoke r\n2 invoke r\n2 ok r nonsense")
    checker = LiveChecker(Bounds(lost_read_us=SECOND))
    assert [checker.feed(line) for line in stale] == [None] * 5
    late = HistoryLine(3, "invoke", "write", "x", ("z",), 3 * SECOND, "n1")
    assert checker.feed(late) is not None
    waiting = LiveChecker()
    for line in stale:
        waiting.feed(line)
    assert [violation.at_us for violation in waiting.finish()] == [5_000]


def test_a_lost_read_that_returns_after_all_makes_its_key_unknown() -> None:
    checker = LiveChecker(Bounds(lost_read_us=SECOND))
    for line in history("9 invoke r\n1 invoke w a\n1 ok w a"):
        checker.feed(line)
    checker.feed(HistoryLine(2, "invoke", "write", "x", ("b",), 3 * SECOND, "n1"))
    checker.feed(HistoryLine(9, "ok", "read", "x", ("a",), 4 * SECOND, "n1"))
    assert checker.state == "unknown"
    assert "returned after it was given up" in checker.evidence


def test_a_hard_key_is_unknown_and_hides_no_violation_on_another() -> None:
    crowd = all_at_once(random.Random(3), 40, (0.2, 0.2, 0.6), list("ab"))
    checker = LiveChecker(Bounds(waiting=30))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(register, "CROWD", -1)
        patch.setattr(register, "CROWD_CONFIGS_MAX", 1)
        patch.setattr(register, "CROWD_STEPS_MAX", 1)
        for line in crowd:
            checker.feed(line)
        assert checker.state == "unknown"
        assert checker.violations == []
        assert list(checker.unknown) == ["x"]
        for line in history(STALE_READ, key="y"):
            checker.feed(line)
    assert checker.state == "violated"
    assert checker.violations[0].key == "y"


def test_more_keys_than_there_is_room_for_are_unknown_not_green() -> None:
    checker = LiveChecker(Bounds(keys=2))
    for key in ("a", "b", "c"):
        for line in history("1 invoke w v\n1 ok w v", key):
            checker.feed(line)
    assert (checker.keys, checker.state) == (2, "unknown")


def test_a_retired_key_comes_back_with_its_value() -> None:
    checker = LiveChecker()
    for line in history("1 invoke w a\n1 ok w a"):
        checker.feed(line)
    checker.retire("x")
    assert (checker.keys, checker.checked) == (0, 1)
    for line in history("1 invoke r\n1 ok r a"):
        assert checker.feed(line) is None
    checker.retire("x")
    assert [checker.feed(line) is None for line in history("1 invoke r\n1 ok r -")] == [True, False]


@pytest.mark.parametrize("open_end", ["1 invoke w b", "1 invoke w b\n1 info w b", "1 invoke r"])
def test_a_key_that_is_not_settled_does_not_retire(open_end: str) -> None:
    checker = LiveChecker()
    for line in history(f"1 invoke w a\n1 ok w a\n{open_end}"):
        checker.feed(line)
    checker.retire("x")
    assert checker.keys == 1


def test_past_the_memory_of_retired_keys_an_unknown_name_is_not_judged() -> None:
    checker = LiveChecker(Bounds(resting=1))
    for key in ("a", "b"):
        for line in history("1 invoke w v\n1 ok w v", key):
            checker.feed(line)
        checker.retire(key)
    for line in history("1 invoke r\n1 ok r v", "a"):
        assert checker.feed(line) is None, "its value was forgotten: a false alarm would be worse"
    assert checker.state == "unknown"


def test_a_forgotten_key_is_free_even_if_a_write_is_adrift() -> None:
    checker = LiveChecker()
    for line in history("1 invoke w a\n1 ok w a\n2 invoke w b\n2 info w b"):
        checker.feed(line)
    assert checker.idle("x")
    assert checker.forget("x") is None
    assert (checker.keys, checker.checked, checker.state) == (0, 2, "ok")


def test_a_key_with_an_operation_open_is_not_idle() -> None:
    checker = LiveChecker()
    for line in history("1 invoke w a\n1 ok w a\n2 invoke w b"):
        checker.feed(line)
    assert not checker.idle("x")


def test_what_still_waits_on_a_key_is_judged_when_it_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """A crowd, a write adrift in it, and then a read of what nobody wrote: not looked at until there is more, or the end."""
    monkeypatch.setattr(register, "CROWD", -1)
    monkeypatch.setattr(register, "CROWD_CONFIGS_MAX", 1)
    monkeypatch.setattr(register, "CROWD_STEPS_MAX", 1)
    verdicts = []
    for answer in ("f", "nonsense"):
        checker = LiveChecker()
        lines = history(f"{CROWD}\n4 invoke r\n4 ok r {answer}")
        assert [checker.feed(line) for line in lines] == [None] * len(lines)
        verdicts.append(checker.forget("x"))
        assert checker.keys == 0
    assert verdicts[0] is None
    assert verdicts[1] is not None
    assert "nonsense" in verdicts[1].evidence


def test_memory_stays_bounded_over_a_long_history() -> None:
    checker = LiveChecker()
    for line in TrueRegisters(3, 4, 2).run(4_000):
        checker.feed(line)
    histories = checker._keys.values()
    assert all(len(key.waiting) < 50 and len(key.journal) <= 64 and len(key.space.configs) < 50 for key in histories)


@pytest.mark.parametrize("shares", [(1, 1, 0), (1, 1, 1), (2, 1, 4)])
@pytest.mark.parametrize("values", [[], list("01234")], ids=["unique", "few"])
def test_a_hundred_and_fifty_at_once_take_few_steps(shares: tuple[float, float, float], values: list[str]) -> None:
    """Found: at most 8,726 steps, of about a microsecond each; the orders of 150 operations are 10^262."""
    for seed in range(5):
        lines = all_at_once(random.Random(seed), 150, shares, values)
        checker = check(lines)
        assert (checker.state, checker.steps < 10_000) == ("ok", True), f"seed {seed}: {checker.steps} steps"
        read = next(n for n, line in enumerate(lines) if line.kind == "ok" and line.f == "read")
        lines[read] = HistoryLine(lines[read].process, "ok", "read", "x", ("never written",), 1_000, "n1")
        checker = check(lines)
        assert (checker.state, checker.steps < 10_000) == ("violated", True), f"seed {seed}: {checker.steps} steps"


def test_four_clients_cost_one_step_per_operation() -> None:
    checker = check(TrueRegisters(11, 4, 6, unknown=0.01).run(3_000))
    assert 0 < checker.steps < 3_000
