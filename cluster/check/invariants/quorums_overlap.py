"""Quorums overlap (Raft §6; dissertation §4.1): of two configurations that follow each other, any two majorities share a node.

And a leader goes on to the next only when the one before is committed: of two that nobody is bound by yet, a third leader may
know neither. Both are judged from what one leader says of its own log, in order.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from cluster.check.invariants.monitor import NODES_KEPT_MAX, Handler, Monitor, bound, told
from cluster.check.violation import Violation
from cluster.core.raft.membership import Membership
from cluster.core.types import NodeId
from cluster.telemetry.events import GroupChanged


class QuorumsOverlap(Monitor):
    name = "quorums overlap"

    def __init__(self) -> None:
        super().__init__()
        self._groups: dict[NodeId, GroupChanged] = {}  # leader -> the newest configuration of its log

    def handlers(self) -> Mapping[type, Handler]:
        return {GroupChanged: self._told}

    def _told(self, event: GroupChanged) -> Violation | None:
        self.checked += 1
        known = self._groups.get(event.node)
        self._groups[event.node] = event
        bound(self._groups, NODES_KEPT_MAX)
        if known is None or known.term != event.term or known.index >= event.index:
            return None
        if not overlap(known.membership, event.membership):
            return self._broken(event, known, "two majorities of which need not share a node")
        if not known.committed:
            return self._broken(event, known, "although the one before is not committed")
        return None

    def _broken(self, event: GroupChanged, known: GroupChanged, why: str) -> Violation:
        return self._violated(
            event.at_us,
            f"{event.node} goes from the group “{known.membership}” to “{event.membership}”, {why}",
            told(known.node, known.at_us, f"entry {known.index}: {known.membership}{'' if known.committed else ' (not committed)'}"),
            told(event.node, event.at_us, f"entry {event.index}: {event.membership}"),
        )


def overlap(one: Membership, other: Membership) -> bool:
    """Whether any majority of `one` shares a node with any of `other`. A joint one needs both of its halves, so either will do."""
    return any(_meet(set(half), set(half_of_other)) for half in one.halves for half_of_other in other.halves)


def _meet(one: Collection[NodeId], other: Collection[NodeId]) -> bool:
    """Two majorities avoid each other if what they cannot take from their own nodes is there twice among the common ones."""
    common = len([node for node in one if node in other])
    wanted = sum(max(0, len(half) // 2 + 1 - (len(half) - common)) for half in (one, other))
    return wanted > common
