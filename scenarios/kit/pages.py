"""The pages of a site that is crawled: their addresses, and which page links to which.

Law 1: addresses do not depend on a run's seed: which of them a hash takes for each other is then fixed, and a run's figures with it.
"""

from __future__ import annotations

from typing import Any

HISTORY = 5_800  # pages that the crawler has been to already
NEW_ON_A_HUB = 50
OLD_ON_A_HUB = 25
BORROWED = 10  # links to pages of the hub before: two crawlers meet there


def address(number: int) -> str:
    return f"https://site.example/{number:05}"


def hub_address(number: int) -> str:
    """A hub lists what is new. It is not deduplicated: one goes there to look for links."""
    return f"https://site.example/new/{number:02}"


def hubs(new: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Hub -> its links: new pages, some of the hub before, and old ones."""
    urls = [page["url"] for page in new]
    found = {}
    for number, at in enumerate(range(0, len(urls), NEW_ON_A_HUB)):
        old = [address((number * OLD_ON_A_HUB + i) * 7 % HISTORY) for i in range(OLD_ON_A_HUB)]
        found[hub_address(number)] = [*old, *urls[max(0, at - BORROWED) : at + NEW_ON_A_HUB]]
    return found
