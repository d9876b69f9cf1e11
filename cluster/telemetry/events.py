"""Every fact that can reach a screen, a monitor or a recording, as one closed union.

Law 1: `at_us` is the machine's monotonic clock (one clock for all processes of a machine), read where the thing happened.
Law 2: a node's events are beliefs; the supervisor's are truth. They are different types and are shown side by side.
Law 3: what is periodic may be lost (and the loss is counted); what concerns safety may not.
"""

from __future__ import annotations

import msgspec

from cluster.core.types import Micros, NodeId
from cluster.faults import FaultPlan
from cluster.telemetry.group_events import GroupChanged as GroupChanged
from cluster.telemetry.group_events import NodeEnlisted as NodeEnlisted
from cluster.telemetry.group_events import SnapshotMade as SnapshotMade

# ---- what a node says of itself (beliefs) -------------------------------------------------------------------------


class PeerProgress(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a leader knows of one follower. `state`: "probe" | "replicate" | "snapshot". `ack_age_us`: since its last answer."""

    node: NodeId
    next_index: int
    match_index: int
    state: str
    ack_age_us: Micros


class Belief(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What one node thinks of another. φ is in tenths, capped at 999; -1 when there is no evidence yet.

    `countdown_us`: silence still needed until conviction (0: convicted; -1: unknown). `version`: newest key version known.
    """

    node: NodeId
    phi_tenths: int
    alive: bool
    generation: int
    heartbeat: int
    version: int
    countdown_us: Micros


class TermRun(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A stretch of the log with one term: the entries `first_index`..(next run's first - 1)."""

    first_index: int
    term: int


class NodeState(msgspec.Struct, frozen=True, array_like=True, tag="state"):
    """The periodic snapshot, up to ten per second. `role` as in `Role`. Counters only rise within one process's life."""

    node: NodeId
    at_us: Micros
    epoch: int  # rises with every process started for this node
    role: str
    term: int
    vote: NodeId | None
    leader: NodeId | None
    commit: int
    applied: int
    last_index: int
    log: tuple[TermRun, ...]  # the last few runs, oldest first, enough to draw the last few hundred entries
    progress: tuple[PeerProgress, ...]  # empty unless leader
    quorum_age_us: Micros  # leader: since a quorum last answered; -1 otherwise
    election_in_us: Micros  # follower: until its election timer fires; -1 otherwise
    reads_waiting: int
    proposals_waiting: int
    disk_busy_us: Micros  # age of the oldest write not yet durable; 0 when idle
    fsync_us: Micros  # recent median
    beliefs: tuple[Belief, ...]
    gossip_rounds: int
    membership_digest: int  # equal digests: equal live sets
    sent: int
    received: int
    dropped: tuple[tuple[NodeId, int], ...]  # by the fault shim, per peer, since the process started
    rtt: tuple[tuple[NodeId, int], ...]  # µs, smoothed, for peers with a connection
    cpu_us: Micros  # CPU time used by this process so far
    telemetry_lost: int
    skew_us: Micros


class NodeReady(msgspec.Struct, frozen=True, array_like=True, tag="ready"):
    """A process is up and serves. `recovered` entries and `term` came from its disk."""

    node: NodeId
    at_us: Micros
    epoch: int
    pid: int
    term: int
    recovered: int


class RoleTaken(msgspec.Struct, frozen=True, array_like=True, tag="role"):
    node: NodeId
    at_us: Micros
    role: str
    term: int
    leader: NodeId | None
    why: str


class VoteGiven(msgspec.Struct, frozen=True, array_like=True, tag="vote"):
    """`voter` answered `candidate` (reported by the voter)."""

    node: NodeId
    at_us: Micros
    candidate: NodeId
    term: int
    pre: bool
    granted: bool
    reason: str


class Verdict(msgspec.Struct, frozen=True, array_like=True, tag="verdict"):
    """The observer's deciding detector changed its mind."""

    node: NodeId
    at_us: Micros
    subject: NodeId
    convicted: bool
    phi_tenths: int
    detector: str
    silence_us: Micros


class Shadow(msgspec.Struct, frozen=True, array_like=True, tag="shadow"):
    """A detector that does not decide would have convicted."""

    node: NodeId
    at_us: Micros
    subject: NodeId
    detector: str
    silence_us: Micros


class RumourLearned(msgspec.Struct, frozen=True, array_like=True, tag="rumour"):
    node: NodeId
    at_us: Micros
    key: str
    origin: NodeId
    version: int
    teller: NodeId
    text: str


class LogTruncated(msgspec.Struct, frozen=True, array_like=True, tag="trunc"):
    node: NodeId
    at_us: Micros
    from_index: int
    to_index: int
    term: int


class AppliedMark(msgspec.Struct, frozen=True, array_like=True, tag="mark"):
    """Safety evidence: what this node applied up to `index`, as one chained digest."""

    node: NodeId
    at_us: Micros
    index: int
    term: int
    digest: int


class LeaderCommit(msgspec.Struct, frozen=True, array_like=True, tag="lcommit"):
    """Safety evidence: a leader moved the commit index."""

    node: NodeId
    at_us: Micros
    index: int
    term: int


class ClockGap(msgspec.Struct, frozen=True, array_like=True, tag="gap"):
    """The node noticed that its own clock had stopped: it was frozen."""

    node: NodeId
    at_us: Micros
    gap_us: Micros


class DiskStalled(msgspec.Struct, frozen=True, array_like=True, tag="stall"):
    """A leader gave up because its own disk stands still."""

    node: NodeId
    at_us: Micros
    since_us: Micros


class FaultHeard(msgspec.Struct, frozen=True, array_like=True, tag="fault-ack"):
    """The node has applied fault plan `version`."""

    node: NodeId
    at_us: Micros
    version: int


class TelemetryLost(msgspec.Struct, frozen=True, array_like=True, tag="lost"):
    """Safety events had to be dropped: the invariants light must say unknown."""

    node: NodeId
    at_us: Micros
    count: int


class NodeComplaint(msgspec.Struct, frozen=True, array_like=True, tag="complaint"):
    """Garbage on a port, a refused secret, a failing disk: counted, and one line for the operator."""

    node: NodeId
    at_us: Micros
    what: str


# ---- what the supervisor knows (truth) ----------------------------------------------------------------------------


class LabOpened(msgspec.Struct, frozen=True, array_like=True, tag="lab"):
    """The first event of every recording: `at_us` is the zero of all clocks on screen."""

    at_us: Micros
    run: str
    seed: int
    nodes: tuple[NodeId, ...]
    voters: tuple[NodeId, ...]
    profile: str
    quorum: int
    threshold: float  # of the deciding detector, in φ
    detector: str
    heartbeat_us: Micros
    election_min_us: Micros
    gossip_interval_us: Micros
    fanout: int
    started_wall_s: float  # seconds since 1970, for people
    version: str
    mistakes: tuple[str, ...]  # policy fields deliberately set wrong


class ProcessChanged(msgspec.Struct, frozen=True, array_like=True, tag="proc"):
    """`state`: "starting" | "up" | "paused" | "down". `why` in words: "started", "SIGKILL (crash #3)", "exited with 4"."""

    at_us: Micros
    node: NodeId
    state: str
    pid: int
    epoch: int
    why: str


class FaultBegan(msgspec.Struct, frozen=True, array_like=True, tag="fault+"):
    """`kind` is the verb. `text` is canonical grammar with roles resolved, `asked` what was typed. `until_us` 0: no deadline."""

    at_us: Micros
    id: int
    kind: str
    text: str
    asked: str
    targets: tuple[NodeId, ...]
    until_us: Micros
    by: str


class FaultEnded(msgspec.Struct, frozen=True, array_like=True, tag="fault-"):
    """`why`: "expired" | "undone" | "healed" | "the lab ended". `residue` says what the undo cannot bring back ("" if nothing)."""

    at_us: Micros
    id: int
    why: str
    residue: str


class PlanChanged(msgspec.Struct, frozen=True, array_like=True, tag="plan"):
    """The link, clock and disk faults now in force, and the sides a cut has made (one side: no cut)."""

    at_us: Micros
    plan: FaultPlan
    sides: tuple[tuple[NodeId, ...], ...]


# Who answers for the recording; it answers once, when recording had to end before the lab did.
RECORDER = "recorder"


class CommandDone(msgspec.Struct, frozen=True, array_like=True, tag="cmd"):
    """An operator's command was carried out or refused; `answer` is one line."""

    at_us: Micros
    seat: str
    request: int
    text: str
    ok: bool
    answer: str


class SeatChanged(msgspec.Struct, frozen=True, array_like=True, tag="seat"):
    at_us: Micros
    seat: str
    joined: bool
    observer: bool


class OpsCounted(msgspec.Struct, frozen=True, array_like=True, tag="ops"):
    """The workload so far (totals), and the last interval's latency. `rate` is the target in operations per second, 0 when off."""

    at_us: Micros
    invoked: int
    ok: int
    failed: int
    unknown: int
    p50_us: Micros
    p99_us: Micros
    rate: int
    # Time in which operations were asked for and none succeeded (`check.availability`), so far.
    unavailable_us: Micros = 0


class LightChanged(msgspec.Struct, frozen=True, array_like=True, tag="light"):
    """`light`: "linearizable" | "acked" | an invariant's name. `state`: "ok" | "violated" | "unknown". `evidence` in words."""

    at_us: Micros
    light: str
    state: str
    evidence: str
    checked: int


class AckedCounted(msgspec.Struct, frozen=True, array_like=True, tag="acked"):
    """After a heal: every write ever acknowledged was looked for again."""

    at_us: Micros
    acked: int
    lost: int
    examples: tuple[str, ...]


class FreezeChanged(msgspec.Struct, frozen=True, array_like=True, tag="freeze"):
    """The operator stopped (or released) the whole world to look around."""

    at_us: Micros
    frozen: bool


class Heartbeat(msgspec.Struct, frozen=True, array_like=True, tag="tick"):
    """The supervisor is alive; `at_us` moves the clock on screen even when nothing else happens. CPU is its own, so far."""

    at_us: Micros
    cpu_us: Micros


class LabClosed(msgspec.Struct, frozen=True, array_like=True, tag="closed"):
    at_us: Micros
    clean: bool
    why: str


NodeEvent = (
    NodeState
    | NodeReady
    | RoleTaken
    | VoteGiven
    | Verdict
    | Shadow
    | RumourLearned
    | LogTruncated
    | SnapshotMade
    | GroupChanged
    | AppliedMark
    | LeaderCommit
    | ClockGap
    | DiskStalled
    | FaultHeard
    | TelemetryLost
    | NodeComplaint
)
TruthEvent = (
    LabOpened
    | NodeEnlisted
    | ProcessChanged
    | FaultBegan
    | FaultEnded
    | PlanChanged
    | CommandDone
    | SeatChanged
    | OpsCounted
    | LightChanged
    | AckedCounted
    | FreezeChanged
    | Heartbeat
    | LabClosed
)
Event = NodeEvent | TruthEvent
