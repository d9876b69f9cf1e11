"""Events for tests, in few words."""

from __future__ import annotations

from cluster.core.types import NodeId
from cluster.telemetry import events as e

NODES = ("n1", "n2", "n3")


def opened(at_us: int = 0, nodes: tuple[NodeId, ...] = NODES, voters: tuple[NodeId, ...] | None = None) -> e.LabOpened:
    voting = nodes if voters is None else voters
    return e.LabOpened(
        at_us=at_us, run="run-1", seed=7, nodes=nodes, voters=voting, profile="demo", quorum=len(voting) // 2 + 1, threshold=8.0,
        detector="akka", heartbeat_us=50_000, election_min_us=150_000, gossip_interval_us=100_000, fanout=3, started_wall_s=0.0,
        version="0", mistakes=(),
    )  # fmt: skip


def process(node: NodeId, state: str, at_us: int, epoch: int = 1) -> e.ProcessChanged:
    return e.ProcessChanged(at_us, node, state, 100, epoch, state)


def up(*nodes: NodeId, at_us: int = 1) -> list[e.Event]:
    return [process(node, "up", at_us) for node in nodes or NODES]


def ready(node: NodeId, at_us: int, epoch: int = 1) -> e.NodeReady:
    return e.NodeReady(node, at_us, epoch, 100, 0, 0)


def role(node: NodeId, role: str, term: int, at_us: int) -> e.RoleTaken:
    return e.RoleTaken(node, at_us, role, term, node if role == "leader" else None, "because")


def state(node: NodeId, at_us: int, *, role: str = "follower", term: int = 1, epoch: int = 1, **other: object) -> e.NodeState:
    plain: dict[str, object] = {
        "vote": None, "leader": None, "commit": 0, "applied": 0, "last_index": 0, "log": (), "progress": (), "quorum_age_us": -1,
        "election_in_us": -1, "reads_waiting": 0, "proposals_waiting": 0, "disk_busy_us": 0, "fsync_us": 0, "beliefs": (),
        "gossip_rounds": 0, "membership_digest": 0, "sent": 0, "received": 0, "dropped": (), "rtt": (), "cpu_us": 0,
        "telemetry_lost": 0, "skew_us": 0,
    }  # fmt: skip
    return e.NodeState(node=node, at_us=at_us, epoch=epoch, role=role, term=term, **(plain | other))  # type: ignore[arg-type]


def light(name: str, state: str, at_us: int, evidence: str = "", checked: int = 1) -> e.LightChanged:
    return e.LightChanged(at_us, name, state, evidence, checked)


def fault(number: int, text: str, at_us: int, *, by: str = "ada", targets: tuple[NodeId, ...] = ("n1",)) -> e.FaultBegan:
    return e.FaultBegan(at_us, number, text.split()[0], text, text, targets, 0, by)


def ops(at_us: int, ok: int = 1, **other: int) -> e.OpsCounted:
    return e.OpsCounted(at_us, other.get("invoked", ok), ok, 0, 0, 0, 0, 40, other.get("unavailable_us", 0))
