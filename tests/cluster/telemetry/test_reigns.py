"""Reigns in the order in which they began, in whatever order their news arrives."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cluster.telemetry import events as e
from cluster.telemetry.fold import fold_all
from cluster.telemetry.view import EMPTY
from tests.cluster.telemetry.happened import opened, role, up

ELECTIONS = [role("n1", "leader", 1, 100), role("n2", "leader", 2, 200), role("n3", "leader", 3, 300), role("n1", "leader", 4, 400)]


@given(st.permutations(ELECTIONS))
def test_each_reign_ends_where_the_next_begins(news: list[e.Event]) -> None:
    view = fold_all(EMPTY, [opened(), *up(), *news])
    assert [(x.node, x.term, x.began_us, x.ended_us) for x in view.reigns] == [
        ("n1", 1, 100, 200), ("n2", 2, 200, 300), ("n3", 3, 300, 400), ("n1", 4, 400, 0),
    ]  # fmt: skip


def test_news_of_an_old_election_ends_no_newer_reign() -> None:
    view = fold_all(EMPTY, [opened(), *up(), ELECTIONS[1], ELECTIONS[0], role("n1", "follower", 2, 250)])
    assert [(x.node, x.ended_us) for x in view.reigns] == [("n1", 200), ("n2", 0)]
