"""`faultline sim`: many seeds of a simulated cluster under faults, judged; or one failing run again.

Law 1: progress goes to standard error; standard output has the report, with `--json` as one document.
Law 2: 1 a violation was found (replaying a repro: it was found again), 3 nothing was exercised or part could not be judged.
Law 3: a repro that cannot be written takes nothing away from the report: what was found is told first.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from pathlib import Path

import click
import msgspec

from cluster.core.errors import UsageError
from cluster.sim.repro import Repro, read, replay, repro_of, written
from cluster.sim.setup import FAULTS, STEPS_DEFAULT, Setup, check_setup
from cluster.sweep import Engine, Totals, document, in_turn, processes, sweep
from tui.cli.exits import ENVIRONMENT, GOOD, INTERRUPTED, UNKNOWN, USAGE, VIOLATION, complain

EPILOG = """\b
Examples:
  faultline sim                                       a hundred seeds with every fault
  faultline sim --seeds 0..1999 --jobs 8 --json       a sweep on eight cores
  faultline sim --break ack_before_fsync              make a known mistake, and see it found
  faultline sim --faults crash,disk --nodes 3
  faultline sim --engine dask://10.0.0.7:8786         on the workers of a dask.distributed scheduler
  faultline sim --repro repro-17.json                 play a failure again
"""
_SEEDS = re.compile(r"(\d+)(?:\.\.(\d+))?\Z")
_SEEDS_MAX = 100_000_000
_PROGRESS_EVERY_S = 2.0


class Seeds(click.ParamType[tuple[int, int]]):
    """`A..B`, both included, or one seed."""

    name = "seeds"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        match = _SEEDS.match(str(value))
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if not first <= last or last - first >= _SEEDS_MAX:
            self.fail(f"{value!r} is not a range of seeds such as 0..1999, or one seed", param, ctx)
        return first, last


@click.command("sim", epilog=EPILOG)
@click.option("-n", "--nodes", default=5, show_default=True, help="Nodes of the cluster; at most five of them vote.")
@click.option("--seeds", type=Seeds(), default="0..99", show_default=True, metavar="A..B", help="Seeds to play.")
@click.option("--steps", default=STEPS_DEFAULT, show_default=True, help="What happens per seed before peace is made.")
@click.option("--faults", default="all", show_default=True, metavar="LIST", help=f"all, none, or of {','.join(FAULTS)}.")
@click.option(
    "--break", "mistakes", multiple=True, metavar="MISTAKE", help="Make a known protocol mistake (repeatable); `--break ?` lists them."
)
@click.option("--jobs", type=click.IntRange(1, 1_024), default=1, show_default=True, help="Processes that play seeds.")
@click.option("--engine", default="", metavar="dask://HOST:PORT", help="Play them on the workers of this scheduler instead.")
@click.option(
    "--stop", "stop_after", type=click.IntRange(0), default=10, show_default=True, help="End after so many failing seeds; 0: never."
)
@click.option("--out", type=click.Path(file_okay=False), default=".", show_default=True, help="Where repros of failures are written.")
@click.option("--repro", type=click.Path(dir_okay=False), default="", help="Play one failure again, from its file.")
@click.option("--json", "as_json", is_flag=True, help="The report as one JSON document.")
def command(
    nodes: int,
    seeds: tuple[int, int],
    steps: int,
    faults: str,
    mistakes: tuple[str, ...],
    jobs: int,
    engine: str,
    stop_after: int,
    out: str,
    repro: str,
    as_json: bool,
) -> int:
    """Play seeds of a simulated cluster, with faults, and judge every one of them."""
    if repro:
        return _replay(Path(repro), as_json)
    template = Setup(seed=0, nodes=nodes, steps=steps, faults=_faults(faults), mistakes=mistakes)
    check_setup(template)
    progress = _Progress(seeds[1] - seeds[0] + 1)
    totals = sweep(template, *seeds, _engine(engine, jobs), stop_after=stop_after, progress=progress.show)
    progress.end()
    repros, trouble = _write_repros(totals, Path(out))
    report = document(totals, repros)
    print(json.dumps(report, ensure_ascii=False) if as_json else summary(report))
    if trouble:
        complain(trouble, ENVIRONMENT)
    if totals.interrupted:
        why, code = (f"{totals.trouble}: ", ENVIRONMENT) if totals.trouble else ("", INTERRUPTED)
        return complain(f"{why}interrupted after {totals.seeds:,} of {seeds[1] - seeds[0] + 1:,} seeds", code)
    return _code(totals)


def _engine(address: str, jobs: int) -> Engine:
    if address:
        from cluster.farm import machines

        return machines(address)
    return in_turn if jobs == 1 else processes(jobs)


def _faults(text: str) -> tuple[str, ...]:
    if text == "all":
        return tuple(FAULTS)
    return () if text == "none" else tuple(dict.fromkeys(part.strip() for part in text.split(",")))


def _code(totals: Totals) -> int:
    match totals.verdict:
        case "violated":
            return VIOLATION
        case "vacuous":
            return complain("VACUOUS: nobody was elected, or no write was acknowledged: this proves nothing", UNKNOWN)
        case "unknown":
            return complain(f"the histories of {totals.unjudged} seeds could not be judged whole", UNKNOWN)
    return GOOD


def _write_repros(totals: Totals, folder: Path) -> tuple[dict[int, str], str]:
    """Seed -> its file, and what kept the others from being written."""
    repros: dict[int, str] = {}
    for failure in totals.failures:
        seed = failure.outcome.setup.seed
        path = folder / "-".join(("repro", *failure.outcome.setup.mistakes, f"{seed}.json"))
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _write(path, written(repro_of(failure.smallest)))
        except OSError as error:
            return repros, f"{path}: {error.strerror}"
        repros[seed] = str(path)
    return repros, ""


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all: half a repro is none, and one of before may be there."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_bytes(data)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


# ---- a failure again ------------------------------------------------------------------------------------------------


def _replay(path: Path, as_json: bool) -> int:
    try:
        repro = read(path.read_bytes(), str(path))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    outcome, same = replay(repro)
    found = outcome.violation
    report = {
        "seed": repro.setup.seed,
        "mistakes": repro.setup.mistakes,
        "monitor": found.light if found else "",
        "evidence": found.evidence if found else "",
        "witness": found.witness if found else (),
        "at_step": outcome.at_step,
        "same": same,
        "trace_hash": outcome.trace_hash,
    }
    print(json.dumps(report, ensure_ascii=False) if as_json else _told(repro, report))
    if found is None:
        return complain(f"{path}: no violation now; it was: {repro.evidence}", UNKNOWN)
    if not same:
        complain(f"{path}: not the run that was recorded (another version of faultline?)", USAGE)
    return VIOLATION


def _told(repro: Repro, report: dict[str, object]) -> str:
    faults = [f"  {line}" for line in repro.setup.schedule or ()] or ["  none"]
    mistakes = [f"mistakes  {', '.join(repro.setup.mistakes)}"] if repro.setup.mistakes else []
    witness = [f"  {line}" for line in msgspec.convert(report["witness"], list[str])]
    head = [f"seed {repro.setup.seed}, {repro.setup.nodes} nodes", *mistakes, "faults", *faults]
    return "\n".join([*head, f"{report['monitor'] or 'no violation'}, step {report['at_step']}", f"  {report['evidence']}", *witness])


# ---- for people -----------------------------------------------------------------------------------------------------


class _Progress:
    """One line that is written over on a terminal, and now and then a line elsewhere."""

    def __init__(self, seeds: int) -> None:
        self._seeds, self._shown_s, self._open = seeds, time.monotonic(), False
        self._alive = sys.stderr.isatty()

    def show(self, totals: Totals) -> None:
        now_s = time.monotonic()
        if now_s - self._shown_s < (0.2 if self._alive else _PROGRESS_EVERY_S * 5):
            return
        self._shown_s, self._open = now_s, self._alive
        rate = totals.messages / max(totals.wall_s, 1e-9)
        line = f"{totals.seeds}/{self._seeds} seeds, {totals.steps:,} steps, {rate:,.0f} messages/s, {totals.violating} failing"
        sys.stderr.write(f"\r{line}\x1b[K" if self._alive else f"{line}\n")
        sys.stderr.flush()

    def end(self) -> None:
        if self._open:
            sys.stderr.write(os.linesep)


def summary(report: dict[str, object]) -> str:
    """The report in a few lines."""
    exercised = msgspec.convert(report["exercised"], dict[str, int])
    violations = msgspec.convert(report["violations"], list[dict[str, str | int]])
    done = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in exercised.items() if count)
    lines = [
        f"{report['verdict']}: {report['seeds']} seeds, {report['steps']:,} steps",
        f"{report['virtual_s']:,} virtual seconds in {report['wall_s']} s",
        f"{report['messages']:,} messages ({report['messages_per_s']:,}/s), {report['heartbeats']:,} heartbeats",
        f"exercised: {done}",
    ]
    for v in violations:
        lines.append(f"seed {v['seed']}, step {v['at_step']}: {v['monitor']}: {v['evidence']}")
        lines.append(f"  {v['repro'] or 'not written'} ({v['repro_faults']} faults, {v['repro_steps']} steps)")
    return "\n".join([*lines, f"trace {report['trace_hash']}"])
