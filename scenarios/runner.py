"""One run of an incident: real processes, real faults, records, and a verdict read back from them.

Law 1: broken and canonical run the same faults over the same workload from the same seed; toggles alone differ.
Law 2: nothing here knows how an incident ends: the verdict is the oracle's, over files.
Law 3: whatever happens in here, no process, server or port of the run is left.
"""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import signal
import time
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec

from cluster.core.errors import EnvironmentFailed
from cluster.supervisor import rundir
from cluster.supervisor.zygote import fork_zygote
from scenarios import proxies
from scenarios.backends import server_names
from scenarios.catalog import Incident
from scenarios.commission import Asked as Asked
from scenarios.commission import Staged
from scenarios.faults import failpoints_of
from scenarios.feed import Judged
from scenarios.judging import judge, seal
from scenarios.keeping import in_use, prune
from scenarios.lines import LineFile, write_whole
from scenarios.model import Card, calmed, choose, present
from scenarios.opening import opened
from scenarios.outcome import Outcome
from scenarios.performance import Performance, Place
from scenarios.reach import check_reach
from scenarios.records import Params, RecordsBroken
from scenarios.seats import Seats
from scenarios.servers import check_urls, preloads, prepare
from scenarios.tracing import Traces

SEED_MAX = 2**32 - 1
_CHANGED = "-changed"


class Front(msgspec.Struct, frozen=True):
    """Who started this run and watches it: its line (the run ends when it is closed), and how it is told where the seats are."""

    line: int
    tell: Callable[[Staged], None]


Conclude = Callable[[str], Outcome]


def drawn_seed(seed: int) -> int:
    return seed or 1 + secrets.randbelow(0xFFFF)


def run(incident: Incident, asked: Asked, runs: Path, front: Front | None = None) -> Outcome:
    """Run, judge, seal. Call it while this process has one thread and no event loop. Raises `UsageError`, `EnvironmentFailed`."""
    card = incident.card
    toggles = choose(card, asked.variant, asked.settings)
    check_urls(card.backend, asked.backends, card.slug)
    check_reach(present(card, toggles), asked.backends)
    params = Params(card.slug, asked.variant, toggles, drawn_seed(asked.seed), asked.scale)
    workload = [] if "workload" in asked.without else incident.play.workload(random.Random(params.seed))
    label = asked.variant if not asked.without and toggles == card.toggles(asked.variant) else asked.variant + _CHANGED
    records = _records_dir(runs, f"{card.slug}-{label}")
    with in_use(records):
        prune(runs)
        write_whole(records / "params.json", msgspec.json.encode(params) + b"\n")
        write_whole(records / "truth.json", msgspec.json.encode({"workload": workload}) + b"\n")
        card = present(card, toggles)
        if "faults" in asked.without:
            card = calmed(card)
        began_s = time.monotonic()

        def conclude(failed: str) -> Outcome:
            return _concluded(incident, records, round(time.monotonic() - began_s, 3), failed)

        there = {proc.name for proc in card.proc}
        armable = tuple(name for name in failpoints_of(incident.card.fault) if name.partition("@")[2] in there)
        return _play(card, params, workload, asked.backends, records, conclude, front, armable)


def _concluded(incident: Incident, records: Path, duration_s: float, failed: str) -> Outcome:
    """Judge and seal. A run that was changed by hand is not one of its variant any more, and must not be taken for its last."""
    try:
        outcome = judge(incident, records, duration_s, failed)
    except RecordsBroken as broken:  # not even what was asked for: somebody removed it
        raise EnvironmentFailed(f"{records}/{broken}") from None
    if outcome.by_hand and not records.name.endswith(_CHANGED):
        records = records.rename(records.with_name(records.name + _CHANGED))
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


def _play(
    card: Card, params: Params, workload: Any, urls: dict[str, tuple[str, ...]], records: Path, conclude: Conclude, front: Front | None,
    armable: tuple[str, ...],
) -> Outcome:  # fmt: skip
    """The run itself, and what is concluded from it."""
    with ExitStack() as stack:
        base = rundir.base_dir(f"{rundir.base_dir()}-incidents")
        rundir.sweep(base)
        work = rundir.make(base)
        stack.callback(work.close)
        traces = Traces(records / "trace")
        stack.callback(traces.close)
        servers = prepare(card.backend, params, urls, work.path, traces.write, stack)
        groups = {name: server_names(name, backend) for name, backend in card.backend.items()}
        links = proxies.prepare(card.link, params, groups, servers.urls, work.path, stack)
        apps = [*([proxies.APP] if card.link else []), *(proc.app for proc in card.proc)]
        modules = ("scenarios.kit.process", *dict.fromkeys(f"scenarios.{app}" for app in apps), *preloads(card.backend))
        zygote_pid, channel = fork_zygote(modules, str(work.path / "log" / "zygote.log"))
        logs = [LineFile(records / f"{name}.jsonl") for name in ("supervisor", "faults", "phases")]
        for log in logs:
            stack.callback(log.close)
        performance = Performance(card, params, workload, Place(records, work.path, servers, links), logs[0], logs[1], logs[2], armable)
        seats = Seats(work.path, records, opened(card, params, records, workload, armable), performance.obey)
        return asyncio.run(_before_seats(performance.play(zygote_pid, channel), seats, conclude, records, front))


async def _before_seats(playing: Coroutine[Any, Any, str], seats: Seats, conclude: Conclude, records: Path, front: Front | None) -> Outcome:
    """The run with an audience, which may be nobody. Everything is told before it is judged: then the files may move."""
    await seats.open()
    if front is not None:
        asyncio.get_running_loop().add_reader(front.line, _line_ended, front.line)
        front.tell(Staged(seats.path, str(records)))
    try:
        failed = await playing
        await seats.tell_all()
    finally:
        seats.close()
    outcome = conclude(failed)
    await seats.end(Judged(outcome))
    return outcome


def _line_ended(line: int) -> None:
    """As a Ctrl-C: everything is cancelled, and ends in order."""
    if not os.read(line, 1):
        asyncio.get_running_loop().remove_reader(line)
        signal.raise_signal(signal.SIGINT)
