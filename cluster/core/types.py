"""Ids, units and limits that every layer shares.

Law 1: a node is named `n1`, `n2`, …; nothing else identifies it.
Law 2: time is integer microseconds. A field that holds time ends in `_us`; what a person types or reads is milliseconds or seconds.
Law 3: every queue, message and log has its bound here, beside the reason for it.
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import Protocol

NodeId = str
Micros = int

MS: Micros = 1_000
SECOND: Micros = 1_000_000

KEY_BYTES_MAX = 256
VALUE_BYTES_MAX = 64 * 1024
# One frame carries at most this much; a larger length prefix is an attack or a bug, and closes the connection.
FRAME_BYTES_MAX = 4 * 1024 * 1024
# Loopback carries 64 KiB datagrams, but a gossip exchange that needs more than this belongs in several rounds.
DATAGRAM_BYTES_MAX = 16 * 1024
# Entries per AppendEntries: bounds how long one message can hold a follower's loop.
APPEND_ENTRIES_MAX = 512
APPEND_BYTES_MAX = 1024 * 1024
# A snapshot travels in pieces: one must not hold up the heartbeats behind it, and so many may be unanswered.
SNAPSHOT_PIECE_BYTES = 256 * 1024
SNAPSHOT_PIECES_MAX = 4
# What a follower is willing to collect in memory.
SNAPSHOT_BYTES_MAX = 512 * 1024 * 1024
# Proposals a leader holds before it answers "overloaded": at demo rates this is minutes, at bench rates milliseconds.
PENDING_PROPOSALS_MAX = 8_192
NODES_MAX = 100


class Role(StrEnum):
    """What a node believes it is (Raft §5.1; the pre-candidate of the dissertation §9.6)."""

    FOLLOWER = "follower"
    PRECANDIDATE = "precandidate"
    CANDIDATE = "candidate"
    LEADER = "leader"
    LEARNER = "learner"  # gets the log and has no vote (dissertation §4.2.1)
    OBSERVER = "observer"  # a gossip member outside the Raft group


class Dice(Protocol):
    """Randomness as an argument: `random.Random` in a process, a seeded stream in the simulator."""

    def random(self) -> float: ...
    def randrange(self, stop: int, /) -> int: ...
    def sample(self, population: list[NodeId], k: int) -> list[NodeId]: ...


@lru_cache(maxsize=1_024)
def node_number(node: NodeId) -> int:
    """`n12` -> 12: the order in which people read nodes."""
    return int(node[1:])


def by_number(nodes: object) -> list[NodeId]:
    """Nodes in reading order: n2 before n10."""
    return sorted(nodes, key=node_number)  # type: ignore[call-overload, no-any-return]
