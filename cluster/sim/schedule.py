"""Which faults happen when: drawn from the seed, or read from a repro; in the operators' own grammar.

Law 1: what is drawn depends on the seed alone, never on what the cluster does: roles are computed when a fault begins.
Law 2: a schedule that was written down and read back is the same schedule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from cluster.commands import Command, canonical, parse, parse_script
from cluster.commands.quantities import write_duration
from cluster.core.types import MS, SECOND, Micros
from cluster.sim.dice import SeededDice
from cluster.sim.setup import Setup, Surroundings

Timed = tuple[Micros, Command]
# A drawn fault may be a short story: commands with the time between their beginnings.
Story = list[tuple[Micros, str]]
# The cluster may find its first leader in peace.
_FIRST_US: Micros = 600 * MS


def schedule_of(setup: Setup, surroundings: Surroundings) -> Iterator[Timed]:
    """Faults in time order; without end when they are drawn."""
    if setup.schedule is not None:
        yield from parse_script("\n".join(setup.schedule), "schedule")
    elif surroundings.faults:
        yield from _drawn(setup, surroundings)


def written(timed: Timed) -> str:
    """One line of a schedule."""
    at_us, command = timed
    return f"at {at_us // SECOND}.{at_us % SECOND:06d} {canonical(command)}"


def _drawn(setup: Setup, surroundings: Surroundings) -> Iterator[Timed]:
    dice = SeededDice(setup.seed, "faults")
    now: Micros = _FIRST_US
    while True:
        now += dice.tailed_us(surroundings.gap_us)
        kind = dice.choice(surroundings.faults)
        at_us = now
        for wait_us, text in STORIES[kind](_Pen(dice, setup.nodes, surroundings.fault_us)):
            at_us += wait_us
            yield at_us, parse(text)
        now = at_us


class _Pen:
    """What stories are written with."""

    def __init__(self, dice: SeededDice, nodes: int, typical_us: Micros) -> None:
        self.dice, self.nodes, self.typical_us = dice, nodes, typical_us

    def lasting(self) -> str:
        return f"for {write_duration(max(MS, self.dice.tailed_us(self.typical_us)) // MS * MS)}"

    def node(self) -> str:
        return f"n{1 + self.dice.randrange(self.nodes)}"

    def someone(self) -> str:
        """Leaders more often than chance would: most of what can go wrong goes wrong with them."""
        return self.dice.choice(("leader", "leader", "followers.1", "any", self.node()))

    def some(self) -> str:
        return self.dice.choice(("minority", "majority", "all", "followers", f"{self.node()},{self.node()}"))

    def links(self) -> str:
        return self.dice.choice(("all", "all", self.someone(), f"{self.node()} > rest", f"leader > {self.node()}"))


def _crash(pen: _Pen) -> Story:
    whom = pen.dice.choice((pen.someone(), pen.someone(), pen.someone(), pen.some(), "all"))
    return [(0, f"crash {whom} {pen.lasting()}")]


def _cut(pen: _Pen) -> Story:
    dice = pen.dice
    if dice.chance(0.4):
        return _reign(pen)
    shapes = [
        f"isolate {pen.someone()}",
        f"cut {pen.node()},{pen.node()} | rest",
        "cut leader,followers.1 | rest",
        "cut minority | rest",
        f"cut {pen.someone()} > rest",
        f"cut rest > {pen.someone()}",
        "cut bridge" if pen.nodes >= 3 else "isolate n1",
        "cut ring" if pen.nodes >= 4 else "isolate n1",
    ]
    return [(0, f"{dice.choice(shapes)} {pen.lasting()}")]


def _reign(pen: _Pen) -> Story:
    """Leaders that reach few or none, and end with what they wrote: figure 8 is made of these."""
    dice = pen.dice
    story: Story = []
    for _ in range(dice.between(2, 6)):
        heard_by = dice.choice(("leader", "leader,followers.1", "leader,followers.2", "leader,followers.1,followers.2"))
        reign_us = dice.between(20, 250) * MS
        story.append((dice.between(150, 500) * MS, f"cut {heard_by} | rest for {write_duration(reign_us + 30 * MS)}"))
        story.append((reign_us, f"crash leader for {write_duration(dice.between(200, 1_200) * MS)}"))
    return story


def _pause(pen: _Pen) -> Story:
    return [(0, f"pause {pen.someone() if pen.dice.chance(0.7) else pen.some()} {pen.lasting()}")]


def _slow(pen: _Pen) -> Story:
    if pen.dice.chance(0.25):
        return _late_news(pen)
    delay_ms = pen.dice.choice((5, 20, 60, 150))
    return [(0, f"slow {pen.links()} {delay_ms}ms ±{delay_ms * 4 // 5}ms {pen.lasting()}")]


def _late_news(pen: _Pen) -> Story:
    """A leader that hears everything late, then is heard no more: late answers keep it in office while others elect and commit.

    Answers have to come within its election timeout. A lease that counts from when a broadcast was *sent* is over long before a
    successor writes; one that counts from an answer, or lasts longer, is not (dissertation §6.4.1).
    """
    dice = pen.dice
    delay_ms = dice.choice((100, 150, 200))
    hears_late_us = dice.between(100, 400) * MS
    mute_us = dice.between(300, 900) * MS
    lasting = write_duration(hears_late_us + mute_us)
    return [
        (0, f"slow rest > leader {delay_ms}ms ±{delay_ms // 5}ms for {lasting}"),
        (hears_late_us, f"cut leader > rest for {write_duration(mute_us)}"),
    ]


def _spoil(verb: str) -> Callable[[_Pen], Story]:
    return lambda pen: [(0, f"{verb} {pen.links()} {pen.dice.choice((2, 10, 30, 60))}% {pen.lasting()}")]


def _throttle(pen: _Pen) -> Story:
    return [(0, f"throttle {pen.links()} {pen.dice.choice((2, 8, 30))}kB/s {pen.lasting()}")]


def _disk(pen: _Pen) -> Story:
    dice = pen.dice
    whom = pen.someone() if dice.chance(0.6) else pen.some()
    mode = dice.choice(("hang", "fail", "slow 20ms", "slow 100ms", "slow 300ms"))
    if dice.chance(0.2):
        # The power goes while disks are busy: what was promised too early is gone.
        down = f"crash {dice.choice(('all', 'all', 'majority', 'followers'))} for {write_duration(dice.between(50, 500) * MS)}"
        return [(0, f"disk {dice.choice(('all', 'majority', 'followers'))} {mode} for 500ms"), (dice.between(20, 450) * MS, down)]
    return [(0, f"disk {whom} {mode} {pen.lasting()}")]


def _skew(pen: _Pen) -> Story:
    sign = pen.dice.choice(("+", "-"))
    return [(0, f"skew {pen.someone()} {sign}{pen.dice.choice((30, 200, 900, 5_000))}ms {pen.lasting()}")]


def _drift(pen: _Pen) -> Story:
    return [(0, f"drift {pen.someone()} {pen.dice.choice(('0.5', '0.9', '1.1', '1.5', '2'))} {pen.lasting()}")]


def _transfer(pen: _Pen) -> Story:
    return [(0, f"transfer {pen.dice.choice(('followers.1', 'followers.2', pen.node()))}")]


def _group(pen: _Pen) -> Story:
    """Who leaves comes back some time, so that there is a group to break."""
    dice, story = pen.dice, list[tuple[Micros, str]]()
    for _ in range(dice.between(1, 3)):
        one, other = pen.node(), pen.node()
        texts = (
            f"remove {one}",
            f"remove {one},{other}",
            f"add {one}",
            f"add {one},{other}",
            f"add {one} learner",
            f"replace {one} {other}",
        )
        story.append((dice.between(20, 400) * MS, dice.choice(texts)))
    everyone = ",".join(f"n{number}" for number in range(1, min(pen.nodes, 5) + 1))
    return [*story, (dice.between(100, 1_500) * MS, f"add {everyone}")]


STORIES: Mapping[str, Callable[[_Pen], Story]] = MappingProxyType(
    {
        "crash": _crash,
        "cut": _cut,
        "pause": _pause,
        "slow": _slow,
        "loss": _spoil("loss"),
        "dup": _spoil("dup"),
        "reorder": _spoil("reorder"),
        "throttle": _throttle,
        "disk": _disk,
        "skew": _skew,
        "drift": _drift,
        "transfer": _transfer,
        "group": _group,
    }
)
