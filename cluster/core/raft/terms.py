"""What a message's term does before anyone looks at its content (§5.1).

Law 1: a higher term makes any node a follower of it; only a pre-vote, which changes nothing, does not (dissertation §9.6).
Law 2: a lower term is answered, so that whoever is behind learns it; it never changes anything here.
Law 3: stepping down within a term keeps the vote. A vote forgotten in the term it was given in is two leaders.
"""

from __future__ import annotations

from cluster.core.errors import LawBroken
from cluster.core.raft.messages import Append, Appended, Install, RaftMessage, RequestVote, Vote
from cluster.core.raft.ready import VoteDecided, VoteHeard
from cluster.core.raft.roles import Turn
from cluster.core.raft.state import RaftState
from cluster.core.types import Micros, NodeId, Role


def admit(s: RaftState, sender: NodeId, message: RaftMessage, now: Micros) -> bool:
    """Apply the term rules to a message of another term. True when it is to be handled: its term is this node's now, or it is a

    pre-vote.
    """
    if message.term < s.term:
        answer_stale(s, sender, message)
        return False
    if isinstance(message, RequestVote):
        if message.pre:
            return True
        reason = lease_against(s, message, now)
        if reason:
            refuse_vote(s, sender, message, reason)
            return False
    elif isinstance(message, Vote) and message.pre and message.granted:
        return True  # its term is the one asked about, which does not exist yet
    leader = sender if isinstance(message, Append | Install) else None
    follow(s, Turn.HIGHER_TERM, f"{sender} is in term {message.term}", now, term=message.term, leader=leader)
    return True


def answer_stale(s: RaftState, sender: NodeId, message: RaftMessage) -> None:
    """Whoever speaks for an old term hears the present one."""
    if isinstance(message, Append):
        s.send(sender, Appended(s.term, False, message.prev_index, 0, 0, message.seq))
    elif isinstance(message, Install):
        s.send(sender, Appended(s.term, False, message.index, 0, 0, message.seq))
    elif isinstance(message, RequestVote):
        refuse_vote(s, sender, message, f"my term is {s.term}")
    elif isinstance(message, Vote) and not message.granted and s.role in (Role.PRECANDIDATE, Role.CANDIDATE):
        # A refusal from behind (its lease holds) cannot be told from an old one: shown, not counted.
        s.ready.events.append(VoteHeard(sender, message.term, message.pre, False, message.reason))


def lease_against(s: RaftState, message: RequestVote, now: Micros) -> str:
    """The reason to disregard a candidate because a leader lives, "" if there is none.

    A real vote is disregarded only with check-quorum: without it, a leader that hears nobody would be safe for ever.
    """
    if message.transfer or not (message.pre or s.policy.check_quorum):
        return ""
    return s.lease_reason(now)


def refuse_vote(s: RaftState, candidate: NodeId, message: RequestVote, reason: str) -> None:
    s.ready.events.append(VoteDecided(candidate, message.term, message.pre, False, reason))
    s.send(candidate, Vote(s.term, False, message.pre, reason))
    if s.role is Role.LEADER and message.pre and message.term - 1 <= s.term:
        s.escort(candidate)


def follow(s: RaftState, turn: Turn, why: str, now: Micros, *, term: int | None = None, leader: NodeId | None = None) -> None:
    """Become a follower, of `term` if it is a new one."""
    if term is not None:
        if term <= s.term:
            raise LawBroken("terms never fall", f"from {s.term} to {term}")
        s.term, s.vote = term, None
        s.incoming = None
    if s.role is Role.LEADER:
        s.ready.reads.extend(s.reads.refuse(f"leadership lost: {why}"))
        s.progress, s.handover = {}, None
    if s.role is not Role.FOLLOWER or leader is not None:
        s.rearm(now)
    s.votes = {}
    s.turn(turn, why, leader)


def hear_leader(s: RaftState, leader: NodeId, now: Micros) -> None:
    """`leader` leads this term, and has just said so."""
    if s.leader != leader or s.role is not Role.FOLLOWER:
        _begin_to_follow(s, leader, now)
    s.leader_heard_us, s.restarted = now, False
    s.rearm(now)


def _begin_to_follow(s: RaftState, leader: NodeId, now: Micros) -> None:
    if s.role is Role.LEADER:
        raise LawBroken("election safety", f"{leader} and {s.node} both lead term {s.term}")
    if s.leader != leader and s.leader is not None:
        raise LawBroken("election safety", f"{leader} and {s.leader} both lead term {s.term}")
    follow(s, Turn.LEADER_HEARD, f"{leader} leads term {s.term}", now, leader=leader)
