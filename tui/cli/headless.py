"""`faultline live --headless`: start, break by script, heal, count, judge, report.

Law 1: the run ends healed: what was acknowledged is looked for again before anything is stopped.
Law 2: the exit code is the judges' verdict, not ours: violation 1, not judged 3, environment 4.
Law 3: a lab that is to be kept goes on, healed, and is said to.
"""

from __future__ import annotations

import asyncio
import json
import signal
from contextlib import suppress

from cluster.core.errors import EnvironmentFailed
from cluster.core.types import SECOND, Micros, NodeId
from cluster.supervisor.seat import LiveSession, LostSupervisor
from cluster.telemetry.control import LabSpec
from cluster.telemetry.report import Reporter
from tui.cli.conductor import Steps, play
from tui.cli.exits import ENVIRONMENT, GOOD, INTERRUPTED, UNKNOWN, VIOLATION, complain
from tui.cli.summary import summary

READY_DEADLINE_S = 20.0
COUNT_DEADLINE_S = 15.0
CLOSE_DEADLINE_S = 10.0


def run_headless(spec: LabSpec, steps: Steps, for_us: Micros, *, as_json: bool) -> int:
    """One run; returns the exit code."""
    stage, interrupted = asyncio.run(_run(spec, steps, for_us))
    reporter = stage.reporter
    document = reporter.document()
    if spec.keep and not stage.over:
        document["kept"] = stage.lab
        complain(f"the lab goes on: faultline attach {stage.lab} (attach --end {stage.lab} ends it)", GOOD)
    print(json.dumps(document, ensure_ascii=False) if as_json else summary(document))
    if why := stage.why_failed():
        raise EnvironmentFailed(why)
    if interrupted:
        return INTERRUPTED
    if reporter.violated:
        return VIOLATION
    if not document["clean_exit"] and "kept" not in document:
        raise EnvironmentFailed("the lab did not end cleanly")
    if reporter.unknown:
        return complain("the run could not be judged whole: see the report", UNKNOWN)
    return complain("a command of the script was refused: see the report", UNKNOWN) if document["refused"] else GOOD


async def _run(spec: LabSpec, steps: Steps, for_us: Micros) -> tuple[_Stage, bool]:
    """The lab from beginning to end, and whether somebody broke it off. An interrupt counts at every moment, the last count included."""
    interrupt = asyncio.Event()
    _stop_on_signals(interrupt)
    session = await LiveSession.open(spec)
    stage = _Stage(session)
    async with asyncio.TaskGroup() as tasks:
        hearing = tasks.create_task(stage.hear())
        act = tasks.create_task(stage.act(steps, for_us))
        stopper = tasks.create_task(interrupt.wait())
        await asyncio.wait({act, stopper, hearing}, return_when=asyncio.FIRST_COMPLETED)
        stopper.cancel()
        act.cancel()
        if hearing.done() and not interrupt.is_set():
            stage.failed = f"the lab ended early: {stage.reporter.view.closed}"
        await session.close()
        if not spec.keep:
            with suppress(TimeoutError):  # not closed: `clean_exit` stays false
                async with asyncio.timeout(CLOSE_DEADLINE_S):
                    await hearing
        hearing.cancel()
    return stage, interrupt.is_set()


def _stop_on_signals(interrupt: asyncio.Event) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # under nohup a closed terminal is no reason
            asyncio.get_running_loop().add_signal_handler(number, interrupt.set)


class _Stage:
    """The session's events, folded, and a bell that rings at each batch."""

    def __init__(self, session: LiveSession) -> None:
        self._session = session
        self.lab = session.run_dir.name
        self.reporter = Reporter(session.initial)
        self.failed = ""
        self._first_down: NodeId = ""
        self._bell = asyncio.Event()

    async def hear(self) -> None:
        """Fold until the lab is over."""
        try:
            async for batch in self._session.events():
                self.reporter.feed(batch)
                self._bell.set()
        except LostSupervisor as error:
            complain(str(error), ENVIRONMENT)

    @property
    def over(self) -> bool:
        """The lab has ended, whether or not that was wanted."""
        return bool(self.reporter.view.closed)

    async def _until(self, met: object, deadline_s: float) -> None:
        assert callable(met)
        async with asyncio.timeout(deadline_s):
            while not met():
                self._bell.clear()
                await self._bell.wait()

    async def act(self, steps: Steps, for_us: Micros) -> None:
        """Wait for the cluster, play the script, let the time pass, count."""
        reporter = self.reporter
        try:
            await self._until(lambda: self._fallen() or (reporter.all_ready and reporter.has_leader), READY_DEADLINE_S)
        except TimeoutError:
            missing = "no leader" if reporter.all_ready else "not every node is up"
            self.failed = f"after {READY_DEADLINE_S:.0f} s {missing}"
        self._first_down = self._fallen()
        if self.failed or self._first_down:
            return
        zero_s = asyncio.get_running_loop().time()
        await play(self._session, steps, zero_s)
        await asyncio.sleep(max(0.0, zero_s + for_us / SECOND - asyncio.get_running_loop().time()))
        with suppress(TimeoutError):  # not counted: the report says so, and the exit code is "unknown"
            await self._count()

    def _fallen(self) -> NodeId:
        """The first node that ended, before anything was broken by us; "" while there is none."""
        return next((node.node for node in self.reporter.view.nodes.values() if node.process == "down"), "")

    def why_failed(self) -> str:
        """Why there was no run to judge, once the lab is over: a node's last words may come after the news of its end."""
        if not self._first_down:
            return self.failed
        node = self.reporter.view.nodes[self._first_down]
        return f"{node.node} ended: {node.last_complaint or node.why}"

    async def _count(self) -> None:
        """Heal everything and wait for the final count of what was acknowledged."""
        before = self.reporter.view.acked
        await self._session.submit("heal")
        await self._until(lambda: self.reporter.view.acked is not before, COUNT_DEADLINE_S)
