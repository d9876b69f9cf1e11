"""Answers and failpoints by hand: done, heard of and logged by the code of timed steps, each with a number of its own."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from pathlib import Path

from cluster.commands import parse
from cluster.commands.dialect import of_run
from cluster.faults import LinkFault
from scenarios.faults import Fault
from scenarios.hand_links import LinkHand
from scenarios.kit.calls import Call
from scenarios.kit.proxy_answers import Snares
from scenarios.lines import LineFile
from scenarios.links import Pair, Rule
from scenarios.records import Records
from scenarios.timeline import Hands, Timeline

WAY = ("checkout", "payd")
RUN = of_run(WAY, {})


class Proxy:
    name = "x1"
    pairs = frozenset({WAY, WAY[::-1]})

    def __init__(self) -> None:
        self.rules: dict[Pair, Rule] = {}
        self.version = 0

    def apply(self, version: int, rules: Mapping[Pair, Rule]) -> None:
        self.version, self.rules = version, dict(rules)


class Run:
    """A proxy between two processes, its snares, and the hand."""

    def __init__(self, root: Path, *faults: Fault) -> None:
        self.root = root
        self.proxy = Proxy()
        self.signals: list[tuple[str, signal.Signals]] = []
        hands = Hands(lambda name, signum: self.signals.append((name, signum)), lambda _name: True, (self.proxy,))
        self.timeline = Timeline(faults, {}, 1.0, LineFile(root / "faults.jsonl"), hands)
        self.hand = LinkHand(self.timeline.edges, self.timeline.adopt, lambda word: (word,), frozenset(), frozenset({WAY}))
        self.snares = Snares()

    def obey(self, text: str) -> str:
        said = self.hand.obey(parse(text, RUN))
        self.applied()
        return said

    def applied(self) -> None:
        self.timeline.applied("x1", self.proxy.version)
        self.snares.obey(self.proxy.rules.get(WAY, Rule(LinkFault(*WAY))).answers)

    def call(self, number: int, **args: str) -> float | None:
        """For how long its answer is held; 0 when it is lost; None when it passes."""
        caught = self.snares.claim(Call(number, "charge", args))
        if caught is None:
            return None
        self.timeline.caught(caught.fault.step, caught.value)
        self.applied()
        return caught.fault.hold_ms or 0.0

    @property
    def told(self) -> list[tuple[str, str, int]]:
        return [(line["phase"], line["do"], line["step"]) for line in Records(self.root).faults()]


async def test_so_many_answers_are_lost_and_then_it_is_over(tmp_path: Path) -> None:
    run = Run(tmp_path)
    assert run.obey("drop-response checkout > payd 2") == "drop-response checkout > payd"
    assert [run.call(number, payment=f"p-{number}") for number in (1, 2, 3)] == [0.0, 0.0, None]
    assert run.proxy.rules == {}
    assert run.told == [("landed", "drop_response", -1), *[("hit", "drop_response", -1)] * 2, ("ended", "drop_response", -1)]
    assert Records(tmp_path).by_hand() == ("drop_response checkout > payd",)


async def test_answers_are_held_for_each_of_the_values_and_others_pass(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.obey("hold-response checkout > payd 800ms payment=p-2,p-3")
    assert [run.call(number, payment=f"p-{number}") for number in (1, 2, 2, 3)] == [None, 800.0, None, 800.0]
    assert run.told[-1] == ("ended", "hold_response", -1)


async def test_two_by_hand_and_one_of_the_card_count_each_for_itself(tmp_path: Path) -> None:
    card = Fault(do="hold_response", target="checkout > payd", at_ms=0, ms=100, where={"payment": ("p-1",)}, hits=1)
    run = Run(tmp_path, card)
    run.timeline.set_up()
    run.applied()
    run.obey("drop-response checkout > payd 1 payment=p-1")
    run.obey("hold-response checkout > payd 50ms 2")
    found = sorted(str(run.call(number, payment="p-1")) for number in range(5))
    assert found == ["0.0", "100.0", "50.0", "50.0", "None"]
    assert {step for _, _, step in run.told} == {0, -1}
    assert [phase for phase, _, step in run.told if step < 0].count("ended") == 2


async def test_heal_ends_it_before_it_has_all(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.obey("drop-response checkout > payd 5")
    run.obey("heal payd")
    assert run.call(1) is None
    assert [phase for phase, _, _ in run.told] == ["landed", "ended"]


async def test_an_armed_failpoint_is_the_next_time_and_lands_when_the_kernel_says_so(tmp_path: Path) -> None:
    run = Run(tmp_path)
    for _ in range(3):
        run.timeline.heard("pay.before", "w1")
    arm = run.timeline.arm_by_hand("pay.before", "w1", "pause", 2_000.0)
    assert (arm.failpoint, arm.action, arm.nth, arm.ms) == ("pay.before", "pause", 1, 2_000.0)
    assert run.timeline.arms("w1") == [arm]  # of a next life before it came there
    assert run.told == []  # armed is not landed
    run.timeline.heard("pay.before", "w1")
    run.timeline.acting("w1", arm.step, "")
    assert run.signals == []  # it does it to itself
    run.timeline.stopped("w1", 7)
    assert run.told == [("landed", "pause", -1)]
    assert run.timeline.arms("w1") == []
    run.timeline.close()


async def test_a_delay_by_hand_marks_the_run_as_changed(tmp_path: Path) -> None:
    run = Run(tmp_path)
    arm = run.timeline.arm_by_hand("pay.before", "w1", "delay", 80.0)
    run.timeline.acting("w1", arm.step, "")
    assert Records(tmp_path).by_hand() == ("delay w1",)
