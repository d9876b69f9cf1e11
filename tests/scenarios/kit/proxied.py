"""A proxy in this process, between a caller and a server of our own, or between a client and a server of bytes."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

from cluster.faults import LinkFault
from scenarios.control import Caught, Route, Routed, Word
from scenarios.kit.process import Process
from scenarios.kit.proxy import Proxy
from scenarios.links import AnswerFault, Rule

HEALTHY = Rule(LinkFault("a", "b"))
CUT = Rule(LinkFault("a", "b", cut=True))


class Lived:
    """As much of a process as a proxy needs."""

    name = "x1"

    def __init__(self, args: dict[str, Any], tasks: asyncio.TaskGroup) -> None:
        self.args = args
        self.tasks = tasks
        self.rng = random.Random(1)
        self.said: list[Word] = []
        self.traced: list[str] = []
        self.caught = asyncio.Event()

    def say(self, word: Word) -> None:
        self.said.append(word)
        if isinstance(word, Caught):
            self.caught.set()

    def trace(self, event: str, **_fields: Any) -> None:
        self.traced.append(event)


class Between:
    """`there` and `back` are rules; what the proxy said and traced can be read."""

    def __init__(self, args: dict[str, Any], tasks: asyncio.TaskGroup) -> None:
        self.lived = Lived(args, tasks)
        self.proxy = Proxy(cast(Process, self.lived))
        self._version = 0

    def obey(self, there: Rule = HEALTHY, back: Rule = HEALTHY) -> None:
        self._version += 1
        self.proxy.obey(Route(self._version, there, back))
        assert self.lived.said[-1] == Routed("x1", self._version)

    @property
    def caught(self) -> list[tuple[int, str]]:
        return [(word.step, word.value) for word in self.lived.said if isinstance(word, Caught)]


class Over(Exception):
    pass


@asynccontextmanager
async def running(args: dict[str, Any]) -> AsyncIterator[tuple[Between, asyncio.TaskGroup]]:
    try:
        async with asyncio.TaskGroup() as tasks:
            made = Between(args, tasks)
            await made.proxy.open()
            yield made, tasks
            made.proxy.close()
            for _ in range(4):  # both ends of every connection hear of it, and are closed
                await asyncio.sleep(0)
            raise Over
    except* Over:
        pass


@asynccontextmanager
async def between(root: Path, *, calls: bool, delay_ms: float = 0.0) -> AsyncIterator[tuple[Between, asyncio.TaskGroup]]:
    """It listens at `root/x1`, and leads to `root/s`."""
    ends = {"src": "a", "dst": "b", "listen": str(root / "x1"), "target": str(root / "s")}
    async with running({**ends, "calls": calls, "delay_ms": delay_ms, "jitter_ms": 0.0}) as made:
        yield made


def eats(*values: str, hold_ms: float | None = None, hits: int = 1) -> Rule:
    return Rule(LinkFault("a", "b"), (AnswerFault(0, "payment", values, hits, "", hold_ms),))
