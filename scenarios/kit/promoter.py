"""A monitor of a Redis primary: when it and most of its kind take the primary for dead, the replica is promoted.

Law 1: it judges by silence alone, and silence is all that it hears of a primary behind a cut: that one lives, and serves its own side.
Law 2: one of them (`speaks`) tells a former primary that comes back to follow the new one: what it took in meanwhile is thrown away.

Args: `others` (its kind), `probe_ms`, `timeout_ms` (of the fixed detector), `speaks`. Toggle: `detector` (fixed, phi).
"""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlsplit

from redis.exceptions import RedisError

from cluster.backends.redis.client import RedisPort
from cluster.core.detect.verdicts import Detector
from cluster.core.errors import FaultlineError
from cluster.core.policy import DetectPolicy
from cluster.core.types import MS
from cluster.monotonic import now_us
from scenarios.kit.calls import OK, Caller, serve
from scenarios.kit.process import Process

PRIMARY = "redis"
DECIDERS = {"fixed": "timeout", "phi": "akka"}


async def main(process: Process) -> None:
    promoter = Promoter(process)
    await serve(process.socket_of(process.name), {"opinion": promoter.opinion}, process.tasks)
    process.tasks.create_task(promoter.watch())
    await process.for_ever()


class Promoter:
    def __init__(self, process: Process) -> None:
        self._process = process
        args, urls = process.args, process.backends[PRIMARY]
        self._old, self._new = RedisPort(urls[0]), RedisPort(urls[1])
        self._new_at = urlsplit(urls[1])
        self._probe_s = args["probe_ms"] / 1_000
        self._others = [Caller(process.socket_of(name)) for name in args["others"]]
        self._detectors = {kind: _detector(form, args["probe_ms"], args["timeout_ms"]) for kind, form in DECIDERS.items()}
        self._promoted = False

    async def opinion(self, _args: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """What the others ask."""
        return OK, {"down": self._down()}

    async def watch(self) -> None:
        while True:
            primary = await self._probe()
            if primary is not None:
                for detector in self._detectors.values():
                    detector.heard(PRIMARY, now_us())
            if not self._promoted and self._down() and await self._most_agree():
                await self._promote()
            elif self._promoted and primary and self._process.args["speaks"]:
                await self._old.follow(str(self._new_at.hostname), int(self._new_at.port or 0))
                self._process.trace("monitor.demoted")
            await asyncio.sleep(self._probe_s)

    async def close(self) -> None:
        await self._old.close()
        await self._new.close()

    async def _probe(self) -> bool | None:
        """Whether the old primary says that it is one; None when it says nothing."""
        try:
            async with asyncio.timeout(self._probe_s):
                return await self._old.primary()
        except (RedisError, OSError, TimeoutError):
            return None

    async def _promote(self) -> None:
        await self._new.promote()
        self._promoted = True
        self._process.trace("monitor.promoted")

    def _down(self) -> bool:
        detector = self._detectors[self._process.toggle("detector")]
        detector.check(now_us())
        return not detector.alive(PRIMARY)

    async def _most_agree(self) -> bool:
        answers = await asyncio.gather(*map(self._asked, self._others))
        return 2 * (1 + sum(answers)) > 1 + len(self._others)

    async def _asked(self, other: Caller) -> bool:
        try:
            return bool((await other.call("opinion", within_ms=1_000 * self._probe_s)).body["down"])
        except FaultlineError:
            return False


def _detector(form: str, probe_ms: float, timeout_ms: float) -> Detector:
    policy = DetectPolicy(decider=form, first_estimate_us=round(probe_ms * MS), timeout_us=round(timeout_ms * MS))
    return Detector(policy, [PRIMARY])
