"""Finished histories: against judges that try every order, against hard histories, and at the bounds."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from cluster.check import judge as judging
from cluster.check import orders
from cluster.check.formats import read
from cluster.check.formats.entry import Entry, Malformed
from cluster.check.judge import Judgement, judge
from cluster.check.operations import gathered
from cluster.telemetry.control import HistoryLine
from tests.cluster.check import histories, objects
from tests.cluster.check.histories import TrueRegisters, all_at_once, scattered, small_histories
from tests.cluster.check.objects import Record, Store
from tests.marks import interpreted


def entries(lines: list[HistoryLine]) -> list[Entry]:
    def value(line: HistoryLine) -> Any:
        return line.value if line.f == "cas" else line.value[0] if line.value else None

    return [
        Entry(line=n, kind=line.kind, process=str(line.process), f=line.f, value=value(line), key=line.key, node=line.node)
        for n, line in enumerate(lines, 1)
    ]


def judged(lines: list[HistoryLine], steps: int = judging.STEPS_MAX) -> Judgement:
    return judge(gathered(entries(lines)), steps)


def judged_records(records: list[Record], steps: int = judging.STEPS_MAX) -> Judgement:
    return judge(gathered(read(objects.text(records))), steps)


def places(judgement: Judgement) -> list[int]:
    return [finding.place for finding in judgement.findings]


@pytest.fixture(params=["quick", "patient"])
def who(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The judge of registers, or the search of orders, which must agree with it."""
    if request.param == "patient":
        monkeypatch.setattr(judging.Quick, "hear", lambda self, steps: setattr(self, "state", "unknown"))
    return str(request.param)


# ---- agreement with the definition ----------------------------------------------------------------------------------


@settings(max_examples=600, deadline=None)
@given(lines=small_histories())
def test_registers_agree_with_the_definition(lines: list[HistoryLine]) -> None:
    judgement = judged(lines)
    expected = histories.first_inexplicable(lines)
    event(judgement.verdict)
    assert places(judgement) == ([expected // 1_000] if expected else [])
    answered = any(line.kind == "ok" for line in lines)
    assert judgement.verdict == ("not-linearizable" if expected else "linearizable" if answered else "unknown")


def test_wider_registers_agree_with_the_definition(who: str) -> None:
    found = 0
    for seed in range(1_500):
        dice = random.Random(seed)
        lines = scattered(dice, dice.randrange(4, 13), dice.randrange(3, 7), list("abc")[: dice.randrange(1, 4)])
        expected = histories.first_inexplicable(lines)
        found += expected is not None
        assert places(judged(lines)) == ([expected // 1_000] if expected else []), seed
    assert 150 < found < 1_350, "both verdicts occur"


def scattered_objects(dice: random.Random) -> tuple[list[Record], Any]:
    empty: Any = dice.choice(["", []])
    return Store(dice, empty, dice.choice([0, 0.3, 0.6])).run(dice.randrange(3, 10), dice.randrange(2, 5)), empty


@settings(max_examples=400, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_growing_objects_agree_with_the_definition(seed: int) -> None:
    records, empty = scattered_objects(random.Random(seed))
    judgement = judged_records(records)
    expected = objects.first_inexplicable(records, empty)
    event(judgement.verdict)
    assert places(judgement) == ([expected] if expected else [])


def test_many_growing_objects_agree_with_the_definition() -> None:
    """The same histories every time: a lie that only one pruning overlooks is rare among them."""
    found = 0
    for seed in range(2_000):
        records, empty = scattered_objects(random.Random(seed))
        expected = objects.first_inexplicable(records, empty)
        found += expected is not None
        assert places(judged_records(records)) == ([expected] if expected else []), seed
    assert found > 100


@pytest.mark.parametrize("weakened", ["_unseen", "_hopeful"])
def test_without_its_short_cuts_the_search_says_the_same(weakened: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders.Orders, weakened, lambda self, *_: weakened == "_hopeful")
    for seed in range(300):
        records, empty = scattered_objects(random.Random(seed))
        expected = objects.first_inexplicable(records, empty)
        assert places(judged_records(records)) == ([expected] if expected else []), seed


@interpreted
@pytest.mark.parametrize(
    ("broken", "planted"),
    [("_unseen", lambda self, state, first: state is not None), ("_hopeful", lambda self, node: node[0] is None)],
)
def test_a_short_cut_that_goes_too_far_is_found(broken: str, planted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders.Orders, broken, planted)
    wrong = 0
    for seed in range(300):
        records, empty = scattered_objects(random.Random(seed))
        expected = objects.first_inexplicable(records, empty)
        wrong += places(judged_records(records)) != ([expected] if expected else [])
    assert wrong > 0


# ---- kv by hand -----------------------------------------------------------------------------------------------------


def kv(text: str) -> Judgement:
    """Records of `process kind f value`, one a line, on one key."""
    records = []
    for line in text.strip().splitlines():
        process, kind, f, *value = line.split(None, 3)
        records.append(f'{{"type": "{kind}", "process": {process}, "f": "{f}", "key": "k", "value": {value[0] if value else "null"}}}')
    return judge(gathered(read("\n".join(records))))


GOOD_KV = {
    "absent is empty text": '1 invoke append "a"\n2 invoke get\n2 ok get ""\n1 ok append "a"\n2 invoke get\n2 ok get "a"',
    "absent is an empty list": "1 invoke append 1\n2 invoke get\n2 ok get []\n1 ok append 1\n2 invoke get\n2 ok get [1]",
    "two orders": '1 invoke append "a"\n2 invoke append "b"\n2 ok append "b"\n1 ok append "a"\n1 invoke get\n1 ok get "ba"',
    "a put hides an append": '1 invoke append "a"\n2 invoke put "b"\n2 ok put "b"\n1 ok append "a"\n1 invoke get\n1 ok get "b"',
    "an unknown append shows up late": '1 invoke append "a"\n1 info append\n2 invoke get\n2 ok get\n2 invoke get\n2 ok get "a"',
    "a store that answers empty text for absent": '1 invoke get\n1 ok get ""\n1 invoke put "a"\n1 ok put "a"',
    "deleted": '1 invoke put "a"\n1 ok put "a"\n1 invoke delete\n1 ok delete\n1 invoke get\n1 ok get null',
    "swapped on a list": "1 invoke append 1\n1 ok append 1\n1 invoke cas [[1], [7]]\n1 ok cas [[1], [7]]\n1 invoke get\n1 ok get [7]",
    "quotes within": '1 invoke append "\\""\n1 ok append "\\""\n1 invoke append "é"\n1 ok append "é"\n1 invoke get\n1 ok get "\\"é"',
}
BAD_KV = {
    "an append is lost": '1 invoke append "a"\n1 ok append "a"\n1 invoke append "b"\n1 ok append "b"\n1 invoke get\n1 ok get "b"',
    "an append happens twice": '1 invoke append "a"\n1 ok append "a"\n1 invoke get\n1 ok get "aa"',
    "a failed append is seen": "1 invoke append 1\n1 fail append 1\n1 invoke get\n1 ok get [1]",
    "elements run together": "1 invoke append 1\n1 ok append 1\n1 invoke append 2\n1 ok append 2\n1 invoke get\n1 ok get [12]",
    "numbers are not text": '1 invoke put "1"\n1 ok put "1"\n1 invoke get\n1 ok get 1',
    "empty text was written and is gone": '1 invoke put ""\n1 ok put ""\n1 invoke get\n1 ok get null',
    "undeleted": '1 invoke put "a"\n1 ok put "a"\n1 invoke delete\n1 ok delete\n1 invoke get\n1 ok get "a"',
}


@pytest.mark.parametrize("name", GOOD_KV)
def test_explicable_objects(name: str) -> None:
    assert kv(GOOD_KV[name]).verdict == "linearizable"


@pytest.mark.parametrize("name", BAD_KV)
def test_inexplicable_objects(name: str) -> None:
    judgement = kv(BAD_KV[name])
    assert judgement.verdict == "not-linearizable"
    assert places(judgement) == [len(BAD_KV[name].splitlines())]


@pytest.mark.parametrize(
    "text",
    ["1 invoke append 1\n1 ok append 1\n2 invoke put 5", '1 invoke append "a"\n2 invoke append 1\n3 invoke get\n3 ok get "a"'],
)
def test_values_that_no_key_can_hold_are_malformed(text: str) -> None:
    with pytest.raises(Malformed, match="on a key that appends make a list"):
        kv(text)


# ---- hard histories, in steps ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("shares", [(1, 1, 0), (1, 1, 1), (2, 1, 4)])
@pytest.mark.parametrize("values", [[], list("01234")], ids=["unique", "few"])
def test_a_hundred_and_fifty_at_once(shares: tuple[float, float, float], values: list[str]) -> None:
    for seed in range(3):
        lines = all_at_once(random.Random(seed), 150, shares, values)
        judgement = judged(lines)
        assert (judgement.verdict, judgement.steps < 10_000) == ("linearizable", True), seed


PUT_APPEND_GET = "get get put append append append"


@pytest.mark.parametrize("clients", [5, 10, 30])
def test_long_histories_of_a_growing_key_take_few_steps(clients: int) -> None:
    """A depth-first search without looking ahead is lost after some hundred operations."""
    records = Store(random.Random(1), "", 0, PUT_APPEND_GET, repeats=0).run(1_000, clients, unknown=0.0)
    judgement = judged_records(records)
    assert (judgement.verdict, judgement.steps < 10_000) == ("linearizable", True), judgement.steps
    middle = next(n for n, r in enumerate(records) if n > len(records) // 2 and r["type"] == "ok" and r["f"] == "get")
    records[middle] = {**records[middle], "value": "<never>"}
    judgement = judged_records(records)
    assert (judgement.verdict, places(judgement), judgement.steps < 10_000) == ("not-linearizable", [middle + 1], True)


def test_ten_thousand_operations_on_two_hundred_registers() -> None:
    lines = TrueRegisters(5, 20, 200, unknown=0.01).run(10_000)
    assert judged(lines).verdict == "linearizable"
    reads = [n for n, line in enumerate(lines) if line.kind == "ok" and line.f == "read" and n > 15_000]
    key = lines[reads[0]].key
    old = next(line.value for line in lines if line.kind == "ok" and line.f == "write" and line.key == key)
    lines[reads[0]] = HistoryLine(lines[reads[0]].process, "ok", "read", key, old, 0, "n1")
    judgement = judged(lines)
    assert places(judgement) == [reads[0] + 1]
    assert judgement.findings[0].key == f'"{key}"'


# ---- bounds ---------------------------------------------------------------------------------------------------------


def hard(key: str) -> list[Record]:
    """Appends of two and of four letters, all at once, and a read of an odd number: every subset has to be tried."""
    fs = [{"process": f"{key}{n}", "f": "append", "key": key, "value": "aaaa"[: 2 + 2 * (n % 2)]} for n in range(24)]
    reader = {"process": f"{key}r", "f": "get", "key": key}
    seen = 71 * "a"
    return [{**f, "type": kind} for kind in ("invoke", "ok") for f in fs] + [
        {**reader, "type": "invoke", "value": None},
        {**reader, "type": "ok", "value": seen},
    ]


def stale(key: str) -> list[Record]:
    def did(f: str, value: Any) -> list[Record]:
        return [{"process": key, "type": kind, "f": f, "key": key, "value": value} for kind in ("invoke", "ok")]

    return [*did("put", "old"), *did("append", "!"), *did("get", "old")]


def test_a_bound_makes_unknown_and_says_so() -> None:
    judgement = judged_records(hard("h"), steps=300)
    assert (judgement.verdict, judgement.findings) == ("unknown", ())
    assert judgement.undecided == {'"h"': "not decided within 300 steps"}
    assert judgement.steps < 300 + 2 * judging.TURN_STEPS


def test_a_hard_key_hides_no_violation_on_another() -> None:
    hard_first = [*hard("h"), *[record for n in range(20) for record in stale(f"k{n}")]]
    judgement = judged_records(hard_first, steps=50_000)
    assert judgement.verdict == "not-linearizable"
    assert '"k7"' in [finding.key for finding in judgement.findings]
    assert judgement.steps < 20 * judging.TURN_STEPS, "the hard key had its turns, and no more"


def test_a_register_that_is_too_hard_for_the_quick_judge_is_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    from cluster.check import burst, register

    for name, value in (("CROWD", -1), ("CROWD_CONFIGS_MAX", 1), ("CROWD_STEPS_MAX", 1)):
        monkeypatch.setattr(register, name, value)
    monkeypatch.setattr(burst, "BUDGET_STEPS", 1)
    searched = 0
    for seed in range(300):
        dice = random.Random(seed)
        lines = scattered(dice, 12, 6, list("ab"))
        expected = histories.first_inexplicable(lines)
        cases = [judging.Case("x", gathered(entries(lines)).by_key['"x"'], grows=False)]
        judging._hear(cases, 10_000, lambda: False)
        searched += cases[0].patient
        assert cases[0].state == ("violated" if expected else "ok"), seed
    assert searched > 20


def test_too_many_overlaps_are_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders, "OVERLAPS_MAX", 100)
    judgement = judged_records(hard("h"))
    assert (judgement.verdict, judgement.undecided) == ("unknown", {'"h"': "too many operations overlap"})


@pytest.mark.parametrize(
    "text", ["", '{"type": "invoke", "process": 1, "f": "read"}', '{"type": "info", "process": "nemesis", "f": "start"}']
)
def test_a_history_in_which_nothing_returned_proves_nothing(text: str) -> None:
    assert judge(gathered(read(text))).verdict == "unknown"
