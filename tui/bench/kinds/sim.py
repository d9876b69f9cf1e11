"""The simulator: delivered messages and virtual seconds per second of CPU, and memory over a long run, with every monitor on.

Five nodes in one process, under faults of every kind, in two loads: as `faultline sim` draws it from the seed (1 to 6 clients that think
for 2 to 400 ms), and busy (32 clients that think for 10 ms). Heartbeats (empty appends and their answers) and gossip are counted apart,
what met a cut or a dead process not at all. Times are CPU time of this process, medians of the rounds; a load's trace must be the
same in every round.
"""

from __future__ import annotations

import statistics
import time

import click
import msgspec
import psutil

from cluster.core.errors import EnvironmentFailed
from cluster.core.types import MS, SECOND
from cluster.sim.run import Outcome, run
from cluster.sim.setup import Setup
from cluster.sim.world import World
from tui.bench.report import Report, Target, Tell, table

PARAMETERS: list[click.Parameter] = [
    click.Option(["--seeds"], type=click.IntRange(1, 10_000), default=40, show_default=True, help="Runs of each load, of 20,000 steps."),
    click.Option(["--rounds"], type=click.IntRange(1, 100), default=5, show_default=True, help="How often each load is played."),
    click.Option(["--millions"], type=click.IntRange(0, 1_000), default=0, show_default=True, help="Steps of one long run, for memory."),
]

MILLION = 1_000_000
LOADS = {"as drawn": Setup(seed=0), "busy": Setup(seed=0, clients=32, think_us=10 * MS)}


class Played(msgspec.Struct, frozen=True):
    """One load, once."""

    cpu_s: float
    outcomes: tuple[Outcome, ...]

    def per_s(self, field: str) -> float:
        return self.count(field) / self.cpu_s

    def count(self, field: str) -> int:
        return sum(getattr(outcome, field) for outcome in self.outcomes)


def measure(tell: Tell, *, seeds: int, rounds: int, millions: int) -> Report:
    """Play every load `rounds` times, in turn; then one long run if it is wanted."""
    played: dict[str, list[Played]] = {what: [] for what in LOADS}
    for number in range(1, rounds + 1):
        tell(f"round {number} of {rounds}")
        for what, setup in LOADS.items():
            played[what].append(_play(setup, seeds))
    rows = {what: _row(what, found) for what, found in played.items()}
    heading = ["load", "messages/s", "of clients", "heartbeats/s", "gossip/s", "µs/step", "virtual s/s"]
    lines = table(heading, [_cells(*row) for row in rows.items()])
    targets = [
        Target("messages per second, busy", 60_000, rows["busy"]["messages_per_s"], "", at_least=True),
        Target("messages per second, as drawn", 60_000, rows["as drawn"]["messages_per_s"], "", at_least=True),
        Target("virtual seconds per second, as drawn", 200, rows["as drawn"]["virtual_s_per_s"], "", at_least=True),
    ]
    memory_mb = _memory_mb(tell, millions)
    if memory_mb:
        lines += ["", "MB after each million steps: " + " ".join(f"{mb:.1f}" for mb in memory_mb)]
    return Report({"seeds": seeds, "rounds": rounds, "loads": rows, "memory_mb": memory_mb}, (*lines, ""), tuple(targets))


def _play(setup: Setup, seeds: int) -> Played:
    began = time.process_time()
    outcomes = [run(msgspec.structs.replace(setup, seed=seed)) for seed in range(seeds)]
    cpu_s = time.process_time() - began
    for outcome in outcomes:
        _expect_good(outcome)
    return Played(cpu_s, tuple(outcomes))


def _expect_good(outcome: Outcome) -> None:
    """A run that was cut short, or in part not judged, would flatter the figures."""
    if outcome.violation is not None or outcome.unjudged:
        raise EnvironmentFailed(f"seed {outcome.setup.seed} is no good run: {outcome.violation or outcome.unjudged}")


def _row(what: str, found: list[Played]) -> dict[str, float]:
    if any(other.outcomes != found[0].outcomes for other in found):
        raise EnvironmentFailed(f"the load {what!r} was not the same run in every round")
    one = Played(statistics.median(played.cpu_s for played in found), found[0].outcomes)
    return {
        "messages_per_s": round(one.per_s("messages")),
        "messages_per_s_min": round(min(played.per_s("messages") for played in found)),
        "messages_per_s_max": round(max(played.per_s("messages") for played in found)),
        "of_clients": round(one.count("client_messages") / one.count("messages"), 3),
        "heartbeats_per_s": round(one.per_s("heartbeats")),
        "gossip_per_s": round(one.per_s("gossip")),
        "us_per_step": round(1e6 / one.per_s("steps"), 2),
        "virtual_s_per_s": round(one.per_s("virtual_us") / SECOND, 1),
        "steps": one.count("steps"),
    }


def _cells(what: str, row: dict[str, float]) -> list[str]:
    columns = ("heartbeats_per_s", "gossip_per_s", "us_per_step", "virtual_s_per_s")
    return [what, f"{row['messages_per_s']:,}", f"{row['of_clients']:.0%}", *(f"{row[column]:,}" for column in columns)]


def _memory_mb(tell: Tell, millions: int) -> list[float]:
    """What this process holds after each million steps of one run, as drawn."""
    if not millions:
        return []
    world = World(Setup(seed=0, steps=millions * MILLION))
    world.begin()
    found: list[float] = []
    for _ in range(millions):
        world.run(MILLION)
        found.append(round(psutil.Process().memory_info().rss / 1e6, 1))
        tell(f"{world.steps:,} steps, {found[-1]} MB")
    return found
