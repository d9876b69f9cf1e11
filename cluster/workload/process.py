"""A workload client as an operating-system process: what the zygote's child runs.

Law 1: when the line to the supervisor ends, so does the process.
"""

from __future__ import annotations

import asyncio
import os
import signal

import msgspec

from cluster.telemetry.control import WorkloadSpec
from cluster.workload.client import Client
from cluster.workload.link import Link

_NICENESS = 5


def run(spec: bytes) -> None:
    """Be the client that `spec` (a msgpack `WorkloadSpec`) describes; ends the process."""
    decoded = msgspec.msgpack.decode(spec, type=WorkloadSpec)
    os.nice(_NICENESS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asyncio.run(_live(decoded))


async def _live(spec: WorkloadSpec) -> None:
    loop = asyncio.get_running_loop()
    async with asyncio.TaskGroup() as tasks:
        client = Client(spec, tasks)
        _, link = await loop.create_unix_connection(lambda: Link(spec.client, client.obey, lambda: os._exit(0)), spec.control_path)
        await client.run(link)
