"""Leader election (§5.2, §5.4.1), pre-vote (dissertation §9.6) and the campaign that a hand-over asks for (§3.10).

Law 1: a vote is given at most once per term, and is durable before the candidate hears of it.
Law 2: a candidate's own vote counts like any other: once it is durable.
Law 3: every answer to a candidate says why, in words.
"""

from __future__ import annotations

from cluster.core.raft.messages import RequestVote, TimeoutNow, Vote
from cluster.core.raft.quorum import Outcome, vote_result
from cluster.core.raft.ready import VoteDecided, VoteHeard
from cluster.core.raft.replication import begin_reign
from cluster.core.raft.roles import Turn
from cluster.core.raft.state import RaftState
from cluster.core.raft.terms import follow, lease_against, refuse_vote
from cluster.core.types import MS, Micros, NodeId, Role


def on_silence(s: RaftState, now: Micros) -> None:
    """The election timer fired."""
    s.rearm(now)
    if not s.may_lead or s.mailbox.stalled(now, s.policy.storage_stall_us):
        return  # a learner waits to be given a vote; a node that can store nothing must not ask for votes: it could not even keep its own
    why = "first election" if s.term == 0 else f"no leader for {s.policy.election_min_us // MS} ms or more"
    if s.policy.pre_vote:
        ask_first(s, why, now)
    else:
        campaign(s, Turn.SILENCE_UNASKED, why, now, transfer=False)


def ask_first(s: RaftState, why: str, now: Micros) -> None:
    """Ask who would vote, without a new term: a node that cannot win disturbs nobody."""
    s.turn(Turn.SILENCE, why)
    s.votes = {s.node: True}
    for peer in s.electors:
        s.send(peer, RequestVote(s.term + 1, s.log.last_index, s.log.last_term, pre=True))
    count(s, now)


def campaign(s: RaftState, turn: Turn, why: str, now: Micros, *, transfer: bool) -> None:
    """A new term, and a vote for oneself; requests leave once both are durable."""
    s.term, s.vote, s.votes = s.term + 1, s.node, {}
    s.rearm(now)
    s.turn(turn, why)
    for peer in s.electors:
        s.send(peer, RequestVote(s.term, s.log.last_index, s.log.last_term, transfer=transfer))
    s.send(s.node, Vote(s.term, True))


def on_request_vote(s: RaftState, candidate: NodeId, message: RequestVote, now: Micros) -> None:
    """Answer a candidate of this term, or a pre-candidate of a later one."""
    reason = against(s, candidate, message, now)
    if reason:
        refuse_vote(s, candidate, message, reason)
        return
    reason = f"its log ends at {message.last_index} (term {message.last_term}), mine at {s.log.last_index}"
    s.ready.events.append(VoteDecided(candidate, message.term, message.pre, True, reason))
    if not message.pre:
        s.vote = candidate
        s.rearm(now)
    s.send(candidate, Vote(message.term, True, message.pre, reason))


def against(s: RaftState, candidate: NodeId, message: RequestVote, now: Micros) -> str:
    """The reason to refuse, "" to grant: lease, then vote, then log."""
    if message.pre and (reason := lease_against(s, message, now)):
        return reason
    if message.term == s.term:
        if s.vote is not None and s.vote != candidate:
            return f"I voted for {s.vote} in term {s.term}"
        if s.vote is None and s.leader is not None:
            return f"{s.leader} leads term {s.term}"
        if message.pre:
            return f"term {s.term} has begun"
        # A promise to a leader outlives its term: this one may have begun here without anybody's being elected.
        if s.vote is None and (reason := lease_against(s, message, now)):
            return reason
    if s.log.newer_than(message.last_index, message.last_term):
        mine = f"{s.log.last_index} (term {s.log.last_term})"
        return f"my log is newer: it ends at {mine}, its at {message.last_index} (term {message.last_term})"
    return ""


def on_vote(s: RaftState, voter: NodeId, message: Vote, now: Micros) -> None:
    """Count an answer, if it answers the present question."""
    if message.pre != (s.role is Role.PRECANDIDATE) or s.role not in (Role.PRECANDIDATE, Role.CANDIDATE):
        return
    if message.granted and message.term != s.term + message.pre:
        return
    if voter != s.node:
        s.ready.events.append(VoteHeard(voter, message.term, message.pre, message.granted, message.reason))
    s.votes[voter] = message.granted
    count(s, now)


def count(s: RaftState, now: Micros) -> None:
    outcome = vote_result(s.halves, s.votes)
    if outcome is Outcome.LOST:
        follow(s, Turn.REFUSED, "a majority refused: " + _names(s, granted=False), now)
    elif outcome is Outcome.WON and s.role is Role.PRECANDIDATE:
        campaign(s, Turn.PRE_WON, "would get the votes of " + _names(s, granted=True), now, transfer=False)
    elif outcome is Outcome.WON:
        begin_reign(s, "votes of " + _names(s, granted=True), now)


def _names(s: RaftState, *, granted: bool) -> str:
    return " ".join(voter for voter in s.config.everyone if s.votes.get(voter) is granted)


def on_timeout_now(s: RaftState, sender: NodeId, message: TimeoutNow, now: Micros) -> None:
    """The leader hands over: campaign at once, past every lease (its own request lifts them)."""
    if s.role is Role.FOLLOWER and s.may_lead and not s.mailbox.stalled(now, s.policy.storage_stall_us):
        campaign(s, Turn.HANDED_OVER, f"{sender} hands over", now, transfer=True)
