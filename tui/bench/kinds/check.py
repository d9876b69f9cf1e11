"""The judge of finished histories: time and memory for the sorts of history that are hard in different ways.

Every history is drawn from a store that behaves, and judged once as it is; then one read in its middle is made to return what
nobody wrote, and it is judged again. Times are CPU time of this process, the median of the rounds; reading the text is counted apart.
"""

from __future__ import annotations

import statistics
import time
import tracemalloc

import click
import msgspec

from cluster.check.formats import read
from cluster.check.formats.entry import Entry
from cluster.check.judge import judge
from cluster.check.operations import gathered
from tui.bench.histories import GROWING, REGISTER, Load, at_once, drawn
from tui.bench.report import Report, Target, Tell, table

PARAMETERS: list[click.Parameter] = [
    click.Option(["--rounds"], type=click.IntRange(1, 100), default=5, show_default=True, help="Histories of each sort."),
]

AT_ONCE, AT_ONCE_MS = 150, 50.0
LOADS = (
    Load("register, 10k ops, 5 clients a key, 100 keys", 10_000, 5, 100, REGISTER, unknown=0.01),
    Load("register, 10k ops, 20 clients, 1 key", 10_000, 20, 1, REGISTER),
    Load("put/append/get, 10k ops, 10 clients a key, 10 keys", 10_000, 10, 10, GROWING, unknown=0.01),
    Load("put/append/get, 10k ops, 10 clients, 1 key", 10_000, 10, 1, GROWING),
    Load("put/append/get, 2k ops, 50 clients, 1 key", 2_000, 50, 1, GROWING),
)


class Judged(msgspec.Struct, frozen=True):
    """Of one history: milliseconds of CPU, steps, and the verdicts as it was and with a read falsified."""

    read_ms: float
    judge_ms: float
    steps: int
    verdict: str
    falsified_ms: float
    falsified: str


def measure(tell: Tell, *, rounds: int) -> Report:
    """Judge `rounds` histories of each sort."""
    sorts = {f"register, {AT_ONCE} operations at once": [at_once(AT_ONCE, seed) for seed in range(rounds)]}
    rows: dict[str, dict[str, float | int | list[str]]] = {}
    for load in LOADS:
        sorts[load.what] = [drawn(load, seed) for seed in range(rounds)]
    for what, texts in sorts.items():
        tell(what)
        rows[what] = _row([_judged(text) for text in texts], _memory_mb(texts[0]))
    lines = table(["history", "read ms", "judge ms", "most", "falsified", "steps", "MB"], [_cells(what, row) for what, row in rows.items()])
    verdicts = sorted({str(row["verdicts"]) for row in rows.values()})
    lines += ["", f"verdicts, as drawn and falsified: {'; '.join(verdicts)}", ""]
    first = next(iter(rows.values()))
    target = Target(f"{AT_ONCE} concurrent register operations, median", AT_ONCE_MS, float(str(first["judge_ms"])), "ms")
    return Report({"rounds": rounds, "histories": rows}, tuple(lines), (target,))


def _judged(text: str) -> Judged:
    began = time.process_time()
    entries = read(text)
    was_read = time.process_time()
    judgement = judge(gathered(entries))
    ended = time.process_time()
    falsified = judge(gathered(_falsified(entries)))
    last = time.process_time()
    times = [round((after - before) * 1_000, 1) for before, after in ((began, was_read), (was_read, ended), (ended, last))]
    return Judged(times[0], times[1], judgement.steps, judgement.verdict, times[2], falsified.verdict)


def _falsified(entries: list[Entry]) -> list[Entry]:
    reads = [n for n, entry in enumerate(entries) if entry.kind == "ok" and entry.f in ("read", "get")]
    middle = reads[len(reads) // 2]
    return [*entries[:middle], msgspec.structs.replace(entries[middle], value="<never>"), *entries[middle + 1 :]]


def _memory_mb(text: str) -> float:
    """The most that judging holds at a time, the history itself included."""
    tracemalloc.start()
    try:
        judge(gathered(read(text)))
        return round(tracemalloc.get_traced_memory()[1] / 1e6, 1)
    finally:
        tracemalloc.stop()


def _row(found: list[Judged], memory_mb: float) -> dict[str, float | int | list[str]]:
    return {
        "read_ms": statistics.median(one.read_ms for one in found),
        "judge_ms": statistics.median(one.judge_ms for one in found),
        "judge_ms_max": max(one.judge_ms for one in found),
        "falsified_ms": statistics.median(one.falsified_ms for one in found),
        "steps_max": max(one.steps for one in found),
        "memory_mb": memory_mb,
        "verdicts": sorted({f"{one.verdict}, {one.falsified}" for one in found}),
    }


def _cells(what: str, row: dict[str, float | int | list[str]]) -> list[str]:
    columns = ("read_ms", "judge_ms", "judge_ms_max", "falsified_ms", "steps_max", "memory_mb")
    return [what, *(str(row[column]) for column in columns)]
