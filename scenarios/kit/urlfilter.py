"""The filter that crawlers share: which of these addresses are certainly new? It remembers them in the same step.

Law 1: nobody else is asked between the look and the adding: one address is fresh for one crawler only.
Law 2: it never says that something new is old for another reason than its bits, and does not know when it errs; how often, it can tell.

Args: `expected_n` and `error_rate` (what it is sized for), `autoscale` (grow instead of filling up), `history` (so many pages are in it
before anybody asks). Toggle: `fpr_monitor` (an alarm at two in a hundred).
"""

from __future__ import annotations

from typing import Any

from scenarios.kit import pages
from scenarios.kit.calls import OK, serve
from scenarios.kit.process import Process
from scenarios.kit.sketch.bloom import Bloom, ScalableBloom, Seen, shape_for

ALARM_AT = 0.02
LEVEL_EVERY = 50


async def main(process: Process) -> None:
    filter_ = UrlFilter(process, _made(process.args))
    filter_.load(round(process.args["history"]))
    await serve(process.socket_of(process.name), {"offer": filter_.offer}, process.tasks)
    await process.for_ever()


def _made(args: dict[str, Any]) -> Seen:
    expected, error_rate = int(args["expected_n"]), float(args["error_rate"])
    return ScalableBloom(expected, error_rate) if args["autoscale"] == "on" else Bloom(shape_for(expected, error_rate))


class UrlFilter:
    """A Bloom filter with somebody who looks at its level, or not."""

    def __init__(self, process: Process, seen: Seen) -> None:
        self._process = process
        self._seen = seen
        self._entries = 0
        self._alarmed = False

    def load(self, count: int) -> None:
        """What was crawled before this run."""
        for number in range(count):
            self._add(pages.address(number))
        self._process.trace("filter.loaded", entries=self._entries, offered=count, bits=self._seen.bits, error=self._seen.error)

    async def offer(self, args: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Addresses -> those that were certainly not there, and those that perhaps were."""
        fresh = [url for url in args["urls"] if self._add(url)]
        taken = set(fresh)
        return OK, {"fresh": fresh, "seen": [url for url in args["urls"] if url not in taken]}

    def _add(self, url: str) -> bool:
        if not self._seen.add(url):
            return False
        self._entries += 1
        if self._entries % LEVEL_EVERY == 0:
            self._process.trace("filter.level", entries=self._entries, fill=self._seen.fill, error=self._seen.error, bits=self._seen.bits)
        if not self._alarmed and self._process.toggle("fpr_monitor") == "on" and self._seen.error > ALARM_AT:
            self._alarmed = True
            self._process.trace("filter.alarm", entries=self._entries, error=self._seen.error)
        return True
