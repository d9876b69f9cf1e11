"""What the node table says of a change of the group that is under way."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from cluster.core.raft.membership import Membership
from cluster.telemetry.events import GroupChanged
from cluster.telemetry.view import EMPTY
from tui.select.nodes import pending_step


@pytest.mark.parametrize(
    ("group", "committed", "steps"),
    [
        (Membership(("n1", "n2")), False, ("", "")),
        (Membership(("n2",), outgoing=("n1", "n2")), False, ("leaves", "")),
        (Membership(("n2",), (), ("n1",), ("n1", "n2")), True, ("learns, then votes", "")),
        (Membership(("n1",), (), ("n2",), ("n2",)), True, ("is to leave", "learns, then votes")),
        (Membership(("n2",), (), ("n1",)), False, ("joins to learn", "")),
        (Membership(("n2",), (), ("n1",)), True, ("", "")),
    ],
)
def test_a_pending_change_says_what_it_has_in_store(group: Membership, committed: bool, steps: tuple[str, str]) -> None:
    view = replace(EMPTY, group=GroupChanged("n1", 1, 5, 1, group, committed))
    assert (pending_step(view, "n1"), pending_step(view, "n2")) == steps


def test_without_news_of_the_group_nothing_is_pending() -> None:
    assert pending_step(EMPTY, "n1") == ""
