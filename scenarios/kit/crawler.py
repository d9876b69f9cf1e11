"""A crawler: from hub to hub, each link through the filter, and what is fresh is fetched.

Law 1: it fetches nothing twice: what it fetches, it has claimed in the exact list first.
Law 2: it skips what the filter has seen, unless `exact_fallback` tells it to ask the exact list about such a page.

Args: `turn` and `turns` (it takes every `turns`-th hub), `polite_ms` between hubs. Toggle: `exact_fallback`.
"""

from __future__ import annotations

import asyncio
from typing import Any

from scenarios.kit.calls import Caller
from scenarios.kit.process import Process


async def main(process: Process) -> None:
    site, filter_, exact = [await Caller.connect(process.socket_of(name)) for name in ("site", "filter", "seen")]
    crawler = Crawler(process, site, filter_, exact)
    await process.go()
    await crawler.crawl()


class Crawler:
    def __init__(self, process: Process, site: Caller, filter_: Caller, exact: Caller) -> None:
        self._process = process
        self._site = site
        self._filter = filter_
        self._exact = exact
        self._high_value: set[str] = set()

    async def crawl(self) -> None:
        args = self._process.args
        sitemap = (await self._site.call("sitemap")).body
        self._high_value = set(sitemap["high_value"])
        for hub in sitemap["hubs"][round(args["turn"]) :: round(args["turns"])]:
            await self._visit(hub)
            await asyncio.sleep(args["polite_ms"] / 1_000)

    async def _visit(self, hub: str) -> None:
        links = (await self._get(hub))["links"]
        offered = await self._asked("offer", self._filter, links)
        doubted = [url for url in offered["seen"] if self._doubts(url)]
        claimed = await self._claimed(offered["fresh"])
        if doubted:
            claimed += (await self._asked("confirm", self._exact, doubted))["new"]
        await asyncio.gather(*map(self._get, claimed))
        self._process.trace("crawler.visited", hub=hub, links=len(links), fetched=len(claimed))

    def _doubts(self, url: str) -> bool:
        fallback = self._process.toggle("exact_fallback")
        return fallback == "all_positives" or (fallback == "high_value" and url in self._high_value)

    async def _claimed(self, fresh: list[str]) -> list[str]:
        new: list[str] = (await self._exact.call("claim", urls=fresh)).body["new"]
        return new

    async def _asked(self, f: str, whom: Caller, urls: list[str]) -> dict[str, Any]:
        """A question whose answer decides over pages: it is in the history."""
        index = self._process.history.invoke(f, {"urls": urls})
        body = (await whom.call("claim" if f == "confirm" else f, urls=urls)).body
        self._process.history.ok(index, f, body)
        return body

    async def _get(self, url: str) -> dict[str, Any]:
        return (await self._site.call("get", url=url, caller=self._process.name)).body
