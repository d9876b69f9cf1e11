"""The three-message Scuttlebutt exchange: SYN(digests) -> ACK(digests, deltas) -> ACK2(deltas).

Law 1: every type here is a value: nothing refers back, so the collector of cycles need not know of any (`gc=False`).
"""

from __future__ import annotations

import msgspec

from cluster.core.types import NodeId


class Digest(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """How much the sender knows of `node`: its generation, heartbeat and highest key version.

    `gc_version`: tombstones up to here are gone at the sender, so it need not be reset for their sake again.
    """

    node: NodeId
    generation: int
    heartbeat: int
    max_version: int
    gc_version: int = 0


class KeyValue(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One application key. `deleted` marks a tombstone."""

    key: str
    value: str
    version: int
    deleted: bool = False


class Delta(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """News of one node, keys in rising version order so that a delta cut at the MTU is still legal.

    `gc_version`: tombstones up to here are gone at the sender; a receiver behind it is reset, not merged.
    `from_version`: the keys continue from there; a receiver that knows less would get a gap, and takes only the heartbeat.
    `max_version`: the sender's own; reached by this delta unless `truncated`.
    """

    node: NodeId
    generation: int
    heartbeat: int
    gc_version: int
    keys: tuple[KeyValue, ...]
    from_version: int = 0
    max_version: int = 0
    truncated: bool = False


class Syn(msgspec.Struct, frozen=True, array_like=True, tag="gs", gc=False):
    digests: tuple[Digest, ...]


class Ack(msgspec.Struct, frozen=True, array_like=True, tag="ga", gc=False):
    digests: tuple[Digest, ...]
    deltas: tuple[Delta, ...]


class Ack2(msgspec.Struct, frozen=True, array_like=True, tag="g2", gc=False):
    deltas: tuple[Delta, ...]


GossipMessage = Syn | Ack | Ack2
