"""The leader's lease: reads without asking anyone, for as long as nobody else can have been elected (dissertation §6.4.1).

A follower that hears a leader gives no other node its vote for the smallest election timeout (`terms.lease_against`). A leader whose
broadcast a majority has answered may therefore rely on being the only one for that long, counted from when it *sent* it.

Law 1: the lease is shorter than the promise by a tenth, since two clocks may run at different speeds. A larger drift breaks it:
       that is the price of not asking, and the fault `drift` shows it.
Law 2: no lease without check-quorum, which is what makes followers keep the promise; none before the leader's own first entry is
       committed; and none for the rest of a reign in which leadership was offered away, for the offer lifts every promise.
Law 3: without a lease the read is confirmed by a round (`reads`): late, never wrong.
"""

from __future__ import annotations

from collections import deque

from cluster.core.policy import RaftPolicy
from cluster.core.raft.state import RaftState
from cluster.core.types import Micros


def lease_us(policy: RaftPolicy) -> Micros:
    """How long an answered broadcast counts."""
    if policy.lease_outlives_election:  # the mistake's author trusted the network to be quick
        return 3 * policy.election_max_us
    return policy.election_min_us * 9 // 10


def holds(s: RaftState, now: Micros) -> bool:
    """Whether this leader may answer reads by itself now."""
    if s.offered or not s.policy.check_quorum or s.commit < s.noop_index:
        return False
    sent_us = answered_us(s.beats, s.quorum_seq())
    return not s.electors or (sent_us is not None and now < sent_us + lease_us(s.policy))


def answered_us(beats: deque[tuple[int, Micros]], seq: int) -> Micros | None:
    """When broadcast `seq` went out; forgets those before it. None when it is not known (any more)."""
    while beats and beats[0][0] < seq:
        beats.popleft()
    return beats[0][1] if beats and beats[0][0] == seq else None
