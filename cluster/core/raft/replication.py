"""Log replication, commitment and what a leader owes its followers (§5.3, §5.4).

Law 1: a leader only appends to its own log; a follower cuts its log only where it really conflicts, never a matching suffix.
Law 2: only an entry of the leader's own term commits by counting; older ones commit beneath it (§5.4.2, figure 8).
Law 3: an acknowledgement covers what is durable, not what is in memory.
"""

from __future__ import annotations

from cluster.core.errors import LawBroken
from cluster.core.raft.messages import Append, Appended, Entry, EntryKind, Installing, TimeoutNow
from cluster.core.raft.progress import Progress
from cluster.core.raft.ready import MembershipChanged, Truncated
from cluster.core.raft.roles import Turn
from cluster.core.raft.state import RaftState
from cluster.core.raft.streaming import ask, go_on
from cluster.core.raft.terms import hear_leader
from cluster.core.types import Micros, NodeId, Role

# ---- leader -------------------------------------------------------------------------------------------------------


def begin_reign(s: RaftState, why: str, now: Micros) -> None:
    """Won: append the no-op that will commit everything before it (§5.4.2, §8), and announce it."""
    # Who is on the way out (by a configuration that is not committed yet) hears of it like everyone else.
    audience = [*s.peers, *(node for node in s.history.at(s.commit).everyone if node not in s.peers and node != s.node)]
    s.progress = {}
    s.follow_up(audience)
    s.restless = True
    s.seq, s.acks_heard = 0, 0
    s.confirm_seq = 1
    s.offered = False
    s.beats.clear()
    s.votes = {}
    s.turn(Turn.WON, why, leader=s.node)
    if not s.policy.commit_old_terms_by_counting:  # the mistake's author saw no need for one
        s.append((Entry(s.term, EntryKind.NOOP, b""),))
    s.noop_index = s.log.last_index
    s.ready.events.append(MembershipChanged(s.history.newest_index, s.term, s.config, s.commit >= s.history.newest_index))
    broadcast(s, now)


def propose(s: RaftState, batch: tuple[bytes, ...], now: Micros) -> None:
    """Append a batch of commands, or say why not (definitely: nothing was appended)."""
    if s.role is not Role.LEADER:
        s.ready.refused = "not leader"
    elif s.handover is not None:
        s.ready.refused = f"handing over to {s.handover.target}"
    elif batch:
        term, command = s.term, int(EntryKind.COMMAND)
        s.ready.accepted = (s.log.last_index + 1, term)
        s.append([Entry(term, command, data) for data in batch], plain=True)
        replicate(s, now)


def broadcast(s: RaftState, now: Micros) -> None:
    """A heartbeat to everyone, carrying entries where the follower can take them; starts a new round for reads."""
    s.seq += 1
    s.heartbeat_due_us = now + s.policy.heartbeat_us
    s.beat_index = s.log.last_index
    s.beats.append((s.seq, now))
    if s.commit >= s.noop_index:
        s.reads.bind(s.seq, s.commit)
    shared: dict[tuple[int, bool], Append] = {}
    last_index = s.log.last_index
    for peer, progress in s.progress.items():
        # Nothing new, a full window, or a follower that answers no probe: an empty one shows that the leader lives.
        if progress.next_index > last_index or not _send_entries(s, peer, progress, shared):
            if progress.stream is not None:
                ask(s, peer, progress.stream)
            else:
                s.send(peer, _append(s, progress.next_index, shared, empty=True))
    if not s.electors:
        s.ready.reads.extend(s.reads.confirm(s.seq))  # a single voter is its own majority


def replicate(s: RaftState, now: Micros) -> None:
    """New entries: to every follower that may be sent more. Followers at the same position share one message object."""
    if s.reads.wants_broadcast():
        broadcast(s, now)
        return
    shared: dict[tuple[int, bool], Append] = {}
    for peer, progress in s.progress.items():
        _send_entries(s, peer, progress, shared)


def say_farewell(s: RaftState) -> bool:
    """Whoever left gets the log until it holds the entry that says so, then the news that this is committed, and no more.

    True when all are told, or silent.
    """
    leaving = [peer for peer in s.progress if peer not in s.peers]
    for peer in leaving:
        progress = s.progress[peer]
        told = progress.match_index >= s.history.newest_index and progress.next_index >= s.log.first_index
        if told:
            s.send(peer, _append(s, progress.next_index, {}, empty=True))
        if told or s.now - progress.acked_us >= s.policy.election_max_us:
            del s.progress[peer]
    return all(peer in s.peers for peer in s.progress)


def _send_entries(s: RaftState, peer: NodeId, progress: Progress, shared: dict[tuple[int, bool], Append]) -> bool:
    """Send what `peer` lacks, as far as its window allows. True when anything went out."""
    sent = False
    if progress.next_index < s.log.first_index and progress.stream is None:
        assert s.snapshot is not None, "a log is only compacted behind a snapshot"
        progress.begin_stream(s.snapshot)
    while progress.next_index <= s.log.last_index and progress.may_send():
        message = _append(s, progress.next_index, shared, empty=False)
        s.send(peer, message)
        progress.sent(message.prev_index + len(message.entries))
        sent = True
    return sent


def _append(s: RaftState, next_index: int, shared: dict[tuple[int, bool], Append], *, empty: bool) -> Append:
    message = shared.get((next_index, empty))
    if message is None:
        prev = next_index - 1
        entries = () if empty else s.log.sendable(next_index)
        message = Append(s.term, prev, s.log.term_at(prev), entries, s.commit, s.seq)
        shared[next_index, empty] = message
    return message


def on_installing(s: RaftState, follower: NodeId, message: Installing, now: Micros) -> None:
    """A follower says how much of a snapshot it has."""
    progress = s.progress.get(follower)
    if s.role is not Role.LEADER or progress is None:
        return
    progress.heard(message.seq, now)
    if progress.stream is not None and progress.stream.snapshot.index == message.index:
        progress.stream.answered(message.offset, message.seq)
        go_on(s, follower, progress.stream)
    if s.reads.asked:
        answer_reads(s, now)


def on_appended(s: RaftState, follower: NodeId, message: Appended, now: Micros) -> None:
    """A follower's answer."""
    progress = s.progress.get(follower)
    if progress is None or s.role is not Role.LEADER:
        return
    if s.policy.credit_acks_to_wrong_follower:
        progress = s.progress[_another(s, follower)]
    if message.accepted:
        news = progress.accepted(message.match_index)
        progress.heard(message.seq, now)
        if news and message.match_index > s.commit:
            advance_commit(s, now)
        progress = s.progress[follower]
        if progress.next_index <= s.log.last_index:
            _send_entries(s, follower, progress, {})
    else:
        if progress.refused(message.match_index, seek(s, message), message.seq):
            _send_entries(s, follower, progress, {})
        progress.heard(message.seq, now)
    if s.reads.asked:
        answer_reads(s, now)
    if s.handover is not None:
        hand_over(s)


def _another(s: RaftState, follower: NodeId) -> NodeId:
    """The mistake: answers are matched to followers by order of arrival."""
    s.acks_heard += 1
    return s.peers[s.acks_heard % len(s.peers)] if s.peers else follower


def seek(s: RaftState, message: Appended) -> int:
    """Where the next probe should begin, from a refusal's hint (§5.3: skip a whole conflicting term at once)."""
    mine = s.log.last_of_term(message.hint_term) if message.hint_term else 0
    return mine + 1 if mine else message.hint_index


def advance_commit(s: RaftState, now: Micros) -> None:
    """Commit what a majority holds, if its newest entry is of this term."""
    index = s.quorum_index()
    if index <= s.commit:
        return
    # §5.4.2: an old term's entry on a majority can still be overwritten (figure 8).
    if s.log.term_at(index) == s.term or s.policy.commit_old_terms_by_counting:
        commit_to(s, index)
        if s.reads.wants_broadcast() and index >= s.noop_index:
            broadcast(s, now)


def commit_to(s: RaftState, index: int) -> None:
    if not s.commit <= index <= s.log.last_index:
        raise LawBroken("commit stays in the log", f"from {s.commit} to {index}, the log ends at {s.log.last_index}")
    changed = s.commit < s.history.newest_index <= index
    s.commit = index
    if s.role is Role.LEADER:
        s.ready.leader_commit = index
        if changed:
            s.ready.events.append(MembershipChanged(s.history.newest_index, s.term, s.config, committed=True))


def answer_reads(s: RaftState, now: Micros) -> None:
    """Answer the reads whose broadcast a majority has answered; the next ones may then ask."""
    confirmed = s.reads.confirm(s.quorum_seq())
    s.ready.reads.extend(confirmed)
    if confirmed and s.reads.wants_broadcast():
        broadcast(s, now)


def hand_over(s: RaftState) -> None:
    """Tell the transfer target to campaign as soon as it holds the whole log (dissertation §3.10)."""
    handover = s.handover
    if handover is None or handover.told:
        return
    progress = s.progress.get(handover.target)
    if progress is None:
        s.handover = None  # it has left the group
    if progress is None or progress.match_index < s.log.last_index:
        return
    handover.told = s.offered = True
    s.send(handover.target, TimeoutNow(s.term))


# ---- follower -----------------------------------------------------------------------------------------------------


def on_append(s: RaftState, leader: NodeId, message: Append, now: Micros) -> None:
    """Entries or a heartbeat from the leader of this term."""
    hear_leader(s, leader, now)
    prev_index, entries, log = message.prev_index, message.entries, s.log
    if prev_index != log.last_index or message.prev_term != log.last_term:  # mostly it fits at the end
        below = log.first_index - 1 - prev_index
        if below > 0:  # what lies before the log is in the snapshot, and committed
            prev_index, entries = prev_index + below, entries[below:]
        elif not log.holds(prev_index, message.prev_term):
            if not s.policy.append_without_prev_check:
                refuse(s, leader, message)
                return
            prev_index = min(prev_index, log.last_index)
    if entries:
        merge(s, prev_index, entries)
    matched = message.prev_index + len(message.entries)
    if message.commit > s.commit:
        commit = min(message.commit, matched, log.last_index)
        if commit > s.commit:
            commit_to(s, commit)
    # Law 3: a heartbeat is answered at once with what is durable, new entries only once they are.
    if message.entries:
        promises = 0 if s.policy.ack_before_fsync else min(matched, log.last_index)
        s.send(leader, Appended(s.term, True, matched, 0, 0, message.seq), promises)
    else:
        durable = s.mailbox.durable_index
        s.send(leader, Appended(s.term, True, matched if matched < durable else durable, 0, 0, message.seq))


def refuse(s: RaftState, leader: NodeId, message: Append) -> None:
    """The entry before these is not here: say where to look (`match_index` repeats what was refused)."""
    if message.prev_index <= s.commit:
        held = f"term {s.log.term_at(message.prev_index)}, {leader} holds term {message.prev_term}"
        raise LawBroken("leader completeness", f"entry {message.prev_index} is committed here with {held}")
    hint_index, hint_term = s.log.conflict_hint(message.prev_index)
    s.send(leader, Appended(s.term, False, message.prev_index, hint_index, hint_term, message.seq))


def merge(s: RaftState, prev_index: int, entries: tuple[Entry, ...]) -> None:
    """Add what is missing after `prev_index`; cut the log first if, and only if, it conflicts."""
    skip = s.log.first_conflict(prev_index, entries)
    if skip == len(entries):
        return
    first_new = prev_index + 1 + skip
    if first_new <= s.log.last_index:
        truncate(s, first_new)
    s.append(entries[skip:] if skip else entries)


def truncate(s: RaftState, from_index: int) -> None:
    if from_index <= s.commit:
        raise LawBroken("committed entries stay", f"asked to cut at {from_index}, committed up to {s.commit}")
    s.ready.events.append(Truncated(from_index, s.log.last_index, s.term))
    s.log.truncate(from_index)
    s.mailbox.truncated(from_index)
    s.truncated_from = s.unsaved_from = from_index
    if s.history.newest_index >= from_index:
        s.history.truncate(from_index)
        s.adopt(s.history.newest)
