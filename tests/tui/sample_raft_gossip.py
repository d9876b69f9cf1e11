"""Views for the Raft, Gossip and Faults panes, made the way real ones are: by folding events.

`healthy(5)` · `mock_up()`, twelve nodes of which n4 leads a minority of an older term · `no_leader()` · `fifty()` · `fresh()`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from cluster.core.types import NodeId
from cluster.faults import FaultPlan, LinkFault
from cluster.telemetry import events as e
from cluster.telemetry.fold import fold_all
from cluster.telemetry.view import EMPTY, ClusterView

MS = 1_000
SECOND = 1_000 * MS
ZERO = 5_000 * SECOND  # when the lab opened
GOSSIP_US = 100 * MS


def names(count: int) -> tuple[NodeId, ...]:
    return tuple(f"n{number}" for number in range(1, count + 1))


def lab(count: int, voters: int) -> e.LabOpened:
    return e.LabOpened(
        at_us=ZERO,
        run="run",
        seed=0x7F3A,
        nodes=names(count),
        voters=names(voters),
        profile="demo",
        quorum=voters // 2 + 1,
        threshold=8.0,
        detector="akka",
        heartbeat_us=50 * MS,
        election_min_us=150 * MS,
        gossip_interval_us=GOSSIP_US,
        fanout=3,
        started_wall_s=1.7e9,
        version="0.1.0",
        mistakes=(),
    )


def up(count: int, at_us: int = ZERO) -> list[e.Event]:
    """Every process has started."""
    return [e.ProcessChanged(at_us, node, "up", 4_000 + number, 1, "started") for number, node in enumerate(names(count), 1)]


def state(node: NodeId, at_us: int, count: int, **changes: object) -> e.NodeState:
    """A follower of term 8 under n3 with 1204 committed entries that knows all `count` nodes well."""
    base = e.NodeState(
        node=node,
        at_us=at_us,
        epoch=1,
        role="follower",
        term=8,
        vote="n3",
        leader="n3",
        commit=1204,
        applied=1204,
        last_index=1204,
        log=(e.TermRun(900, 6), e.TermRun(1100, 7), e.TermRun(1162, 8)),
        progress=(),
        quorum_age_us=-1,
        election_in_us=180 * MS,
        reads_waiting=0,
        proposals_waiting=0,
        disk_busy_us=0,
        fsync_us=90,
        beliefs=beliefs(node, names(count)),
        gossip_rounds=1_600,
        membership_digest=77,
        sent=9_000,
        received=8_900,
        dropped=(),
        rtt=tuple((peer, 400) for peer in names(min(count, 12)) if peer != node),
        cpu_us=900_000,
        telemetry_lost=0,
        skew_us=0,
    )
    return replace(base, **changes)


def beliefs(
    observer: NodeId, nodes: Iterable[NodeId], suspects: Iterable[NodeId] = (), behind: Mapping[NodeId, int] | None = None
) -> tuple[e.Belief, ...]:
    """What `observer` thinks of the others: fine, except for `suspects`; `behind` says by how many heartbeats it lags."""
    suspected = set(suspects)
    lags = behind or {}
    return tuple(
        e.Belief(
            node=node,
            phi_tenths=92 if node in suspected else 3,
            alive=node not in suspected,
            generation=1,
            heartbeat=1_600 - lags.get(node, 0),
            version=4,
            countdown_us=0 if node in suspected else 420 * MS,
        )
        for node in nodes
        if node != observer
    )


def progress(followers: Mapping[NodeId, int], last: int, ack_age_us: int = 20 * MS) -> tuple[e.PeerProgress, ...]:
    """A leader's table: follower -> match index."""
    return tuple(
        e.PeerProgress(node, match + 1, match, "replicate" if match >= last - 50 else "probe", ack_age_us)
        for node, match in followers.items()
    )


# What a node without a vote reports of Raft.
NO_LOG: dict[str, object] = {
    "role": "observer", "term": 0, "vote": None, "leader": None, "election_in_us": -1,
    "commit": 0, "applied": 0, "last_index": 0, "log": (),
}  # fmt: skip


def leading(table: tuple[e.PeerProgress, ...], quorum_age_us: int) -> dict[str, object]:
    """What makes a state a leader's."""
    return {"role": "leader", "progress": table, "quorum_age_us": quorum_age_us, "election_in_us": -1}


def reigned(at_us: int, node: NodeId, term: int) -> e.RoleTaken:
    return e.RoleTaken(node, at_us, "leader", term, node, "votes of a quorum")


def healthy(count: int = 5, voters: int = 5) -> ClusterView:
    """n3 leads term 8; everyone follows."""
    now = ZERO + 161 * SECOND
    events: list[e.Event] = [lab(count, voters), *up(count)]
    events += [
        reigned(ZERO + 1 * SECOND, "n1", 6),
        e.RoleTaken("n1", ZERO + 60 * SECOND, "follower", 6, None, "higher term"),
        reigned(ZERO + 60_400 * MS, "n4", 7),
        e.RoleTaken("n4", ZERO + 120 * SECOND, "follower", 7, None, "higher term"),
        reigned(ZERO + 121_370 * MS, "n3", 8),
    ]
    followers = {node: 1204 for node in names(voters) if node != "n3"}
    for node in names(count):
        if node == "n3":
            own = state(node, now, count, **leading(progress(followers, 1204), 18 * MS))
        elif node in names(voters):
            own = state(node, now, count)
        else:
            own = state(node, now, count, **NO_LOG)
        events.append(own)
    return fold_all(EMPTY, events)


SIDE_A = ("n1", "n2", "n3", "n5", "n6", "n7", "n8")
SIDE_B = ("n4", "n9", "n10", "n11", "n12")


def cut_plan(sides: tuple[tuple[NodeId, ...], ...], fault: int, version: int = 1) -> FaultPlan:
    links = [
        LinkFault(source, target, cut=True, lease=fault)
        for side in sides
        for other in sides
        if side is not other
        for source in side
        for target in other
    ]
    return FaultPlan(version=version, links=tuple(links))


def cut(at_us: int, number: int, *sides: tuple[NodeId, ...], until_us: int = 0) -> list[e.Event]:
    """A cut begins: the fault, and the plan with its sides."""
    text = "cut " + " | ".join(",".join(side) for side in sides)
    targets = tuple(node for side in sides for node in side)
    return [
        e.FaultBegan(at_us, number, "cut", text, text, targets, until_us, "you"),
        e.PlanChanged(at_us, cut_plan(sides, number), sides),
    ]


def mock_up() -> ClusterView:
    """Twelve nodes, nine of them voters. n4 led term 7 and was cut off with a minority; n3 leads term 8. n11 is frozen, n12 dead."""
    now = ZERO + 161_300 * MS
    base = ZERO + 158_114 * MS
    events: list[e.Event] = [lab(12, 9), *up(12)]
    events += [
        reigned(ZERO + 1 * SECOND, "n1", 6),
        e.RoleTaken("n1", ZERO + 60 * SECOND, "follower", 6, None, "higher term"),
        reigned(ZERO + 60_400 * MS, "n4", 7),
        *cut(base, 17, SIDE_A, SIDE_B, until_us=now + 41 * SECOND),
        e.VoteGiven("n7", base + 1_500 * MS, "n3", 8, True, False, "n4 leads: heard 80 ms ago, 2 ticks left"),
        e.VoteGiven("n1", base + 1_788 * MS, "n3", 8, False, True, "its log ends at 1166 (term 7), mine at 1166"),
        e.VoteGiven("n2", base + 1_789 * MS, "n3", 8, False, True, "its log ends at 1166 (term 7), mine at 1166"),
        e.VoteGiven("n9", base + 2_100 * MS, "n4", 8, True, False, "my log is newer: it ends at 1169 (term 7), its at 1160 (term 7)"),
        reigned(base + 1_818 * MS, "n3", 8),
        e.FaultBegan(ZERO + 160_801 * MS, 18, "pause", "pause n11 for 5s", "pause n11 5s", ("n11",), ZERO + 165_801 * MS, "you"),
        e.FaultBegan(ZERO + 161_004 * MS, 19, "crash", "crash n12", "crash n12", ("n12",), 0, "you"),
    ]
    followers = {"n1": 1204, "n2": 1204, "n5": 1203, "n6": 1204, "n7": 1198, "n8": 1204, "n4": 1161, "n9": 1161}
    theirs = {"n9": 1164, "n1": 1161, "n2": 1161, "n3": 1161, "n5": 1161, "n6": 1161, "n7": 1161, "n8": 1161}
    old = (e.TermRun(900, 6), e.TermRun(1100, 7))
    for node in names(12):
        suspects = SIDE_B if node in SIDE_A else SIDE_A
        common = {"beliefs": beliefs(node, names(12), suspects), "membership_digest": 1 if node in SIDE_A else 2}
        if node in SIDE_A:
            match = followers.get(node, 1204)
            extra: dict[str, object] = {"last_index": match, "commit": min(match, 1203)}
            if node == "n3":
                extra = {"last_index": 1206, "commit": 1204, **leading(progress(followers, 1206), 12 * MS)}
            extra["dropped"] = tuple((other, 900) for other in SIDE_B)
        else:
            extra = {"term": 7, "leader": "n4", "vote": "n4", "log": old, "commit": 1161, "applied": 1161, "last_index": 1161}
            if node == "n4":
                extra |= {"last_index": 1166, **leading(progress(theirs, 1166, 3_000 * MS), 3_200 * MS)}
            if node == "n9":
                extra |= {"last_index": 1164}
            extra["dropped"] = tuple((other, 870) for other in SIDE_A)
        if node not in names(9):
            extra |= NO_LOG
        events.append(state(node, now - 20 * MS, 12, **common, **extra))
    events += [
        e.ProcessChanged(ZERO + 160_801 * MS, "n11", "paused", 4_011, 1, "SIGSTOP (pause #18)"),
        e.ProcessChanged(ZERO + 161_004 * MS, "n12", "down", 4_012, 1, "SIGKILL (crash #19)"),
        e.Heartbeat(now, 100_000),
    ]
    return fold_all(EMPTY, events)


def no_leader() -> ClusterView:
    """Five voters, two crashed and one frozen: n1 and n2 campaign in vain."""
    view = healthy(5)
    now = view.now_us
    dead = [
        e.FaultBegan(now, 3, "crash", "crash n3,n4", "crash leader,n4", ("n3", "n4"), 0, "you"),
        e.ProcessChanged(now, "n3", "down", 4_003, 1, "SIGKILL (crash #3)"),
        e.ProcessChanged(now, "n4", "down", 4_004, 1, "SIGKILL (crash #3)"),
        e.FaultBegan(now, 4, "pause", "pause n5 for 30s", "pause n5 30s", ("n5",), now + 30 * SECOND, "you"),
        e.ProcessChanged(now, "n5", "paused", 4_005, 1, "SIGSTOP (pause #4)"),
    ]
    later = now + 2_400 * MS
    campaign = [
        e.VoteGiven("n2", later - 900 * MS, "n1", 9, True, False, "my log is newer: it ends at 1204 (term 8), its at 1198 (term 8)"),
        e.VoteGiven("n1", later - 300 * MS, "n2", 9, True, True, "its log ends at 1204 (term 8), mine at 1198"),
        state("n1", later, 5, role="follower", leader=None, election_in_us=120 * MS, commit=1198, last_index=1198),
        state("n2", later, 5, role="precandidate", leader=None, election_in_us=210 * MS),
        e.Heartbeat(later + 40 * MS, 100_000),
    ]
    return fold_all(view, [*dead, *campaign])


def fresh() -> ClusterView:
    """The lab has opened; nothing has been heard."""
    return fold_all(EMPTY, [lab(5, 5)])


def fifty(voters: int = 5, *, split: bool = False) -> ClusterView:
    """Fifty nodes; with `split` the last twenty are cut off."""
    view = healthy(50, voters)
    if not split:
        return view
    sides = (names(50)[:30], names(50)[30:])
    now = view.now_us + 5 * SECOND
    events: list[e.Event] = [*cut(view.now_us, 1, *sides)]
    for node in names(50):
        others = sides[1] if node in sides[0] else sides[0]
        known = view.nodes[node].state
        assert known is not None
        lags = dict.fromkeys(others, 50)
        own = replace(known, at_us=now, beliefs=beliefs(node, names(50), others, lags), membership_digest=len(others))
        events.append(own)
    return fold_all(view, events)


def spread(
    view: ClusterView, rounds: Mapping[int, Iterable[tuple[NodeId, NodeId]]], origin: NodeId = "n3", text: str = "hello"
) -> ClusterView:
    """One rumour: round -> (learner, teller) pairs. Round 0 is the origin's own."""
    began = view.now_us
    events: list[e.Event] = [e.RumourLearned(origin, began, "rumour", origin, 9, origin, text)]
    for number, pairs in rounds.items():
        events += [
            e.RumourLearned(learner, began + number * GOSSIP_US - 60 * MS + place * MS, "rumour", origin, 9, teller, text)
            for place, (learner, teller) in enumerate(pairs)
        ]
    last = max(rounds, default=0)
    return fold_all(view, [*events, e.Heartbeat(began + last * GOSSIP_US, 100_000)])


def stopped_wave() -> ClusterView:
    """The mock-up with a rumour of n3 that the cut stopped: seven of twelve know."""
    rounds = {
        1: [("n1", "n3"), ("n6", "n3")],
        2: [("n2", "n1"), ("n7", "n6"), ("n8", "n6")],
        3: [("n5", "n2")],
        5: [],
    }
    return spread(mock_up(), rounds, text="n12 is dead")


def full_wave(count: int = 50) -> ClusterView:
    """Everyone learned within three rounds, each from somebody who knew."""
    nodes = [node for node in names(count) if node != "n3"]
    first, second = nodes[:3], nodes[3:24]
    rounds = {
        1: [(node, "n3") for node in first],
        2: [(node, first[place % 3]) for place, node in enumerate(second)],
        3: [(node, second[place % 21]) for place, node in enumerate(nodes[24:])],
    }
    return spread(healthy(count), rounds)


def mended() -> ClusterView:
    """Two faults are over: one by its own end, one by hand, which left a residue."""
    view = healthy()
    now = view.now_us
    events: list[e.Event] = [
        e.FaultBegan(now, 1, "pause", "pause n2 for 3s", "pause followers.1 3s", ("n2",), now + 3 * SECOND, "you"),
        e.FaultEnded(now + 3 * SECOND, 1, "expired", ""),
        e.FaultBegan(now + 4 * SECOND, 2, "crash", "crash n1", "crash n1", ("n1",), 0, "ann"),
        e.FaultEnded(now + 9 * SECOND, 2, "healed", "what was in memory is lost"),
        e.CommandDone(now + 9 * SECOND, "ann", 7, "heal 2", True, "crash n1 is over"),
        e.Heartbeat(now + 10 * SECOND, 1),
    ]
    return fold_all(view, events)
