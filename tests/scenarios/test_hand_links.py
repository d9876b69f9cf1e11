"""What a person does to the links of a run is told when its edge says so, and what cannot be is one clear line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from cluster.commands import parse
from cluster.commands.dialect import of_run
from cluster.core.errors import UsageError
from scenarios.edges import Edges
from scenarios.fault_log import BY_HAND, FaultLog, Step
from scenarios.faults import Fault
from scenarios.hand_links import LinkHand
from scenarios.lines import LineFile
from scenarios.links import Pair, Rule
from scenarios.records import Records

RUN = of_run(("w1", "w2", "payd", "redis"), {})


class Edge:
    def __init__(self, name: str, *ends: str) -> None:
        self.name = name
        self.pairs = frozenset({(ends[0], ends[1]), (ends[1], ends[0])})
        self.rules: dict[Pair, Rule] = {}
        self.version = 0

    def apply(self, version: int, rules: Mapping[Pair, Rule]) -> None:
        self.version, self.rules = version, dict(rules)


class Run:
    """A hand over two links: calls from w1 to payd, bytes from w1 to redis."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.calls, self.bytes = Edge("x1", "w1", "payd"), Edge("x2", "w1", "redis")
        self.edges = Edges(FaultLog(LineFile(root / "faults.jsonl")), (self.calls, self.bytes), self._later)
        self.hand = LinkHand(self.edges, self._adopt, lambda word: (word,), self.bytes.pairs, frozenset({("w1", "payd")}))
        self.later: list[Callable[[], None]] = []

    def _adopt(self, fault: Fault, ms: float | None, delay_ms: float, jitter_ms: float) -> Step:
        return Step(BY_HAND, fault, None, None, 0.0, ms, delay_ms, jitter_ms)

    def _later(self, _ms: float, do: Callable[[], None]) -> None:
        self.later.append(do)

    def obey(self, text: str) -> str:
        said = self.hand.obey(parse(text, RUN))
        for edge in (self.calls, self.bytes):
            self.edges.applied(edge.name, edge.version, 1)
        return said

    @property
    def told(self) -> list[tuple[str, str, str]]:
        return [(line["phase"], line["do"], line["target"]) for line in Records(self.root).faults()]


def test_a_cut_by_hand_is_logged_and_healed(tmp_path: Path) -> None:
    run = Run(tmp_path)
    assert run.obey("cut w1 | payd redis") == "cut w1 | payd redis"
    assert all(rule.fault.cut for edge in (run.calls, run.bytes) for rule in edge.rules.values())
    assert Records(tmp_path).by_hand() == ("cut w1 | payd redis",)
    assert run.obey("heal") == "heal w1 | payd redis"
    assert run.told == [("landed", "cut", "w1 | payd redis"), ("ended", "cut", "w1 | payd redis")]
    assert run.obey("heal") == ""


def test_one_way_is_one_and_ends_at_its_time(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.obey("cut redis > w1 for 2s")
    assert set(run.bytes.rules) == {("redis", "w1")}
    run.later.pop()()
    assert run.bytes.rules == {}


def test_several_compose_and_end_each_by_itself(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.obey("slow w1>redis 80ms ±20ms")
    run.obey("slow redis 5ms")
    assert {pair: rule.fault.delay_us for pair, rule in run.bytes.rules.items()} == {("w1", "redis"): 85_000, ("redis", "w1"): 5_000}
    run.obey("loss w1>payd 20%")
    run.obey("isolate payd")
    fault = run.calls.rules["w1", "payd"].fault
    assert (fault.cut, round(fault.loss, 6)) == (True, 0.2)
    assert run.obey("heal payd") == "heal w1 > payd, payd | all others"
    assert run.calls.rules == {}
    assert run.bytes.rules


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cut w2 | payd", "cut w2 | payd: nothing that can be broken runs there"),
        ("slow w2 5ms", "slow w2: nothing that can be broken runs there"),
        ("drop-response w2 > payd", "drop-response w2 > payd: no proxy knows the answers there; known are those of w1 > payd"),
        ("hold-response w1 > redis 1s", "hold-response w1 > redis: no proxy knows the answers there; known are those of w1 > payd"),
        ("loss redis 20%", "loss redis: a stream of bytes loses nothing; cut it or slow it"),
    ],
)
def test_what_cannot_be_is_one_clear_line(tmp_path: Path, text: str, said: str) -> None:
    run = Run(tmp_path)
    with pytest.raises(UsageError) as caught:
        run.obey(text)
    assert str(caught.value) == said
    assert run.told == []


@pytest.mark.parametrize("text", ["pause w1", "restart w1", "dup w1 5%"])
def test_what_is_no_matter_of_links_is_left_to_others(tmp_path: Path, text: str) -> None:
    assert Run(tmp_path).obey(text) == ""


def test_at_the_end_what_stands_is_over(tmp_path: Path) -> None:
    run = Run(tmp_path)
    log = FaultLog(LineFile(tmp_path / "faults.jsonl"))
    edges = Edges(log, (run.calls,), run._later)
    LinkHand(edges, run._adopt, lambda word: (word,), frozenset(), frozenset()).obey(parse("cut w1 | payd", RUN))
    edges.applied("x1", 1, 1)
    log.close(2)
    assert [phase for phase, _, _ in run.told] == ["landed", "ended"]
