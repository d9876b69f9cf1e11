"""The live checker against histories written by hand, against the definition itself, and against its own bounds."""

from __future__ import annotations

import random

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from cluster.check import register
from cluster.check.linearizability import LiveChecker, check
from cluster.core.errors import ProtocolError
from cluster.telemetry.control import HistoryLine
from tests.cluster.check.histories import (
    TrueRegisters,
    first_inexplicable,
    history,
    linearizable,
    scattered,
    small_histories,
)

GOOD = {
    "absent at first": """
        1 invoke r
        1 ok     r -""",
    "read your write": """
        1 invoke w a
        1 ok     w a
        2 invoke r
        2 ok     r a""",
    "a write may take effect before it returns": """
        1 invoke w a
        2 invoke r
        2 ok     r a
        1 ok     w a""",
    "a read that overlaps may see either": """
        1 invoke w a
        1 ok     w a
        2 invoke w b
        3 invoke r
        3 ok     r a
        2 ok     w b""",
    "a hidden write is seen by an old reader": """
        3 invoke r
        1 invoke w a
        2 invoke w b
        1 ok     w a
        2 ok     w b
        3 ok     r a""",
    "an unknown write shows up late": """
        1 invoke w a
        1 info   w a
        2 invoke r
        2 ok     r -
        2 invoke r
        2 ok     r a""",
    "a chain of swaps": """
        1 invoke w a
        2 invoke c a b
        3 invoke c b c
        3 ok     c b c
        1 ok     w a
        2 ok     c a b""",
    "a refused swap constrains nothing": """
        1 invoke c a b
        1 fail   c a b
        2 invoke r
        2 ok     r -""",
    "a write hidden before an unknown one that feeds a swap": """
        1 invoke w a
        1 ok     w a
        9 invoke w a
        9 info   w a
        2 invoke w b
        3 invoke c a c
        3 ok     c a c
        2 ok     w b
        4 invoke r
        4 ok     r c""",
    "an unknown swap explains its result": """
        1 invoke w a
        1 ok     w a
        2 invoke c a b
        2 info   c a b
        3 invoke r
        3 ok     r b""",
}
# Each with the time (ms) of the record that cannot be explained.
BAD = {
    "a value from nowhere": (
        """
        1 invoke r
        1 ok     r a""",
        2,
    ),
    "a stale read": (
        """
        1 invoke w a
        1 ok     w a
        1 invoke w b
        1 ok     w b
        2 invoke r
        2 ok     r a""",
        6,
    ),
    "a read goes back": (
        """
        1 invoke w a
        1 ok     w a
        2 invoke w b
        3 invoke r
        3 ok     r b
        3 invoke r
        3 ok     r a
        2 ok     w b""",
        7,
    ),
    "a lost write": (
        """
        1 invoke w a
        1 ok     w a
        2 invoke r
        2 ok     r -""",
        4,
    ),
    "a failed write is seen": (
        """
        1 invoke w a
        1 fail   w a
        2 invoke r
        2 ok     r a""",
        4,
    ),
    "a write that was seen fails": (
        """
        1 invoke w a
        2 invoke r
        2 ok     r a
        1 fail   w a""",
        4,
    ),
    "two swaps of one value": (
        """
        1 invoke w a
        1 ok     w a
        1 invoke c a b
        2 invoke c a c
        1 ok     c a b
        2 ok     c a c""",
        6,
    ),
    "an unknown write shows up twice": (
        """
        1 invoke w a
        1 info   w a
        2 invoke r
        2 ok     r a
        2 invoke w b
        2 ok     w b
        2 invoke r
        2 ok     r a""",
        8,
    ),
    "two readers disagree on the order": (
        """
        1 invoke w a
        2 invoke w b
        3 invoke r
        3 ok     r a
        3 invoke r
        3 ok     r b
        4 invoke r
        4 ok     r a
        1 ok     w a
        2 ok     w b""",
        8,
    ),
}


@pytest.mark.parametrize("name", GOOD)
def test_explicable(name: str) -> None:
    lines = history(GOOD[name])
    assert linearizable(lines), "the example itself is right"
    assert check(lines).state == "ok"


@pytest.mark.parametrize("name", BAD)
def test_inexplicable_exactly_at(name: str) -> None:
    text, at_ms = BAD[name]
    lines = history(text)
    assert first_inexplicable(lines) == at_ms * 1_000, "the example itself is right"
    checker = check(lines)
    assert checker.state == "violated"
    assert [violation.at_us for violation in checker.violations] == [at_ms * 1_000]


@settings(max_examples=1_500, deadline=None)
@given(lines=small_histories())
def test_agrees_with_the_definition_and_names_the_same_record(lines: list[HistoryLine]) -> None:
    expected = first_inexplicable(lines)
    event("inexplicable" if expected else "explicable")
    checker = check(lines)
    assert [violation.at_us for violation in checker.violations] == ([expected] if expected else [])
    assert checker.state == ("violated" if expected else "ok")


@pytest.fixture(params=[None, 1, 3], ids=["every explanation", "one explanation", "few explanations"])
def room(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int | None:
    """How many configurations may be kept before the search for a single explanation takes over."""
    if request.param is not None:
        monkeypatch.setattr(register, "CROWD", -1)
        monkeypatch.setattr(register, "CROWD_CONFIGS_MAX", request.param)
        monkeypatch.setattr(register, "CROWD_STEPS_MAX", 4 * request.param)
    value: int | None = request.param
    return value


def test_wider_histories_agree_with_the_definition_whoever_judges_them(room: int | None) -> None:
    """The same histories every time: what tells a subtle mistake apart is rare among them."""
    verdicts = {"ok": 0, "violated": 0}
    for seed in range(4_000):
        dice = random.Random(seed)
        lines = scattered(dice, dice.randrange(4, 13), dice.randrange(3, 7), list("abc")[: dice.randrange(1, 4)])
        checker = check(lines)
        verdicts[checker.state] += 1
        expected = first_inexplicable(lines)
        assert [violation.at_us for violation in checker.violations] == ([expected] if expected else []), seed
    assert min(verdicts.values()) > 400, "both verdicts occur"


def test_what_is_unknown_outlives_a_burst(room: int | None) -> None:
    """A quiet read after the crowd does not settle the value while a write of unknown outcome is adrift."""
    lines = history("""
        1 invoke w a
        9 invoke w late
        2 invoke w b
        3 invoke c b d
        4 invoke c a b
        9 info   w late
        1 ok     w a
        4 ok     c a b
        3 ok     c b d
        2 ok     w b
        5 invoke r
        5 ok     r b
        5 invoke r
        5 ok     r late
    """)
    assert linearizable(lines)
    assert check(lines).state == "ok"
    lines[-1] = HistoryLine(5, "ok", "read", "x", ("a",), lines[-1].at_us, "n1")
    assert check(lines).state == "violated"


@settings(max_examples=600, deadline=None)
@given(lines=small_histories(), allowed=st.sampled_from([1, 3, 10]))
def test_at_its_bounds_it_is_right_or_unknown(lines: list[HistoryLine], allowed: int) -> None:
    """With hardly any room for configurations, the search for one explanation takes over: the verdict stays the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(register, "CROWD", -1)
        patch.setattr(register, "CROWD_CONFIGS_MAX", allowed)
        patch.setattr(register, "CROWD_STEPS_MAX", allowed)
        checker = check(lines)
    expected = first_inexplicable(lines)
    event(checker.state)
    assert [violation.at_us for violation in checker.violations] == ([expected] if expected else [])


@pytest.mark.parametrize(("clients", "keys", "unknown"), [(4, 6, 0.0), (4, 1, 0.05), (8, 1, 0.05), (16, 1, 0.0), (16, 3, 0.02)])
def test_long_true_histories_stay_green_and_a_lie_in_the_middle_is_found(clients: int, keys: int, unknown: float) -> None:
    lines = TrueRegisters(7, clients, keys, unknown).run(1_500)
    checker = check(lines)
    assert checker.state == "ok", checker.evidence
    # Every write, refused ones included, is judged; reads that returned nothing constrain nothing.
    assert checker.checked == sum(line.kind == "ok" or (line.kind != "invoke" and line.f != "read") for line in lines)
    middle = next(n for n, line in enumerate(lines) if n > len(lines) // 2 and line.kind == "ok" and line.f == "read")
    read = lines[middle]
    lie = next(line.value for line in lines if line.kind == "ok" and line.f == "write" and line.key == read.key)
    lines[middle] = HistoryLine(read.process, "ok", "read", read.key, lie, read.at_us, read.node)
    assert check(lines).state == "violated"


def test_a_violation_is_told_at_once_when_nothing_is_open() -> None:
    checker = LiveChecker()
    told = [checker.feed(line) for line in history(BAD["a stale read"][0])]
    assert [violation is not None for violation in told] == [False] * 5 + [True]


def test_the_witness_is_the_shortest_prefix_with_times_processes_and_replicas() -> None:
    lines = history("""
        1 invoke w old
        1 ok     w old
        1 invoke w a
        2 invoke w b
        1 ok     w a
        2 ok     w b
        4 invoke w later
        3 invoke r
        3 ok     r old
        4 ok     w later
    """)
    (violation,) = check(lines).violations
    assert violation.evidence == "x: read 'old' by process 3 at n1 cannot be explained"
    assert violation.witness == (
        "(1 earlier operations on x)",
        "0.003000–0.005000  write 'a' by process 1  n2  ok",
        "0.004000–0.006000  write 'b' by process 2  n3  ok",
        "0.007000–…  write 'later' by process 4  n2  open",
        "0.008000–0.009000  read 'old' by process 3  n1  ok  ← cannot be explained",
    )


def test_the_verdict_waits_for_open_reads_and_then_names_the_earlier_record() -> None:
    checker = LiveChecker()
    *lines, last = history("""
        1 invoke w a
        1 ok     w a
        9 invoke r
        2 invoke r
        2 ok     r nonsense
        9 ok     r a
    """)
    assert [checker.feed(line) for line in lines] == [None] * 5
    assert (checker.state, checker.waiting) == ("ok", 3)
    violation = checker.feed(last)
    assert violation is not None
    assert violation.at_us == 5_000


def test_a_completion_without_an_invocation_is_ignored() -> None:
    assert check(history("1 ok r a\n1 invoke r\n1 ok r -\n1 ok r a")).state == "ok"


def test_a_process_that_does_two_things_at_once_makes_its_key_unknown() -> None:
    assert check(history("1 invoke w a\n1 invoke w b")).state == "unknown"


@pytest.mark.parametrize(("f", "value"), [("write", ()), ("cas", ("a",)), ("append", ("a",)), ("read", ("a", "b"))])
def test_what_is_no_register_operation_is_refused(f: str, value: tuple[str, ...]) -> None:
    with pytest.raises(ProtocolError):
        LiveChecker().feed(HistoryLine(1, "invoke", f, "x", value, 1, "n1"))
