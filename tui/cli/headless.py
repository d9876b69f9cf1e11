"""`faultline live --headless`: start, break by script, heal, count, judge, report.

Law 1: the run ends healed: what was acknowledged is looked for again before anything is stopped.
Law 2: the exit code is the judges' verdict, not ours: violation 1, not judged 3, environment 4.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from contextlib import suppress

from cluster.core.errors import EnvironmentFailed
from cluster.core.types import SECOND, Micros
from cluster.supervisor.seat import LiveSession, LostSupervisor
from cluster.telemetry.control import LabSpec
from cluster.telemetry.report import Reporter
from tui.cli.conductor import Steps, play
from tui.cli.exits import GOOD, INTERRUPTED, UNKNOWN, VIOLATION, complain
from tui.cli.summary import summary

READY_DEADLINE_S = 20.0
COUNT_DEADLINE_S = 15.0
CLOSE_DEADLINE_S = 10.0


def run_headless(spec: LabSpec, steps: Steps, for_us: Micros, *, as_json: bool) -> int:
    """One run; returns the exit code."""
    reporter, interrupted = asyncio.run(_run(spec, steps, for_us))
    document = reporter.document()
    print(json.dumps(document, ensure_ascii=False) if as_json else summary(document))
    if interrupted:
        return INTERRUPTED
    if reporter.violated:
        return VIOLATION
    if not document["clean_exit"]:
        raise EnvironmentFailed("the lab did not end cleanly")
    if reporter.unknown:
        return complain("the run could not be judged whole: see the report", UNKNOWN)
    return complain("a command of the script was refused: see the report", UNKNOWN) if document["refused"] else GOOD


async def _run(spec: LabSpec, steps: Steps, for_us: Micros) -> tuple[Reporter, bool]:
    session = await LiveSession.open(spec)
    stage = _Stage(session)
    interrupt = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupt.set)
    async with asyncio.TaskGroup() as tasks:
        hearing = tasks.create_task(stage.hear())
        act = tasks.create_task(stage.act(steps, for_us))
        stopper = tasks.create_task(interrupt.wait())
        await asyncio.wait({act, stopper, hearing}, return_when=asyncio.FIRST_COMPLETED)
        stopper.cancel()
        if not act.done():
            act.cancel()
        elif act.exception() is None and not interrupt.is_set():
            with suppress(TimeoutError):  # not counted: the report says so, and the exit code is "unknown"
                await stage.count()
        await session.close()
        with suppress(TimeoutError):  # not closed: `clean_exit` stays false
            async with asyncio.timeout(CLOSE_DEADLINE_S):
                await hearing
        hearing.cancel()
    return stage.reporter, interrupt.is_set()


class _Stage:
    """The session's events, folded, and a bell that rings at each batch."""

    def __init__(self, session: LiveSession) -> None:
        self._session = session
        self.reporter = Reporter(session.initial)
        self._bell = asyncio.Event()

    async def hear(self) -> None:
        """Fold until the lab is over."""
        try:
            async for batch in self._session.events():
                self.reporter.feed(batch)
                self._bell.set()
        except LostSupervisor as error:
            print(f"faultline: {error}", file=sys.stderr)

    async def _until(self, met: object, deadline_s: float) -> None:
        assert callable(met)
        async with asyncio.timeout(deadline_s):
            while not met():
                self._bell.clear()
                await self._bell.wait()

    async def act(self, steps: Steps, for_us: Micros) -> None:
        """Wait for the cluster, play the script, let the time pass."""
        reporter = self.reporter
        try:
            await self._until(lambda: reporter.all_ready and reporter.has_leader, READY_DEADLINE_S)
        except TimeoutError:
            missing = "no leader" if reporter.all_ready else "not every node is up"
            raise EnvironmentFailed(f"after {READY_DEADLINE_S:.0f} s {missing}") from None
        zero_s = asyncio.get_running_loop().time()
        await play(self._session, steps, zero_s)
        await asyncio.sleep(max(0.0, zero_s + for_us / SECOND - asyncio.get_running_loop().time()))

    async def count(self) -> None:
        """Heal everything and wait for the final count of what was acknowledged."""
        before = self.reporter.view.acked
        await self._session.submit("heal")
        await self._until(lambda: self.reporter.view.acked is not before, COUNT_DEADLINE_S)
