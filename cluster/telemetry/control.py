"""What supervisor, nodes, workload clients and seats say to each other besides events.

Law 1: one Unix stream per party, in the run directory (0700), carrying `wire` frames both ways.
Law 2: the first frame says who speaks (`Hello`); everything before it is refused.
"""

from __future__ import annotations

import msgspec

from cluster.core.policy import ClientPolicy, Policy, RaftPolicy
from cluster.core.types import Micros, NodeId
from cluster.faults import FaultPlan
from cluster.telemetry.events import Event, NodeEvent
from cluster.telemetry.view import ClusterView

# ---- how a process is started (argument of the zygote's fork) -----------------------------------------------------


class NodeSpec(msgspec.Struct, frozen=True):
    """Everything a node process needs. `secret` authenticates peers and clients of this run."""

    node: NodeId
    epoch: int
    members: dict[NodeId, int]  # every node -> its port on 127.0.0.1 (TCP: peers and clients; UDP: gossip)
    voters: tuple[NodeId, ...]
    policy: Policy
    secret: bytes
    data_dir: str  # this node's own directory
    control_path: str  # the supervisor's Unix socket
    seed: int
    state_interval_us: Micros
    plan: FaultPlan = FaultPlan()  # faults already in force when the process starts
    niceness: int = 5  # a lab's nodes yield to the screen; where nobody looks on they need not


class WorkloadSpec(msgspec.Struct, frozen=True):
    """One client process. `rate` is this client's share, operations per second; 0 waits for `SetRate`."""

    client: str  # "c1"…
    members: dict[NodeId, int]
    voters: tuple[NodeId, ...]
    secret: bytes
    control_path: str
    seed: int
    rate: float
    timeout_us: Micros = 1_000_000
    # Raised when a client is started anew (`reset`): its logical processes and values must not repeat those before.
    incarnation: int = 0
    clients: int = 4  # how many of them share the work
    policy: ClientPolicy = ClientPolicy()


# ---- how a lab is started (from the front to the supervisor, before any socket exists) ----------------------------


# Nodes derive theirs from it by multiplication, and msgpack's integers end at 64 bits.
SEED_MAX = 2**32 - 1


class LabSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What a lab is to be. Zero and empty mean: choose for me."""

    nodes: int = 5
    voters: int = 0  # 0: min(nodes, 5)
    seed: int = 0
    profile: str = "demo"  # "demo" | "lan" | "wan"
    policy: Policy | None = None  # instead of the profile's
    mistakes: tuple[str, ...] = ()  # Raft policy fields to be set wrong
    keep: bool = False  # the lab outlives its operators' seats
    record: str = ""  # journal file; "": none
    history: str = ""  # client history as JSONL, kept there; "": in the run directory, gone with it
    data_dir: str = ""  # node directories that stay; "": in the run directory
    base_port: int = 0  # nodes use this port and the following; 0: free ones
    workload_rate: float = 40.0  # operations per second of all clients together
    clients: int = 4
    run_base: str = ""  # where run directories are made; "": the user's runtime directory
    preloads: tuple[str, ...] = ("cluster.node.process", "cluster.workload.process")
    node_entry: str = "cluster.node.process:run"
    client_entry: str = "cluster.workload.process:run"


class Opened(msgspec.Struct, frozen=True, array_like=True, tag="opened"):
    """The supervisor's only line on standard output: where seats may sit down."""

    run_dir: str
    pid: int


class NotOpened(msgspec.Struct, frozen=True, array_like=True, tag="not-opened"):
    """Or why there will be no lab. `usage`: the one who asked can mend it; otherwise the environment failed."""

    why: str
    usage: bool


# ---- first frame of a connection ----------------------------------------------------------------------------------


class Hello(msgspec.Struct, frozen=True, array_like=True, tag="hello"):
    """`kind`: "node" | "client" | "seat". `name`: node id, client id, or the seat's name. `epoch` for nodes."""

    kind: str
    name: str
    epoch: int = 0
    observer: bool = False
    version: int = 1


# ---- supervisor -> node -------------------------------------------------------------------------------------------


class SetPlan(msgspec.Struct, frozen=True, array_like=True, tag="set-plan"):
    plan: FaultPlan


class SetPolicy(msgspec.Struct, frozen=True, array_like=True, tag="set-policy"):
    """Another policy for Raft while the node runs; what comes after a restart is in the node's spec."""

    raft: RaftPolicy


class Do(msgspec.Struct, frozen=True, array_like=True, tag="do"):
    """A protocol-level order, as `core.effects.Order` lists them."""

    verb: str
    argument: str


class Meet(msgspec.Struct, frozen=True, array_like=True, tag="meet"):
    """Every node there is now, and its port: said to nodes and clients when one is added."""

    members: dict[NodeId, int]


# ---- node -> supervisor -------------------------------------------------------------------------------------------


class Batch(msgspec.Struct, frozen=True, array_like=True, tag="batch"):
    events: tuple[NodeEvent, ...]


# ---- supervisor <-> workload client -------------------------------------------------------------------------------


class SetRate(msgspec.Struct, frozen=True, array_like=True, tag="rate"):
    """Operations per second for this client; 0 stops it after its open operation."""

    rate: float


class CountAcked(msgspec.Struct, frozen=True, array_like=True, tag="count"):
    """Look for every write you were promised; answer with `Counted`."""

    request: int


class Counted(msgspec.Struct, frozen=True, array_like=True, tag="counted"):
    """`complete=False`: the cluster could not be read (say nothing about loss)."""

    request: int
    acked: int
    lost: int
    examples: tuple[str, ...]
    complete: bool


class RunOnce(msgspec.Struct, frozen=True, array_like=True, tag="once"):
    """An operator's own `put` or `get`, done by a workload client: `argument` is "K V" or "K"; `mode` for gets."""

    request: int
    verb: str
    key: str
    value: str
    mode: str


class RanOnce(msgspec.Struct, frozen=True, array_like=True, tag="ran"):
    request: int
    outcome: str
    text: str


# `error` of a compare-and-set that met another value: to a checker it failed, to a client it was answered well.
NOT_SWAPPED = "not swapped"
# Keys with one writer, judged by the count of acknowledged writes instead of the linearizability checker.
SLOT_PREFIX = "slot/"


# `f` of the one line that no client writes: the operator gave the lab an empty cluster.
RESET = "reset"


class HistoryLine(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One line of a Jepsen-like history. `kind`: "invoke" | "ok" | "fail" | "info". `f`: "read" | "write" | "cas".

    `value`: write: [new]; cas: [expected, new]; read: [] at invoke, [seen] (or [None]) at ok. `process` is unique per logical
    process: after an `info` a client goes on under a new one. `node` answered (or was asked).
    """

    process: int
    kind: str
    f: str
    key: str
    value: tuple[str | None, ...]
    at_us: Micros
    node: str
    error: str = ""


class History(msgspec.Struct, frozen=True, array_like=True, tag="hist"):
    """Sent at once for completions and invocations alike, batched over a few milliseconds at most, in order."""

    lines: tuple[HistoryLine, ...]
    latencies_us: tuple[Micros, ...]


# ---- seat <-> supervisor ------------------------------------------------------------------------------------------


class Ask(msgspec.Struct, frozen=True, array_like=True, tag="ask"):
    """One line of the operators' grammar."""

    request: int
    text: str


class Welcome(msgspec.Struct, frozen=True, array_like=True, tag="welcome"):
    """First answer to a seat: all that is known so far."""

    seat: str
    view: ClusterView


class Heard(msgspec.Struct, frozen=True, array_like=True, tag="heard"):
    events: tuple[Event, ...]


class Goodbye(msgspec.Struct, frozen=True, array_like=True, tag="bye"):
    """The seat leaves on purpose (an operator's leaving ends the lab unless it is kept; `end=True` ends it in any case)."""

    end: bool = False


ControlMessage = (
    Hello
    | SetPlan
    | SetPolicy
    | Do
    | Meet
    | Batch
    | SetRate
    | CountAcked
    | Counted
    | RunOnce
    | RanOnce
    | History
    | Ask
    | Welcome
    | Heard
    | Goodbye
)
