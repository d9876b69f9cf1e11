"""A web site with pages, hubs that link to them, and a sitemap that says which pages matter most. Its access log is its ledger.

Law 1: whoever asks is served, and every request is in the log before its answer leaves: what was never asked for is not there.

Args: `pages` (the new ones: url, high_value).
"""

from __future__ import annotations

from typing import Any

from scenarios.kit import pages
from scenarios.kit.calls import OK, serve
from scenarios.kit.ledger import Ledger
from scenarios.kit.process import Process

NOT_FOUND = 404


async def main(process: Process) -> None:
    site = Site(process.args["pages"], Ledger.open(process.ledger_path, process.tasks))
    await serve(process.socket_of(process.name), {"sitemap": site.sitemap, "get": site.get}, process.tasks)
    await process.for_ever()


class Site:
    """Its methods are what visitors may ask."""

    def __init__(self, new: list[dict[str, Any]], log: Ledger) -> None:
        self._log = log
        self._hubs = pages.hubs(new)
        self._high_value = [page["url"] for page in new if page["high_value"]]
        self._known = {page["url"] for page in new} | {pages.address(number) for number in range(pages.HISTORY)}

    async def sitemap(self, _args: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        return OK, {"hubs": list(self._hubs), "high_value": self._high_value}

    async def get(self, args: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """A page with its links."""
        url = args["url"]
        status = OK if url in self._known or url in self._hubs else NOT_FOUND
        await self._log.append("served", url=url, caller=args["caller"], status=status, hub=url in self._hubs)
        return status, {"links": self._hubs.get(url, [])}
