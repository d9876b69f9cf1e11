"""The exact list of pages that were crawled: never wrong, and dear enough that a filter stands before it.

Law 1: looking and adding are one step: an address is new for one crawler only.
"""

from __future__ import annotations

from typing import Any

from scenarios.kit import pages
from scenarios.kit.calls import OK, serve
from scenarios.kit.process import Process


async def main(process: Process) -> None:
    crawled = {pages.address(number) for number in range(pages.HISTORY)}

    async def claim(args: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        new = [url for url in args["urls"] if url not in crawled]
        crawled.update(new)
        return OK, {"new": new}

    await serve(process.socket_of(process.name), {"claim": claim}, process.tasks)
    await process.for_ever()
