"""A real lab for a test: a seat that remembers what it heard, and processes that can be waited for."""

from __future__ import annotations

import asyncio
import os
import select
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import msgspec

from cluster.supervisor.seat import LiveSession, LostSupervisor
from cluster.telemetry.control import LabSpec
from cluster.telemetry.events import CommandDone, Event, FaultBegan
from cluster.telemetry.fold import fold
from cluster.telemetry.roster import leader_of
from cluster.telemetry.view import ClusterView

DEADLINE_S = 20.0
SOON_S = 1.0  # what "within a second" promises

E = TypeVar("E")


class Listener:
    """A session whose events are folded and kept."""

    def __init__(self, session: LiveSession) -> None:
        self.session = session
        self.view: ClusterView = session.initial
        self.heard: list[Event] = []
        self.lost: LostSupervisor | None = None
        self._bell = asyncio.Event()
        self._task = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        try:
            async for batch in self.session.events():
                for event in batch:
                    self.view = fold(self.view, event)
                    self.heard.append(event)
                self._bell.set()
        except LostSupervisor as lost:
            self.lost = lost
        self._bell.set()

    async def until(self, holds: Callable[[ClusterView], object], deadline_s: float = DEADLINE_S) -> ClusterView:
        try:
            async with asyncio.timeout(deadline_s):
                while not holds(self.view):
                    assert not self._task.done(), f"the lab ended ({self.view.closed}) before it happened"
                    self._bell.clear()
                    await self._bell.wait()
        except TimeoutError as late:
            nodes = self.view.nodes.values()
            late.add_note(f"{[(n.node, n.process, n.why, n.last_complaint) for n in nodes]}, leader {leader_of(self.view)}")
            raise
        return self.view

    async def over(self) -> None:
        """Until the events end."""
        async with asyncio.timeout(DEADLINE_S):
            await self._task

    async def ask(self, text: str) -> CommandDone:
        """Submit and wait for the answer."""
        request = await self.session.submit(text)
        mine = (self.session.name, request)

        def answer() -> CommandDone | None:
            found = [e for e in self.heard if isinstance(e, CommandDone) and (e.seat, e.request) == mine]
            return found[0] if found else None

        await self.until(lambda _: answer())
        done = answer()
        assert done is not None
        return done

    async def order(self, text: str) -> CommandDone:
        """`ask`, and it must be carried out."""
        done = await self.ask(text)
        assert done.ok, done.answer
        return done

    async def fault(self, text: str) -> FaultBegan:
        """Begin a fault; returns how it was told. The answer names it: another seat's may have come in between."""
        number = (await self.order(text)).answer.split()[0]
        return next(begun for begun in self.all_of(FaultBegan) if f"#{begun.id}" == number)

    def all_of(self, kind: type[E]) -> list[E]:
        return [event for event in self.heard if isinstance(event, kind)]

    @property
    def node_pids(self) -> list[int]:
        return [node.pid for node in self.view.nodes.values() if node.process != "down"]


def standing(view: ClusterView) -> bool:
    """All nodes up and a leader known."""
    return leader_of(view) is not None and all(node.process == "up" for node in view.nodes.values())


class Labs:
    """Opens labs under a short directory of their own, and ends whatever is left of them."""

    def __init__(self) -> None:
        self.base = Path(tempfile.mkdtemp(prefix="fl-", dir="/tmp"))
        self._open: list[Listener] = []

    async def open(self, spec: LabSpec | None = None, *, stand: bool = True) -> Listener:
        wanted = msgspec.structs.replace(spec or LabSpec(nodes=3, seed=7), run_base=str(self.base))
        listener = Listener(await LiveSession.open(wanted, "tester"))
        self._open.append(listener)
        if stand:
            await listener.until(standing)
        return listener

    async def attach(self, listener: Listener, name: str, *, observer: bool = False) -> Listener:
        another = Listener(await LiveSession.attach(listener.session.run_dir, name, observer=observer))
        self._open.append(another)
        return another

    def forget(self, listener: Listener) -> None:
        """It has ended, and nothing of it is kept."""
        self._open.remove(listener)

    async def close(self) -> None:
        for listener in reversed(self._open):
            await listener.session.close(end=True)
        shutil.rmtree(self.base)

    @property
    def run_dirs(self) -> list[Path]:
        return [path for path in self.base.iterdir() if path.is_dir()]


class Watched:
    """Processes that were alive when the watch began: `all_gone` waits for the kernel to say that each has ended."""

    def __init__(self, pids: list[int]) -> None:
        self._handles = {pid: os.pidfd_open(pid) for pid in pids}

    async def all_gone(self, within_s: float = SOON_S) -> None:
        left = await asyncio.get_running_loop().run_in_executor(None, self.still_there, within_s)
        assert not left, f"{left} outlived their lab"

    def still_there(self, within_s: float = DEADLINE_S) -> list[int]:
        """The pids of those that have not ended after so long."""
        poller = select.poll()
        left = {handle: pid for pid, handle in self._handles.items()}
        for handle in left:
            poller.register(handle, select.POLLIN)
        deadline = time.monotonic() + within_s
        while left and (wait_s := deadline - time.monotonic()) > 0:
            for handle, _ in poller.poll(wait_s * 1_000):
                poller.unregister(handle)
                del left[handle]
        return list(left.values())

    def close(self) -> None:
        for handle in self._handles.values():
            os.close(handle)


def parent_of(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[1])


def state_of(pid: int) -> str:
    """`T` is stopped, `Z` dead and not reaped."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def children_of(pid: int) -> list[int]:
    found: list[int] = []
    for path in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            if path.name.isdigit() and parent_of(int(path.name)) == pid and state_of(int(path.name)) != "Z":
                found.append(int(path.name))
    return found
