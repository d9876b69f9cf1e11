"""PySyncObj: a Raft library for Python. It has no network client, so the load runs inside the leader, which only helps it.

Two settings: its defaults, and ticks of a millisecond, which are better at few in flight. It keeps its log in memory and never syncs.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from cluster.core.errors import EnvironmentFailed
from tui.bench.rivals.household import Household
from tui.bench.rivals.rival import Loaded, cpu_s

SETTINGS: Final[dict[str, dict[str, Any]]] = {
    "pysyncobj": {},
    "pysyncobj-fast": {"appendEntriesPeriod": 0.001, "autoTickPeriod": 0.001},
}
LEADER_WITHIN_S: Final = 20.0
LOOK_EVERY_S: Final = 0.05
NODE: Final = Path(__file__).with_name("pysyncobj_node.py")


class PySyncObj:
    """One setting of it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._house: Household | None = None
        self._leader: subprocess.Popen[str] | None = None

    async def start(self, nodes: int) -> None:
        if importlib.util.find_spec("pysyncobj") is None:
            raise EnvironmentFailed(f"pysyncobj is not installed ({sys.executable} -m pip install pysyncobj)")
        self._house = house = Household(self.name, nodes)
        addresses = [f"127.0.0.1:{port}" for port in house.ports]
        for place, address in enumerate(addresses):
            others = [other for other in addresses if other != address]
            spec = {"address": address, "others": others, "settings": SETTINGS[self.name]}
            house.spawn(f"n{place + 1}", [sys.executable, "-P", str(NODE), json.dumps(spec)], talks=True)
        self._leader = await self._led(house)

    async def _led(self, house: Household) -> subprocess.Popen[str]:
        try:
            async with asyncio.timeout(LEADER_WITHIN_S):
                while True:
                    for process in house.processes:
                        if (await _ask(process, {"do": "status"}))["leads"]:
                            return process
                    await asyncio.sleep(LOOK_EVERY_S)
        except TimeoutError:
            raise EnvironmentFailed(f"pysyncobj elected nobody within {LEADER_WITHIN_S:g} s: {house.last_words('n1')}") from None

    async def load(self, inflight: int, for_s: float) -> Loaded:
        assert self._house is not None, "it was started"
        assert self._leader is not None, "it was started"
        await _ask(self._leader, {"do": "load", "inflight": inflight, "for_s": for_s})  # warm now
        before = cpu_s(self._house.pids)
        await _read(self._leader)  # the measured time is over
        used_s = cpu_s(self._house.pids) - before
        found = await _read(self._leader)
        return Loaded(found["done"], found["failed"], found["took_s"], found["latencies_us"], used_s, -1.0)

    async def stop(self) -> None:
        if self._house is not None:
            self._house.close()


async def _ask(process: subprocess.Popen[str], order: dict[str, Any]) -> dict[str, Any]:
    assert process.stdin is not None, "it talks"
    try:
        process.stdin.write(json.dumps(order) + "\n")
        process.stdin.flush()
    except OSError as error:
        raise EnvironmentFailed(f"a pysyncobj node has ended: {error.strerror}") from error
    return await _read(process)


async def _read(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None, "it talks"
    line = await asyncio.to_thread(process.stdout.readline)
    if not line:
        raise EnvironmentFailed("a pysyncobj node has ended")
    answer: dict[str, Any] = json.loads(line)
    return answer
