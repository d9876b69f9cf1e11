"""Tunables, and the known mistakes that can be chosen in their place.

Law 1: every number says which failure it prevents.
Law 2: a mistake is a field here, never a branch on a scenario's name; its default is the cure.
"""

from __future__ import annotations

import msgspec

from cluster.core.types import MS, Micros


class RaftPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How a Raft group paces itself, and the mistakes it may be told to make."""

    heartbeat_us: Micros = 50 * MS
    # Timeouts are drawn from [min, max): the width is what keeps two candidates from colliding for ever (§5.2, §9.3).
    election_min_us: Micros = 150 * MS
    election_max_us: Micros = 300 * MS
    # A leader whose own disk has not finished a write for this long gives up leadership: heartbeats from a node that
    # can store nothing keep a dead cluster looking alive.
    storage_stall_us: Micros = 600 * MS
    # Longest a leader waits for a transfer target to catch up and take over before it serves again (dissertation §3.10).
    transfer_timeout_us: Micros = 300 * MS
    # In-flight AppendEntries per follower before the leader waits for an answer.
    inflight_max: int = 64

    # Entries between two snapshots, at least: without any, the log and every restart grow for ever (§7).
    snapshot_every: int = 10_000
    # Entries kept behind a snapshot, so that a follower a little behind gets entries and not the whole state.
    snapshot_trailing: int = 2_000

    # Cures (dissertation §9.6 and §6.2; a node back from a partition otherwise deposes a healthy leader).
    pre_vote: bool = True
    check_quorum: bool = True
    # Mistakes. Each is False in a correct cluster.
    forget_vote_on_restart: bool = False  # two votes in one term, two leaders
    ack_before_fsync: bool = False  # an acknowledged write dies with the machine
    commit_old_terms_by_counting: bool = False  # figure 8: a committed entry is overwritten
    serve_reads_locally: bool = False  # "linearizable" reads without asking anyone: stale after a cut or a pause
    append_without_prev_check: bool = False  # logs diverge under reordering
    credit_acks_to_wrong_follower: bool = False  # commits what no majority holds
    apply_before_commit: bool = False  # a client is told of what is then truncated
    lease_outlives_election: bool = False  # a lease longer than the election timeout: "lease" reads of a deposed leader, stale
    overlapping_changes: bool = False  # two config changes at once, in one step each: majorities that share no voter, two leaders


class GossipPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How often a node gossips, to how many, and how much fits into one exchange."""

    interval_us: Micros = 100 * MS
    fanout: int = 3
    # Bytes of deltas per message; what does not fit goes in a later round, stalest first.
    mtu_bytes: int = 8_192
    tombstone_grace_us: Micros = 60_000 * MS


class DetectPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Which verdict decides, and its parameters (Hayashibara 2004; Akka's defaults scaled to our intervals)."""

    decider: str = "akka"  # "akka" | "normal" | "cassandra" | "timeout"
    threshold: float = 8.0
    window: int = 1_000
    std_floor_us: Micros = 30 * MS
    acceptable_pause_us: Micros = 150 * MS
    first_estimate_us: Micros = 100 * MS
    timeout_us: Micros = 1_000 * MS
    # After its own freeze a node must not convict the others for its own absence (Cassandra's local pause).
    local_pause_us: Micros = 500 * MS


class ClientPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How a client of ours asks again when it does not know what came of a write."""

    # Attempts per write, within its time-out. More than one needs a session (dissertation §6.3), or it may be applied twice.
    attempts: int = 1
    # Mistake: ask again as if nothing had been sent. When only the answer was lost the write is applied twice: a counter counts
    # double, a compare-and-set says that it failed although it happened, an overwritten value comes back.
    retry_without_session: bool = False


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a node needs to know about how to behave."""

    raft: RaftPolicy = RaftPolicy()
    gossip: GossipPolicy = GossipPolicy()
    detect: DetectPolicy = DetectPolicy()
    client: ClientPolicy = ClientPolicy()
    # A gap this long in a node's own clock means it was frozen (SIGSTOP, GC, a suspended laptop), not that peers were silent.
    freeze_gap_us: Micros = 100 * MS
