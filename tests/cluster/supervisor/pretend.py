"""A lab whose processes are only pretended: everything of the supervisor but the zygote, the sockets and the waiting.

The kernel's answers wait until `kernel()` is called, so that a test says when a signal has taken effect.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

from cluster.monotonic import now_us
from cluster.supervisor.brood import Brood
from cluster.supervisor.chronicle import Chronicle
from cluster.supervisor.collector import Collector
from cluster.supervisor.judges import Judges
from cluster.supervisor.lab import Lab, Place
from cluster.supervisor.orders import Orders
from cluster.supervisor.seats import Seats
from cluster.supervisor.zygote import Continued, Exited, Report, Started, Stopped
from cluster.telemetry.control import LabSpec
from cluster.telemetry.events import CommandDone, Event, NodeReady, ProcessChanged, RoleTaken


class PretendBrood:
    """What `Brood` offers, with children that exist on paper. `sent`: every signal, in order."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []
        self.spawned: list[str] = []
        self._answers: list[Report] = []
        self._alive: dict[str, bool] = {}  # name -> stopped
        self._last_pid = 1_000

    def spawn(self, name: str, entry: str, payload: bytes, log_path: str) -> None:
        self._last_pid += 1
        self.spawned.append(name)
        self._alive[name] = False
        self._answers.append(Started(name, self._last_pid, 0))

    def signal(self, name: str, signum: signal.Signals) -> None:
        self.sent.append((name, signum.name))
        if name not in self._alive:
            return
        match signum:
            case signal.SIGSTOP if not self._alive[name]:
                self._alive[name] = True
                self._answers.append(Stopped(name, 0))
            case signal.SIGCONT if self._alive[name]:
                self._alive[name] = False
                self._answers.append(Continued(name, 0))
            case signal.SIGKILL | signal.SIGTERM:
                self.dies(name, -int(signum))
            case _:
                pass

    def dies(self, name: str, status: int) -> None:
        """Also by itself."""
        del self._alive[name]
        self._answers.append(Exited(name, 1, status, 0))

    def answers(self) -> list[Report]:
        answers, self._answers = self._answers, []
        return answers

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._alive)


class PretendLab:
    """A lab of `nodes` nodes, all up, with `n1` as leader; `ask` gives an order as a seat."""

    def __init__(self, path: Path, nodes: int, tasks: asyncio.TaskGroup) -> None:
        spec = LabSpec(nodes=nodes, seed=1, clients=1, workload_rate=0)
        place = Place("run", str(path / "s"), str(path), str(path / "nodes"), tuple(range(2_001, 2_001 + nodes)), b"secret", 0)
        self.chronicle = Chronicle()
        self.told: list[Event] = []
        self.chronicle.listen(self.told.append)
        self.brood = PretendBrood()
        self.lab = lab = Lab(spec, place, self.chronicle, cast(Brood, self.brood))
        lab.tasks = tasks
        self.observers: set[str] = set()
        seats = Seats(self.chronicle, lambda *_: None, lambda _: True)
        lab.judges = Judges(self.chronicle.tell, lambda _: None)
        lab.collector = Collector(lab.fleet, self.chronicle, seats, lambda _: None)
        self.orders = Orders(lab, self.observers.__contains__)
        self._requests = 0
        lab.open()
        self.kernel()
        self.leads("n1", 1)

    def kernel(self) -> None:
        """Every signal and fork takes effect, and nodes that run say that they serve."""
        while answers := self.brood.answers():
            for answer in answers:
                self.lab.fleet.hear(answer)
                name, _, epoch = answer.name.partition(".")
                if isinstance(answer, Started | Continued) and name in self.lab.members:
                    ready = NodeReady(name, now_us(), int(epoch), 1, 0, 0)
                    self.chronicle.tell(ready)
                    self.lab.fleet.ready(ready)

    def leads(self, node: str, term: int) -> None:
        self.chronicle.tell(RoleTaken(node, now_us(), "leader", term, node, "votes"))

    def dies(self, node: str, status: int) -> None:
        """A process that nobody asked to end."""
        self.brood.dies(f"{node}.{self.lab.fleet.epoch(node)}", status)
        self.kernel()

    def ask(self, text: str, seat: str = "ada") -> CommandDone:
        """An order, and its one answer."""
        self._requests += 1
        self.orders.obey(seat, self._requests, text)
        done = [event for event in self.told if isinstance(event, CommandDone) and event.request == self._requests]
        assert len(done) == 1, f"{text} was answered {len(done)} times"
        assert (done[0].seat, done[0].text) == (seat, text)
        return done[0]

    def order(self, text: str, seat: str = "ada") -> str:
        """`ask`, carried out, and the kernel has done its part."""
        done = self.ask(text, seat)
        assert done.ok, done.answer
        self.kernel()
        return done.answer

    def refused(self, text: str, seat: str = "ada") -> str:
        done = self.ask(text, seat)
        assert not done.ok, done.answer
        return done.answer

    def all_of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.told if isinstance(event, kind)]

    def states(self, node: str) -> list[str]:
        """What became of the process, in order."""
        return [event.state for event in self.told if isinstance(event, ProcessChanged) and event.node == node]

    def process(self, node: str) -> str:
        return self.chronicle.view.nodes[node].process


@asynccontextmanager
async def pretended(path: Path, nodes: int = 5) -> AsyncIterator[PretendLab]:
    async with asyncio.TaskGroup() as tasks:
        pretend = PretendLab(path, nodes, tasks)
        yield pretend
        pretend.lab.stop_clocks()
        for task in list(tasks._tasks):
            task.cancel()
