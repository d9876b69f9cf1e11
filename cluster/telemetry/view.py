"""What is known of a lab at one moment: one frozen value, made only by `fold`.

Law 1: a view is never changed; `fold(view, event)` makes the next one.
Law 2: truth (from the supervisor) and belief (from nodes) stand in different fields, never merged.
Law 3: everything is bounded: tails and series keep the newest.
"""

from __future__ import annotations

import msgspec

from cluster.core.types import Micros, NodeId
from cluster.faults import FaultPlan
from cluster.telemetry.events import (
    AckedCounted,
    FaultBegan,
    GroupChanged,
    LabOpened,
    LightChanged,
    NodeState,
    OpsCounted,
    RumourLearned,
    VoteGiven,
)

LOG_LINES_MAX = 1_000
# Kinds of lines that explain those after them. Up to half of the log they outlive the others: fifty nodes that suspect one
# another must not push the cut that made them do so out of memory.
LANDMARKS = frozenset({"LAB", "FAULT", "HEAL", "FREEZE", "LEADER", "LIGHT", "REFUSED", "LOST"})
SERIES_MAX = 240  # samples of half a second
SAMPLE_US: Micros = 500_000
REIGNS_MAX = 64
VOTES_MAX = 200
VERDICTS_MAX = 200
RUMOURS_MAX = 8


class NodeView(msgspec.Struct, frozen=True):
    """One node: the truth about its process, and its own last words."""

    node: NodeId
    # truth
    process: str = "starting"  # "starting" | "up" | "paused" | "down"
    pid: int = 0
    epoch: int = 0
    since_us: Micros = 0  # of the process state
    why: str = ""
    side: int = 0  # which side of the present cut, 0-based; all 0 without a cut
    # belief (None until the first state arrives; kept, and aging, after a pause or a crash)
    state: NodeState | None = None
    cpu_percent: float = 0.0  # of one core, over the last interval
    frozen_us: Micros = 0  # the last clock gap it noticed
    complaints: int = 0
    last_complaint: str = ""


class FaultView(msgspec.Struct, frozen=True):
    """One fault in force."""

    fault: FaultBegan


class PastFault(msgspec.Struct, frozen=True):
    fault: FaultBegan
    ended_us: Micros
    why: str
    residue: str


class Reign(msgspec.Struct, frozen=True):
    """One leader of one term, as announced; `ended_us` 0 while it lasts."""

    node: NodeId
    term: int
    began_us: Micros
    ended_us: Micros = 0


class VerdictView(msgspec.Struct, frozen=True):
    """A conviction or its withdrawal, with the truth beside it at that moment.

    `truth`: "true" (the subject was dead, paused or unreachable), "false" (it was fine), "cleared". `late_us`: how long after the
    subject really went silent, when that is known.
    """

    at_us: Micros
    observer: NodeId
    subject: NodeId
    convicted: bool
    phi_tenths: int
    detector: str
    truth: str
    late_us: Micros


class Rumour(msgspec.Struct, frozen=True):
    """One rumour's spread: who learned it when, and from whom, in order of learning."""

    key: str
    origin: NodeId
    version: int
    text: str
    began_us: Micros
    learned: tuple[RumourLearned, ...] = ()


class LogLine(msgspec.Struct, frozen=True):
    """One line of the event pane. `kind` is a short upper-case tag: FAULT, HEAL, LEADER, VOTE, SUSPECT, CLEAR, PROC, GAP, LIGHT …"""

    at_us: Micros
    node: NodeId  # "" for the lab itself
    kind: str
    text: str
    fault: int = 0


class Sample(msgspec.Struct, frozen=True, array_like=True):
    """One point of every series."""

    at_us: Micros
    ops_per_s: float
    commit_per_s: float
    phi_max_tenths: int
    gossip_per_s: float
    dropped_per_s: float
    has_leader: bool


class Totals(msgspec.Struct, frozen=True, array_like=True):
    """Counters at the last sample, from which the next sample's rates are taken."""

    ops: int = 0
    commit: int = 0
    gossip: int = 0
    dropped: int = 0


class ClusterView(msgspec.Struct, frozen=True):
    """Everything on screen comes from here. `now_us` is the newest time heard."""

    lab: LabOpened | None = None
    now_us: Micros = 0
    nodes: dict[NodeId, NodeView] = {}
    group: GroupChanged | None = None  # the newest configuration that a leader told of
    plan: FaultPlan = FaultPlan()
    sides: tuple[tuple[NodeId, ...], ...] = ()
    faults: dict[int, FaultView] = {}
    past_faults: tuple[PastFault, ...] = ()
    reigns: tuple[Reign, ...] = ()
    votes: tuple[VoteGiven, ...] = ()
    verdicts: tuple[VerdictView, ...] = ()
    rumours: tuple[Rumour, ...] = ()
    ops: OpsCounted | None = None
    acked: AckedCounted | None = None
    lights: dict[str, LightChanged] = {}
    log: tuple[LogLine, ...] = ()
    log_total: int = 0
    series: tuple[Sample, ...] = ()
    frozen: bool = False
    seats: tuple[str, ...] = ()
    last_command: str = ""
    last_answer: str = ""
    last_ok: bool = True
    lost: int = 0  # telemetry known to be missing
    closed: str = ""  # why the lab ended, "" while it runs
    clean: bool = True
    supervisor_cpu_percent: float = 0.0
    totals: Totals = Totals()


EMPTY = ClusterView()
