"""Clients that a replica owes an answer."""

from __future__ import annotations

import msgspec

from cluster.core.kv.ops import Read


class Proposal(msgspec.Struct, frozen=True, gc=False):
    """A write in the log that a client waits for. All of them are of the present reign (Law 2 of the replica)."""

    index: int
    token: int


class Reading(msgspec.Struct, frozen=True, gc=False):
    """A linearizable read that waits for confirmation."""

    token: int
    operation: Read
