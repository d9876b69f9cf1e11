"""The Raft machine: one `step` takes one input and returns one `Ready`.

Law 1: a step checks the term once, then hands the message to the one small function for its type.
Law 2: what a step changed in term, vote or log is handed to storage in one `Persist`, and whatever promises it waits.
Law 3: a leader leads only while a majority answers and its own disk moves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from cluster.core.policy import RaftPolicy
from cluster.core.raft import lease
from cluster.core.raft.changes import against, on_change, tend
from cluster.core.raft.election import on_request_vote, on_silence, on_timeout_now, on_vote
from cluster.core.raft.log import Log
from cluster.core.raft.membership import Membership
from cluster.core.raft.messages import (
    Append,
    Appended,
    Entry,
    HardState,
    Install,
    Installing,
    RequestVote,
    Snapshot,
    TimeoutNow,
    Vote,
)
from cluster.core.raft.ready import (
    AskRead,
    Change,
    Compact,
    Froze,
    Persist,
    Persisted,
    Propose,
    RaftInput,
    ReadReady,
    ReadRefused,
    Ready,
    Received,
    StorageStalled,
    Tick,
    Transfer,
)
from cluster.core.raft.replication import (
    advance_commit,
    broadcast,
    hand_over,
    on_append,
    on_appended,
    on_installing,
    propose,
    replicate,
)
from cluster.core.raft.roles import Turn
from cluster.core.raft.snapshots import on_compact, on_install
from cluster.core.raft.state import RaftState
from cluster.core.raft.terms import admit, follow
from cluster.core.raft.underway import Handover, Held
from cluster.core.types import MS, Dice, Micros, NodeId, Role

# A node without a vote waits for a leader, however long.
NEVER: Micros = 1 << 62
# Entries applied per step: a node that restarts with a long log must not be deaf while it replays it.
APPLY_MAX = 4_096

MESSAGES: dict[type, Callable[[RaftState, NodeId, Any, Micros], None]] = {
    RequestVote: on_request_vote,
    Vote: on_vote,
    Append: on_append,
    Appended: on_appended,
    Install: on_install,
    Installing: on_installing,
    TimeoutNow: on_timeout_now,
}


class Raft:
    """One node of a Raft group, with or without a vote. The first step arms the election timer.

    `voters`: the configuration before the first entry, the same on every node. The rest is what this node's disk held: `snapshot`,
    and the log: `entries` after `base` (index and term; it lies at or before the snapshot's end).
    """

    def __init__(
        self,
        node: NodeId,
        voters: Sequence[NodeId],
        policy: RaftPolicy,
        dice: Dice,
        *,
        hard: HardState = HardState(),
        entries: Sequence[Entry] = (),
        snapshot: Snapshot | None = None,
        base: tuple[int, int] = (0, 0),
    ) -> None:
        covered = 0 if snapshot is None else snapshot.index
        if not base[0] <= covered <= base[0] + len(entries):
            raise ValueError(f"the log {base[0] + 1}..{base[0] + len(entries)} does not meet the snapshot of {covered}")
        self.state = RaftState(node, voters, policy, dice, hard, entries, snapshot, base)
        self.due_us: Micros = 0  # of the next `Tick`: at once, for this machine has never heard the time

    def retune(self, policy: RaftPolicy) -> None:
        """Go by another policy from now on. Timers that run keep their time; the next ones are drawn anew.

        A lease counts on the others' election timeouts: who shortens them while leases are read from lets a read be stale.
        """
        self.state.policy = policy

    def step(self, input: RaftInput, now: Micros) -> Ready:
        """Take one input at time `now` (µs, never falling) and return the work it causes."""
        s = self.state
        s.ready = ready = Ready()
        s.now = now
        if s.election_due_us is None:
            s.rearm(now)
            if s.restarted:
                s.leader_heard_us = now
        if type(input) is Received:  # by far the most frequent
            # From whomever: a node may hear of a leader or a candidate before it hears of the configuration that names them
            # (dissertation §4.1). What is counted, is counted by configuration.
            sender, message = input.sender, input.message
            if sender != s.node and (message.term == s.term or admit(s, sender, message, now)):
                MESSAGES[type(message)](s, sender, message, now)
        else:
            INPUTS[type(input)](s, input, now)
        _settle(s, ready, now)
        self.due_us = _due_us(s)
        return ready

    def deadline(self) -> Micros:
        """When the next `Tick` is due."""
        return self.due_us

    def against(self, change: Change) -> str:
        """Why the group cannot be changed so now, in words; "" when it can."""
        return against(self.state, change)

    # ---- for telemetry, nothing below changes anything -----------------------------------------------------------

    @property
    def role(self) -> Role:
        return self.state.role

    @property
    def term(self) -> int:
        return self.state.term

    @property
    def vote(self) -> NodeId | None:
        return self.state.vote

    @property
    def leader(self) -> NodeId | None:
        """Whom this node follows; itself when it leads."""
        return self.state.leader

    @property
    def commit(self) -> int:
        return self.state.commit

    @property
    def applied_index(self) -> int:
        """Entries have been handed out to be applied up to here."""
        return self.state.handed

    @property
    def last_index(self) -> int:
        return self.state.log.last_index

    @property
    def durable_index(self) -> int:
        """The log is on this node's disk up to here."""
        return self.state.mailbox.durable_index

    @property
    def log(self) -> Log:
        """For monitors and tests: read it, never change it."""
        return self.state.log

    @property
    def config(self) -> Membership:
        """The newest configuration in the log, in force from the moment it was appended."""
        return self.state.config

    def config_at(self, index: int) -> Membership:
        """The configuration in force at an entry of the log."""
        return self.state.history.at(index)

    @property
    def snapshot_index(self) -> int:
        """What the newest snapshot covers; 0 without one."""
        return self.state.snapshot.index if self.state.snapshot else 0

    def may_compact(self, index: int) -> bool:
        """Whether `Compact(index, …)` is welcome: all of it is committed, and no other snapshot is on its way to the disk."""
        s = self.state
        return self.snapshot_index < index <= s.commit and not s.mailbox.waits(s.snapshot_token)

    @property
    def reads_waiting(self) -> int:
        return len(self.state.reads)

    @property
    def transfer_target(self) -> NodeId | None:
        return self.state.handover.target if self.state.handover else None

    def term_runs(self, limit: int) -> tuple[tuple[int, int], ...]:
        """The last `limit` stretches of one term as (first index, term), oldest first."""
        return self.state.log.runs(limit)

    def progress(self, now: Micros) -> tuple[tuple[NodeId, int, int, str, Micros], ...]:
        """Per follower (node, next index, match index, "probe" | "replicate" | "snapshot", µs since its answer); empty unless leader."""
        return tuple((peer, p.next_index, p.match_index, p.state, now - p.acked_us) for peer, p in self.state.progress.items())

    def quorum_age_us(self, now: Micros) -> Micros:
        """Leader: since a majority last answered; -1 otherwise."""
        return now - self.state.quorum_heard_us(now) if self.state.role is Role.LEADER else -1

    def election_in_us(self, now: Micros) -> Micros:
        """Until the election timer fires; -1 for a leader."""
        due = self.state.election_due_us
        return -1 if self.state.role is Role.LEADER or due is None else max(0, due - now)

    def disk_busy_us(self, now: Micros) -> Micros:
        """Age of the oldest write that is not yet durable; 0 when there is none."""
        oldest = self.state.mailbox.oldest_us()
        return 0 if oldest is None else now - oldest


# ---- one function per input -------------------------------------------------------------------------------------


def _on_tick(s: RaftState, input: Tick, now: Micros) -> None:
    if s.role is Role.LEADER:
        _lead(s, now)
    elif s.election_due_us is not None and now >= s.election_due_us:
        on_silence(s, now)


def _lead(s: RaftState, now: Micros) -> None:
    """A leader's upkeep: give up if it must, otherwise heartbeat."""
    if s.mailbox.stalled(now, s.policy.storage_stall_us):
        since = now - (s.mailbox.oldest_us() or now)
        s.ready.events.append(StorageStalled(since))
        follow(s, Turn.STORAGE_STALLED, f"own disk has not finished a write for {since // MS} ms", now)
        return
    silence = now - s.quorum_heard_us(now)
    if s.policy.check_quorum and silence >= s.policy.election_max_us:
        follow(s, Turn.QUORUM_LOST, f"no majority answered for {silence // MS} ms", now)
        return
    if s.handover is not None and now >= s.handover.until_us:
        s.handover = None  # it did not take over in time: serve again
    if now >= s.heartbeat_due_us:
        broadcast(s, now)


def _on_persisted(s: RaftState, input: Persisted, now: Micros) -> None:
    for held in s.mailbox.done(input.token):
        _release(s, held, now)
    if s.role is Role.LEADER and s.mailbox.durable_index > s.commit:
        advance_commit(s, now)


def _release(s: RaftState, held: Held, now: Micros) -> None:
    if held.to != s.node:
        s.ready.sends.append((held.to, held.message))
    elif isinstance(held.message, Vote):
        on_vote(s, s.node, held.message, now)  # a candidate's own vote, durable now


def _on_propose(s: RaftState, input: Propose, now: Micros) -> None:
    propose(s, input.batch, now)


def _on_ask_read(s: RaftState, input: AskRead, now: Micros) -> None:
    if s.role is not Role.LEADER:
        s.ready.reads.append(ReadRefused(input.context, "not leader"))
    elif s.policy.serve_reads_locally or (input.lease and lease.holds(s, now)):
        s.ready.reads.append(ReadReady(input.context, s.commit))
    else:
        s.reads.ask(input.context)
        if s.commit >= s.noop_index and s.reads.wants_broadcast():
            broadcast(s, now)


def _on_transfer(s: RaftState, input: Transfer, now: Micros) -> None:
    if s.role is Role.LEADER and input.target in s.electors:
        s.handover = Handover(input.target, now + s.policy.transfer_timeout_us)
        replicate(s, now)
        hand_over(s)


def _on_froze(s: RaftState, input: Froze, now: Micros) -> None:
    """Our own absence proves nothing about others: timers start anew, and old evidence of leadership is void.

    What was promised to a leader stands: the time of the absence counts like any other.
    """
    s.rearm(now)
    if s.role is Role.LEADER:
        for progress in s.progress.values():
            progress.acked_us = now
        s.confirm_seq = s.seq + 1
        s.reads.unbind()
        broadcast(s, now)


INPUTS: dict[type, Callable[[RaftState, Any, Micros], None]] = {
    Tick: _on_tick,
    Persisted: _on_persisted,
    Propose: _on_propose,
    AskRead: _on_ask_read,
    Transfer: _on_transfer,
    Change: on_change,
    Froze: _on_froze,
    Compact: on_compact,
}


# ---- the end of every step ----------------------------------------------------------------------------------------


def _settle(s: RaftState, ready: Ready, now: Micros) -> None:
    """Hand out what the step produced: writes, letters that need not wait, committed entries."""
    if s.restless and s.role is Role.LEADER:
        tend(s, now)
    mailbox = s.mailbox
    known = mailbox.handed_out
    changed = s.term != known.term or s.vote != known.vote
    if changed or s.unsaved_from is not None or s.unsaved_snapshot is not None:
        _persist(s, HardState(s.term, s.vote) if changed else None, now)
    if s.letters:
        if mailbox.vouched:
            ready.sends += s.letters
        else:
            mailbox.hold_all(s.letters)
        s.letters = []
    if s.vows:
        _post_vows(s, ready)
    if s.handed < s.commit or s.policy.apply_before_commit:
        _hand_out_committed(s, ready)


def _due_us(s: RaftState) -> Micros:
    """When the next `Tick` is due."""
    if s.election_due_us is None or s.handed < s.commit:
        return 0
    if s.role is not Role.LEADER:
        return s.election_due_us if s.has_vote or s.may_lead else NEVER
    due_us = s.heartbeat_due_us
    writes = s.mailbox.writes
    if writes and writes[0].since_us + s.policy.storage_stall_us < due_us:
        due_us = writes[0].since_us + s.policy.storage_stall_us
    return due_us if s.handover is None else min(due_us, s.handover.until_us)


def _persist(s: RaftState, hard: HardState | None, now: Micros) -> None:
    last = s.log.last_index
    first = s.unsaved_from if s.unsaved_from is not None else last + 1
    token = s.mailbox.post(hard, last, now)
    persist = Persist(token, hard, s.truncated_from, first, tuple(s.log.slice(first, last)))
    s.ready.persist = persist if s.unsaved_snapshot is None else _with_snapshot(s, persist)
    s.truncated_from = s.unsaved_from = s.unsaved_snapshot = None


def _with_snapshot(s: RaftState, persist: Persist) -> Persist:
    s.snapshot_token = persist.token
    installed = s.ready.snapshot is not None
    return msgspec.structs.replace(persist, snapshot=s.unsaved_snapshot, installed=installed, keep_from=s.log.first_index)


def _post_vows(s: RaftState, ready: Ready) -> None:
    mailbox = s.mailbox
    for vow in s.vows:
        token = mailbox.awaited(vow.promises)
        if token:
            mailbox.hold(token, vow.to, vow.message)
        else:
            ready.sends.append((vow.to, vow.message))
    s.vows = []


def _hand_out_committed(s: RaftState, ready: Ready) -> None:
    eager = s.policy.apply_before_commit and s.role is Role.LEADER
    last = min(s.log.last_index if eager else s.commit, s.handed + APPLY_MAX)
    if last > s.handed:
        ready.committed_first = s.handed + 1
        ready.committed = s.log.slice(s.handed + 1, last)
        s.handed = last
