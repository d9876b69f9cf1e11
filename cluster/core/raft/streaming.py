"""A leader's side of sending its snapshot: one heartbeat that asks, and pieces as the answers come in (§7).

Law 1: a follower that does not answer costs a heartbeat, never a piece.
Law 2: at most `SNAPSHOT_PIECES_MAX` pieces are unanswered; a lost one is sent again after the next heartbeat's answer.
"""

from __future__ import annotations

from cluster.core.raft.messages import Install
from cluster.core.raft.state import RaftState
from cluster.core.raft.underway import Stream
from cluster.core.types import NodeId


def ask(s: RaftState, peer: NodeId, stream: Stream) -> None:
    """The heartbeat of a follower that gets a snapshot: how much of it is there?"""
    stream.asked(s.seq)
    s.send(peer, _install(s, stream, stream.sent, b""))


def go_on(s: RaftState, peer: NodeId, stream: Stream) -> None:
    """Send what the window allows."""
    while (piece := stream.next_piece()) is not None:
        s.send(peer, _install(s, stream, *piece))


def _install(s: RaftState, stream: Stream, offset: int, data: bytes) -> Install:
    snapshot = stream.snapshot
    return Install(s.term, snapshot.index, snapshot.term, snapshot.membership, len(snapshot.data), offset, data, s.seq)
