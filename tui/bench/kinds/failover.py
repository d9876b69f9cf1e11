"""From the loss of the leader to the next one, over many trials: the distribution, as the Raft paper draws it (figure 16).

On real processes the leader is killed (SIGKILL) or stopped (SIGSTOP) at a random moment of its heartbeat; measured is the time from
the supervisor's record of it to the next leader's own announcement. Every trial begins with all nodes up, one leader and followers
that hold what it holds. The same losses in virtual time, by the simulator, show what the width of the election timeout does.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Sequence
from typing import Any, Final

import click
import msgspec

from cluster.core.types import MS, SECOND, Micros
from cluster.node.process import loop_factory
from cluster.supervisor.profiles import PROFILES
from cluster.telemetry.control import LabSpec
from cluster.telemetry.events import Event, FaultBegan, RoleTaken
from cluster.telemetry.roster import leader_of
from cluster.telemetry.view import ClusterView
from tui.bench.lab import BenchLab
from tui.bench.report import Report, Summary, Target, Tell, summarise, table
from tui.bench.simulated_failover import WIDTHS_MS, failover_us

PARAMETERS: list[click.Parameter] = [
    click.Option(["-n", "--nodes"], type=click.IntRange(2, 9), default=5, show_default=True, help="Voters."),
    click.Option(["--trials"], type=click.IntRange(1, 1_000), default=100, show_default=True, help="Crashes, and as many pauses."),
    click.Option(["--profile"], type=click.Choice(sorted(PROFILES)), default="demo", show_default=True, help="Pace of the cluster."),
    click.Option(
        ["--where"], type=click.Choice(["both", "live", "simulated"]), default="both", show_default=True, help="Real or virtual time.",
    ),
    click.Option(["--seed"], type=int, default=1, show_default=True, help="Of the moments at which leaders are lost."),
]

LOSSES: Final = {"crash": "crash leader", "pause": "pause leader 60s"}
WITHIN_S: Final = 30.0
# As many entries may a follower lack when a trial begins: none, but for what is under way.
BEHIND_MAX: Final = 4
# The promise: a median of so many of the smallest election timeout, after a crash.
TIMES_MAX: Final = 1.25
POINTS: Final = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 1.0)
CHART_CELLS: Final = 40


def measure(tell: Tell, *, nodes: int, trials: int, profile: str, seed: int, where: str) -> Report:
    """All crashes, then all pauses, in one lab; then each width in virtual time."""
    parts: list[Report] = []
    if where != "simulated":
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            parts.append(_report(nodes, profile, runner.run(_trials(tell, nodes, trials, profile, seed))))
    if where != "live":
        parts.append(_simulated_report(_simulated(tell, nodes, trials, seed)))
    document = {name: value for part in parts for name, value in part.document.items()}
    return Report(document, tuple(line for part in parts for line in part.lines), tuple(aim for part in parts for aim in part.targets))


def _simulated(tell: Tell, nodes: int, trials: int, seed: int) -> dict[str, list[Micros]]:
    """Microseconds by `150-300 crash`."""
    found: dict[str, list[Micros]] = {}
    for width in WIDTHS_MS:
        tell(f"simulated: election timeouts of {width[0]} to {width[1]} ms")
        for place, loss in enumerate(LOSSES):
            first = 10_000 * (2 * seed + place)
            found[f"{width[0]}-{width[1]} {loss}"] = [failover_us(loss, width, first + trial, nodes) for trial in range(trials)]
    return found


async def _trials(tell: Tell, nodes: int, trials: int, profile: str, seed: int) -> dict[str, list[Micros]]:
    dice = random.Random(seed)
    heartbeat_us = PROFILES[profile].raft.heartbeat_us
    spec = LabSpec(nodes=nodes, voters=nodes, profile=profile, seed=seed, workload_rate=20.0)
    found: dict[str, list[Micros]] = {loss: [] for loss in LOSSES}
    async with asyncio.TaskGroup() as tasks:
        lab = await BenchLab.open(spec, tasks)
        try:
            for loss, order in LOSSES.items():
                for number in range(1, trials + 1):
                    if number % 10 == 1:
                        tell(f"{loss} {number} of {trials}")
                    await lab.until(_settled, "a settled cluster", WITHIN_S)
                    await asyncio.sleep(heartbeat_us * (1 + dice.random()) / SECOND)
                    found[loss].append(await _lost(lab, order))
                    await lab.order("heal")
        finally:
            await lab.close()
    return found


def _settled(view: ClusterView) -> bool:
    """Everybody runs, one leads, and all hold what it holds."""
    leader = leader_of(view)
    states = [node.state for node in view.nodes.values()]
    if leader is None or view.faults or any(node.process != "up" for node in view.nodes.values()):
        return False
    leads = view.nodes[leader].state
    return leads is not None and all(
        state is not None and state.term == leads.term and leads.last_index - state.last_index <= BEHIND_MAX for state in states
    )


async def _lost(lab: BenchLab, order: str) -> Micros:
    """Lose the leader; how long until the next announces itself."""
    stopwatch = _Stopwatch(max((reign.term for reign in lab.view.reigns), default=0))
    lab.listen(stopwatch.hears)
    await lab.order(order)
    await lab.until(lambda view: stopwatch.took_us is not None, "the next leader", WITHIN_S)
    assert stopwatch.took_us is not None, "it was waited for"
    return stopwatch.took_us


class _Stopwatch:
    """From the fault to the first leader of a higher term."""

    def __init__(self, term: int) -> None:
        self._term = term
        self._lost_us: Micros | None = None
        self.took_us: Micros | None = None

    def hears(self, event: Event) -> None:
        if isinstance(event, FaultBegan):
            self._lost_us = event.at_us
        elif isinstance(event, RoleTaken) and event.role == "leader" and event.term > self._term:
            if self._lost_us is not None and self.took_us is None:
                self.took_us = event.at_us - self._lost_us
            self._term = max(self._term, event.term)


# ---- what is said of it ---------------------------------------------------------------------------------------------


def _report(nodes: int, profile: str, found: dict[str, list[Micros]]) -> Report:
    smallest_ms = PROFILES[profile].raft.election_min_us / MS
    trials = {loss: sorted(took_us / MS for took_us in took) for loss, took in found.items()}
    summaries = {loss: summarise(took) for loss, took in trials.items()}
    document: dict[str, Any] = {
        "nodes": nodes,
        "profile": profile,
        "smallest_election_timeout_ms": smallest_ms,
        "failover_ms": msgspec.to_builtins(summaries),
        "trials_ms": {loss: [round(each, 1) for each in took] for loss, took in trials.items()},
    }
    target = Target("median after a crash, of the smallest election timeout", TIMES_MAX, summaries["crash"].p50 / smallest_ms, "×")
    return Report(document, tuple(_lines(trials, summaries, smallest_ms)), (target,))


def _simulated_report(found: dict[str, list[Micros]]) -> Report:
    trials = {name: sorted(took_us / MS for took_us in took) for name, took in found.items()}
    lines = ["In virtual time, ms, by the bounds of the election timeout"]
    lines += table(("timeout, lost by", "n", *(f"{point:.0%}" for point in POINTS), "median / smallest"), [
        (name, str(len(took)), *(f"{at(took, point):.0f}" for point in POINTS), f"{at(took, 0.5) / float(name.split('-')[0]):.2f}×")
        for name, took in trials.items()
    ])  # fmt: skip
    return Report({"simulated_ms": {name: [round(each, 2) for each in took] for name, took in trials.items()}}, tuple(lines))


def _lines(trials: dict[str, list[float]], summaries: dict[str, Summary], smallest_ms: float) -> Iterator[str]:
    yield f"From the loss of the leader to the next one, ms (smallest election timeout {smallest_ms:g} ms)"
    heading = ("lost by", "n", *(f"{point:.0%}" for point in POINTS), "median / smallest")
    yield from table(heading, [
        (loss, str(summaries[loss].count), *(f"{at(took, point):.0f}" for point in POINTS), f"{summaries[loss].p50 / smallest_ms:.2f}×")
        for loss, took in trials.items()
    ])  # fmt: skip
    for loss, took in trials.items():
        yield f"Share of {loss} trials that had a leader by then"
        yield from _chart(took)


def at(ordered: Sequence[float], share: float) -> float:
    """The value that this share of the trials does not exceed; the least for 0."""
    return ordered[max(0, -(-round(share * 1_000) * len(ordered) // 1_000) - 1)]


def _chart(ordered: Sequence[float]) -> Iterator[str]:
    """A distribution function, lying on its side."""
    first, last = ordered[0], ordered[-1]
    for step in range(9):
        by_ms = first + (last - first) * step / 8
        share = sum(1 for took in ordered if took <= by_ms) / len(ordered)
        yield f"  {by_ms:7.0f} ms  {'█' * round(share * CHART_CELLS):<{CHART_CELLS}} {share:4.0%}"
