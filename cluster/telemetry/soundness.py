"""Whether what a file says could have happened: of the right shape it may still name a role, a state or a node that does not exist.

Law 1: pure; only what a view and its panes look up by is asked about. Everything that a lab tells passes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from cluster.core.types import NodeId, Role
from cluster.telemetry import events as e
from cluster.telemetry.fold import PROCESS_STATES
from cluster.telemetry.group_events import GroupChanged

_NAME = re.compile(r"n[1-9][0-9]{0,8}", re.ASCII)
_ROLES = frozenset(map(str, Role))


def known_after(batch: Iterable[e.Event], known: frozenset[NodeId]) -> frozenset[NodeId] | None:
    """The nodes that exist after `batch`, `known` being those before it. None: one of these events cannot have happened."""
    for event in batch:
        if isinstance(event, e.LabOpened):
            known = frozenset(event.nodes)
        elif isinstance(event, e.NodeEnlisted):
            known |= {event.node}
        if not _sound(event, known):
            return None
    return known


def _sound(event: e.Event, known: frozenset[NodeId]) -> bool:
    match event:
        case e.LabOpened(nodes=nodes, voters=voters):
            return bool(nodes) and len(known) == len(nodes) and all(map(_NAME.fullmatch, nodes)) and known.issuperset(voters)
        case e.NodeEnlisted(node=node):
            return _NAME.fullmatch(node) is not None
        case e.PlanChanged(sides=sides):
            return not sides or sorted(node for side in sides for node in side) == sorted(known)
        case GroupChanged(membership=group):
            return known.issuperset((*group.voters, *group.outgoing, *group.learners, *group.goal))
        case e.NodeState(role=role) | e.RoleTaken(role=role):
            return role in _ROLES
        case e.ProcessChanged(state=state):
            return state in PROCESS_STATES
    return True
