"""Commits per second of three nodes, beside peers in the same run.

Puts of 100 bytes in a closed loop on the leader, with fsync on where there is one. The stores take turns: each round starts every
store anew and measures each number in flight; medians over the rounds are shown, and ratios are taken within a round. CPU is that of
the servers; the load's own stands beside it (for PySyncObj it runs inside the leader, and cannot be told apart).
"""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Iterator
from typing import Any

import click

from cluster.core.errors import UsageError
from cluster.core.types import SECOND, Micros
from cluster.node.process import loop_factory
from tui.bench.parameters import Duration, Numbers
from tui.bench.report import Report, Target, Tell, table
from tui.bench.rivals.etcd import Etcd
from tui.bench.rivals.faultline import Faultline
from tui.bench.rivals.pysyncobj import SETTINGS, PySyncObj
from tui.bench.rivals.rival import Loaded, Rival

PEERS = {"etcd": ("etcd",), "pysyncobj": tuple(SETTINGS)}
OURS = Faultline.name

PARAMETERS: list[click.Parameter] = [
    click.Option(["-n", "--nodes"], type=click.IntRange(1, 9), default=3, show_default=True, help="Nodes of each store."),
    click.Option(["--against"], default="", help="Peers to run in turn with ours: etcd, pysyncobj, or both with a comma."),
    click.Option(["--inflight"], type=Numbers(), default="1,16,64,256", show_default=True, help="Puts in flight."),
    click.Option(["--for", "for_us"], type=Duration(), default="4s", show_default=True, help="Measured time of each figure."),
    click.Option(["--rounds"], type=click.IntRange(1, 100), default=3, show_default=True, help="Medians are over so many."),
]

# At least so many times a peer's commits, at most such a part of its CPU per operation: (peer, in flight, times, part).
AIMS = (
    ("etcd", 1, 1.5, 1 / 3), ("etcd", 64, 3.0, 1 / 3), ("etcd", 256, 3.0, 1 / 3), ("pysyncobj", 64, 2.0, 0.0), ("pysyncobj", 256, 2.0, 0.0),
)  # fmt: skip

# (store, in flight) -> one `Loaded` per round
Figures = dict[tuple[str, int], list[Loaded]]


def measure(tell: Tell, *, nodes: int, against: str, inflight: tuple[int, ...], for_us: Micros, rounds: int) -> Report:
    """All rounds."""
    peers = tuple(filter(None, against.split(",")))
    unknown = [peer for peer in peers if peer not in PEERS]
    if unknown:
        raise UsageError(f"there is no peer {unknown[0]!r}: {', '.join(PEERS)}")
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        figures = runner.run(_rounds(tell, nodes, peers, inflight, for_us / SECOND, rounds))
    return _report(nodes, peers, inflight, figures)


async def _rounds(tell: Tell, nodes: int, peers: tuple[str, ...], inflight: tuple[int, ...], for_s: float, rounds: int) -> Figures:
    figures: Figures = {}
    for number in range(1, rounds + 1):
        for rival in _rivals(peers):
            tell(f"round {number} of {rounds}: {rival.name}, {nodes} nodes")
            try:
                await rival.start(nodes)
                for many in inflight:
                    figures.setdefault((rival.name, many), []).append(await rival.load(many, for_s))
            finally:
                await rival.stop()
    return figures


def _rivals(peers: tuple[str, ...]) -> list[Rival]:
    rivals: list[Rival] = [Faultline()]
    if "etcd" in peers:
        rivals.append(Etcd())
    if "pysyncobj" in peers:
        rivals += [PySyncObj(name) for name in SETTINGS]
    return rivals


# ---- what is said of it ---------------------------------------------------------------------------------------------


def _row(found: list[Loaded]) -> dict[str, float]:
    """Medians over the rounds of one store at one number in flight."""
    rows = [_figures(each) for each in found]
    return {name: round(statistics.median(row[name] for row in rows), 3) for name in rows[0]}


def _figures(found: Loaded) -> dict[str, float]:
    ordered = sorted(found.latencies_us) or [0]
    return {
        "per_s": found.done / found.took_s,
        "p50_ms": ordered[len(ordered) // 2] / 1_000,
        "p99_ms": ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)] / 1_000,
        "cpu_s_per_1000": 1_000 * found.server_cpu_s / max(1, found.done),
        "load_cores": found.load_cpu_s / found.took_s if found.load_cpu_s >= 0 else -1.0,
        "failed": float(found.failed),
    }


def _ratios(figures: Figures, peer: str, many: int) -> tuple[float, float]:
    """(commits, CPU per operation) of ours over the best of a peer's settings, round by round."""
    per_s, cpu = [], []
    for number, ours in enumerate(figures[OURS, many]):
        best = max((figures[name, many][number] for name in PEERS[peer]), key=lambda each: each.done / each.took_s)
        mine, theirs = _figures(ours), _figures(best)
        per_s.append(mine["per_s"] / max(1e-9, theirs["per_s"]))
        cpu.append(mine["cpu_s_per_1000"] / max(1e-9, theirs["cpu_s_per_1000"]))
    return statistics.median(per_s), statistics.median(cpu)


def _report(nodes: int, peers: tuple[str, ...], inflight: tuple[int, ...], figures: Figures) -> Report:
    rows = {f"{name} {many}": {"store": name, "inflight": many, **_row(found)} for (name, many), found in figures.items()}
    ratios = {(peer, many): _ratios(figures, peer, many) for peer in peers for many in inflight}
    document: dict[str, Any] = {
        "nodes": nodes,
        "figures": list(rows.values()),
        "ratios": [
            {"peer": peer, "inflight": many, "per_s": round(per_s, 2), "cpu_per_op": round(cpu, 3)}
            for (peer, many), (per_s, cpu) in ratios.items()
        ],
    }
    return Report(document, tuple(_lines(rows, ratios)), tuple(_targets(ratios)))


def _lines(rows: dict[str, dict[str, Any]], ratios: dict[tuple[str, int], tuple[float, float]]) -> Iterator[str]:
    yield "Puts of 100 bytes, medians"
    heading = ("store", "in flight", "per s", "p50 ms", "p99 ms", "CPU s per 1000", "load, cores", "failed")
    cells = [
        (row["store"], str(row["inflight"]), f"{row['per_s']:.0f}", f"{row['p50_ms']:.2f}", f"{row['p99_ms']:.2f}",
         f"{row['cpu_s_per_1000']:.4f}", f"{row['load_cores']:.2f}" if row["load_cores"] >= 0 else "inside", f"{row['failed']:.0f}")
        for row in sorted(rows.values(), key=lambda row: (row["inflight"], row["store"] != OURS, row["store"]))
    ]  # fmt: skip
    yield from table(heading, cells)
    if ratios:
        yield "Ours over the peer's best setting, medians of the rounds' ratios"
        yield from table(
            ("peer", "in flight", "commits", "CPU per op"),
            [(peer, str(many), f"{per_s:.2f}×", f"{cpu:.2f}×") for (peer, many), (per_s, cpu) in ratios.items()],
        )


def _targets(ratios: dict[tuple[str, int], tuple[float, float]]) -> Iterator[Target]:
    for peer, many, times, part in AIMS:
        if (peer, many) in ratios:
            per_s, cpu = ratios[peer, many]
            yield Target(f"commits beside {peer}, {many} in flight", times, round(per_s, 2), "×", at_least=True)
            if part:
                yield Target(f"CPU per operation beside {peer}, {many} in flight", round(part, 2), round(cpu, 2), "×")
