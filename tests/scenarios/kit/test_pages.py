"""Every new page is linked to, hubs overlap and lead back to old pages."""

from __future__ import annotations

from itertools import pairwise

from scenarios.kit.pages import HISTORY, address, hubs


def test_every_new_page_is_linked_and_neighbours_share_links() -> None:
    new = [{"url": address(HISTORY + i)} for i in range(120)]
    links = list(hubs(new).values())
    assert {url for hub in links for url in hub} >= {page["url"] for page in new}
    assert [len(set(first) & set(second)) >= 10 for first, second in pairwise(links)] == [True, True]
    known = {address(number) for number in range(HISTORY)}
    assert all(len(known & set(hub)) == 25 for hub in links)
    assert hubs([]) == {}
