"""Roles and what turns one into another: the table that the machine obeys and a diagram can be drawn from (figure 4).

Law 1: a change of role that is not in this table does not exist; asking for one is a broken law, not a no-op.
"""

from __future__ import annotations

from enum import StrEnum

from cluster.core.errors import LawBroken
from cluster.core.types import Role


class Turn(StrEnum):
    """What can happen to a role, in words fit for a diagram's arrows."""

    SILENCE = "no leader heard for an election timeout"
    SILENCE_UNASKED = "no leader heard for an election timeout, pre-vote off"
    PRE_WON = "a majority would vote for it"
    WON = "a majority voted for it"
    REFUSED = "a majority refused"
    LEADER_HEARD = "the leader of this term spoke"
    HIGHER_TERM = "a higher term exists"
    HANDED_OVER = "the leader asked it to take over"
    QUORUM_LOST = "no majority answers"
    STORAGE_STALLED = "its own disk stands still"
    DEPARTED = "it has left the group"


F, P, C, L = Role.FOLLOWER, Role.PRECANDIDATE, Role.CANDIDATE, Role.LEADER

ROLES: dict[tuple[Role, Turn], Role] = {
    (F, Turn.SILENCE): P,
    (F, Turn.SILENCE_UNASKED): C,
    (F, Turn.HANDED_OVER): C,
    (F, Turn.LEADER_HEARD): F,
    (F, Turn.HIGHER_TERM): F,
    (P, Turn.SILENCE): P,
    (P, Turn.PRE_WON): C,
    (P, Turn.REFUSED): F,
    (P, Turn.LEADER_HEARD): F,
    (P, Turn.HIGHER_TERM): F,
    (C, Turn.SILENCE): P,
    (C, Turn.SILENCE_UNASKED): C,
    (C, Turn.WON): L,
    (C, Turn.REFUSED): F,
    (C, Turn.LEADER_HEARD): F,
    (C, Turn.HIGHER_TERM): F,
    (L, Turn.HIGHER_TERM): F,
    (L, Turn.QUORUM_LOST): F,
    (L, Turn.STORAGE_STALLED): F,
    (L, Turn.DEPARTED): F,
}


def turned(role: Role, turn: Turn) -> Role:
    """The role that follows `role` after `turn`. Raises `LawBroken` for a transition that is not in the table."""
    if (role, turn) not in ROLES:
        raise LawBroken("roles change only by the table", f"{role} cannot turn on {turn!r}")
    return ROLES[role, turn]
