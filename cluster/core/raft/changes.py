"""A leader's part in changing the configuration (§6; dissertation chapter 4). What the steps are, `membership` says.

Law 1: a leader that is not among the voters any more does not count itself, leads until that is committed, and then hands over.
Law 2: whoever leaves is told so once it is committed. Whoever is down at that moment asks for votes later: pre-vote and the
       lease of the living leader make sure that nobody listens (dissertation §4.2.3), and the leader then tells it.
"""

from __future__ import annotations

from cluster.core.raft.membership import Membership, encode_membership, first_step
from cluster.core.raft.messages import Entry, EntryKind, TimeoutNow
from cluster.core.raft.progress import REPLICATE
from cluster.core.raft.ready import Change, MembershipChanged
from cluster.core.raft.replication import replicate, say_farewell
from cluster.core.raft.roles import Turn
from cluster.core.raft.state import RaftState
from cluster.core.raft.terms import follow
from cluster.core.types import NODES_MAX, Micros, Role, by_number


def on_change(s: RaftState, change: Change, now: Micros) -> None:
    """Begin a change, or say why not (definitely: nothing was appended)."""
    s.ready.refused = against(s, change)
    if not s.ready.refused:
        voters, learners = target(s.config, change)
        s.ready.accepted = (s.log.last_index + 1, s.term)
        _append(s, _next(s, voters, learners), now)


def against(s: RaftState, change: Change) -> str:
    """The reason to refuse, "" to begin."""
    if s.role is not Role.LEADER:
        return "not leader"
    if s.handover is not None:
        return f"handing over to {s.handover.target}"
    voters, learners = target(s.config, change)
    if not voters:
        return "a group needs at least one voter"
    if len({*voters, *learners}) > NODES_MAX:
        return f"a group has at most {NODES_MAX} nodes"
    if set(voters) == {*(s.config.goal or s.config.voters)} and set(learners) == {*s.config.learners} - set(voters):
        return f"nothing to change: {s.config}"
    if s.policy.overlapping_changes:
        return ""
    if s.config.joint or s.commit < s.history.newest_index:
        return f"a change is under way: {s.config}"
    if s.commit < s.noop_index:
        return f"nothing of term {s.term} is committed yet"
    return ""


def target(config: Membership, change: Change) -> tuple[set[str], set[str]]:
    """(voters, learners) that the change asks for. One that only waits for its learners is given up for the new one."""
    voters = ({*config.voters, *change.add} - {*change.learn}) - {*change.remove}
    waiting = {*config.goal} - {*config.voters}
    learners = ({*config.learners, *change.learn} - waiting) - {*change.remove, *change.add}
    return voters, learners


def tend(s: RaftState, now: Micros) -> None:
    """The next step by itself, once the newest configuration is committed."""
    config = s.config
    if s.commit < max(s.history.newest_index, s.noop_index):
        return
    all_told = say_farewell(s)
    s.restless = not (config.settled and s.node in config.voters and all_told)
    if config.joint:
        _append(s, Membership(config.voters, (), config.learners), now)
    elif config.goal:
        if all(_caught_up(s, node) for node in config.goal if node not in config.voters):
            _append(s, _next(s, {*config.goal}, {*config.learners} - {*config.goal}), now)
    elif s.node not in config.voters:
        _depart(s, now)


def _next(s: RaftState, voters: set[str], learners: set[str]) -> Membership:
    if s.policy.overlapping_changes:  # the mistake's author saw no need for steps
        return Membership(tuple(by_number(voters)), (), tuple(by_number(learners)))
    settled = Membership(s.config.voters, (), s.config.learners)
    return first_step(settled, voters, learners, [node for node in s.config.learners if _caught_up(s, node)])


def _caught_up(s: RaftState, node: str) -> bool:
    """It holds all that there was at the last heartbeat: less than a heartbeat behind."""
    progress = s.progress.get(node)
    return node == s.node or (progress is not None and progress.state == REPLICATE and progress.match_index >= s.beat_index)


def _append(s: RaftState, config: Membership, now: Micros) -> None:
    s.append((Entry(s.term, EntryKind.CONFIG, encode_membership(config)),))
    s.ready.events.append(MembershipChanged(s.history.newest_index, s.term, config, committed=False))
    replicate(s, now)


def _depart(s: RaftState, now: Micros) -> None:
    """Law 1. The one that holds most is told to campaign at once, so that nobody has to wait for a timeout."""
    heir = max(s.electors, key=lambda node: s.progress[node].match_index, default=None)
    if heir is not None:
        s.send(heir, TimeoutNow(s.term))
    follow(s, Turn.DEPARTED, "it is no voter any more", now)
