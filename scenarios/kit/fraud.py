"""A fraud check that takes its time, and so opens the window between taking a lock and writing under it.

Args: `check_ms`.
"""

from __future__ import annotations

import asyncio
from typing import Any

from scenarios.kit.calls import OK, serve
from scenarios.kit.process import Process


async def main(process: Process) -> None:
    check_s = process.args["check_ms"] / 1_000

    async def check(_args: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        await asyncio.sleep(check_s)
        return OK, {"fraud": False}

    await serve(process.socket_of(process.name), {"check": check}, process.tasks)
    await process.for_ever()
