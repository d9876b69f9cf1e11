"""One run of an incident: real processes, real faults, records, and a verdict read back from them.

Law 1: broken and canonical run the same faults over the same workload from the same seed; toggles alone differ.
Law 2: nothing here knows how an incident ends: the verdict is the oracle's, over files.
Law 3: whatever happens in here, no process, server or port of the run is left.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec

from cluster.core.errors import EnvironmentFailed
from cluster.supervisor import rundir
from cluster.supervisor.zygote import fork_zygote
from scenarios.catalog import Incident
from scenarios.judging import Outcome, judge, seal
from scenarios.lines import LineFile
from scenarios.model import Card, calmed, choose
from scenarios.performance import Performance, Place
from scenarios.records import Params
from scenarios.servers import check_urls, preloads, prepare
from scenarios.tracing import Traces

SEED_MAX = 2**32 - 1


class Asked(msgspec.Struct, frozen=True):
    """What somebody wants of a run. `without`: "faults" or "workload" are left out, to see that nothing passes for nothing."""

    variant: str = "broken"
    settings: tuple[str, ...] = ()
    seed: int = 0  # 0: drawn
    scale: float = 1.0
    backends: dict[str, tuple[str, ...]] = {}
    without: tuple[str, ...] = ()


def drawn_seed(seed: int) -> int:
    return seed or 1 + secrets.randbelow(0xFFFF)


def run(incident: Incident, asked: Asked, runs: Path) -> Outcome:
    """Run, judge, seal. Call it while this process has one thread and no event loop. Raises `UsageError`, `EnvironmentFailed`."""
    card = incident.card
    toggles = choose(card, asked.variant, asked.settings)
    check_urls(card.backend, asked.backends, card.slug)
    params = Params(card.slug, asked.variant, toggles, drawn_seed(asked.seed), asked.scale)
    workload = [] if "workload" in asked.without else incident.play.workload(random.Random(params.seed))
    label = asked.variant if not asked.without and toggles == card.toggles(asked.variant) else f"{asked.variant}-changed"
    records = _records_dir(runs, f"{card.slug}-{label}")
    (records / "params.json").write_bytes(msgspec.json.encode(params) + b"\n")
    (records / "truth.json").write_bytes(msgspec.json.encode({"workload": workload}) + b"\n")
    if "faults" in asked.without:
        card = calmed(card)
    began_s = time.monotonic()
    failed = _play(card, params, workload, asked.backends, records)
    duration_s = round(time.monotonic() - began_s, 3)
    outcome = judge(incident, records, duration_s, failed)
    if outcome.by_hand and label == asked.variant:
        # It is not a run of the variant any more, and must not be taken for its last one.
        records = records.rename(records.with_name(f"{records.name}-changed"))
        outcome = msgspec.structs.replace(outcome, run_dir=str(records))
    seal(records, outcome)
    return outcome


def _records_dir(runs: Path, label: str) -> Path:
    """A new directory, whose name sorts by time."""
    while True:
        now_s = time.time()
        path = runs / f"{time.strftime('%Y%m%d-%H%M%S', time.localtime(now_s))}.{int(now_s * 1000) % 1000:03d}-{label}"
        try:
            path.mkdir(mode=0o700, parents=True)
            (path / "log").mkdir(mode=0o700)
        except FileExistsError:
            continue
        except OSError as error:
            raise EnvironmentFailed(f"cannot make {path}: {error.strerror}") from error
        return path


def _play(card: Card, params: Params, workload: Any, urls: dict[str, tuple[str, ...]], records: Path) -> str:
    """The run itself. Returns why it failed as a run; empty when there is something to judge."""
    with ExitStack() as stack:
        base = rundir.base_dir(f"{rundir.base_dir()}-incidents")
        rundir.sweep(base)
        work = rundir.make(base)
        stack.callback(work.close)
        traces = Traces(records / "trace")
        stack.callback(traces.close)
        servers = prepare(card.backend, params, urls, work.path, traces.write, stack)
        modules = ("scenarios.kit.process", *{f"scenarios.{proc.app}": 0 for proc in card.proc}, *preloads(card.backend))
        zygote_pid, channel = fork_zygote(modules, str(work.path / "log" / "zygote.log"))
        logs = [LineFile(records / f"{name}.jsonl") for name in ("supervisor", "faults")]
        for log in logs:
            stack.callback(log.close)
        performance = Performance(card, params, workload, Place(records, work.path, servers), logs[0], logs[1])
        return asyncio.run(performance.play(zygote_pid, channel))
