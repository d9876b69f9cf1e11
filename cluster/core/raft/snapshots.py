"""Snapshots: taking one's own, and becoming a leader's (§7; dissertation chapter 5).

Law 1: a snapshot covers only what is committed and applied here, so nothing that could still change.
Law 2: the log is cut behind a snapshot, never to it: `snapshot_trailing` entries stay for followers that are a little behind.
Law 3: an installed snapshot is acknowledged when it is durable; a half received one is nothing.
Law 4: a snapshot never takes a node back: what it has committed stays.
"""

from __future__ import annotations

from cluster.core.errors import LawBroken
from cluster.core.raft.membership import History
from cluster.core.raft.messages import Appended, Install, Installing, Snapshot
from cluster.core.raft.ready import Compact, SnapshotInstalled, SnapshotTaken
from cluster.core.raft.state import RaftState
from cluster.core.raft.terms import hear_leader
from cluster.core.raft.underway import Incoming
from cluster.core.types import SNAPSHOT_BYTES_MAX, Micros, NodeId


def on_compact(s: RaftState, input: Compact, now: Micros) -> None:
    """The state machine has made an image of itself: it stands for the log up to there from now on."""
    index = input.index
    if not (s.snapshot.index if s.snapshot else 0) < index <= min(s.handed, s.commit):
        raise LawBroken("a snapshot covers what is applied", f"one of {index}, committed up to {s.commit}, handed out up to {s.handed}")
    s.snapshot = s.unsaved_snapshot = Snapshot(index, s.log.term_at(index), s.history.at(index), input.data)
    s.log.compact(index - s.policy.snapshot_trailing)
    s.history.compact(index)
    s.ready.events.append(SnapshotTaken(index, s.snapshot.term, len(input.data), s.log.first_index))


def on_install(s: RaftState, leader: NodeId, message: Install, now: Micros) -> None:
    """A piece of the leader's snapshot, or the question how much of it is here."""
    hear_leader(s, leader, now)
    if message.index > s.commit and s.log.holds(message.index, message.last_term):
        s.commit = message.index  # all of it is here already (log matching), and the leader has committed it
    if message.index <= s.commit:
        s.incoming = None
        held = min(s.commit, s.mailbox.durable_index)
        s.send(leader, Appended(s.term, True, held, 0, 0, message.seq), held)
        return
    incoming = _incoming(s, message)
    if message.data and message.offset == len(incoming.data):
        incoming.data += message.data
    if len(incoming.data) < message.total:
        s.send(leader, Installing(s.term, message.index, len(incoming.data), message.seq))
        return
    _install(s, leader, message, bytes(incoming.data))
    s.send(leader, Appended(s.term, True, message.index, 0, 0, message.seq), message.index)


def _incoming(s: RaftState, message: Install) -> Incoming:
    """What has come of this snapshot; a piece of another one begins anew."""
    if message.total > SNAPSHOT_BYTES_MAX:
        raise LawBroken("snapshots are bounded", f"one of {message.total} bytes, the limit is {SNAPSHOT_BYTES_MAX}")
    known = s.incoming
    if known is None or (known.index, known.term) != (message.index, message.last_term):
        known = s.incoming = Incoming(message.index, message.last_term, bytearray())
    return known


def _install(s: RaftState, leader: NodeId, message: Install, data: bytes) -> None:
    """All of it is here: it takes the place of the log and of the state machine."""
    index, term = message.index, message.last_term
    snapshot = Snapshot(index, term, message.membership, data)
    s.mailbox.truncated(s.commit + 1)
    s.log.reset(index, term)
    s.history = History(index, snapshot.membership)
    s.adopt(snapshot.membership)
    s.incoming, s.truncated_from, s.unsaved_from = None, None, None
    s.snapshot = s.unsaved_snapshot = s.ready.snapshot = snapshot
    s.commit = s.handed = index
    s.ready.events.append(SnapshotInstalled(index, term, len(data), leader))
