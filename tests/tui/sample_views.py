"""Realistic views for the selectors' tests, made the way real ones are: by folding events.

`build(Stage(...))` folds a whole lab; the named builders below are the situations that every pane must survive:
`healthy` `fifty` `mock_up` `no_leader` `fresh` `one_way` `three_sides` `paused_leader` `crashed_leader` `crashed_follower`
`quorum_lost` `gray_disk` `false_suspicion` `red_light` `healed` `isolated_leader` `frozen_world` `ring_cut`; `EMPTY` is in `view`.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from cluster.core.types import MS, SECOND, Micros, NodeId
from cluster.faults import FaultPlan, LinkFault, NodeFault, sides_of
from cluster.telemetry import events as e
from cluster.telemetry.fold import fold_all
from cluster.telemetry.view import EMPTY, ClusterView, Sample

ZERO: Micros = 7_000 * SECOND  # the machine's clock when the lab opened
NOW: Micros = ZERO + 161 * SECOND + 300 * MS  # t+02:41.3
INVARIANTS = (
    "election safety", "vote once", "term never falls", "commit never falls", "applied ≤ commit ≤ last",
    "state-machine safety", "leader completeness", "committed entries stay",
)  # fmt: skip


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """What a sample is to show. `leaders`: who believes it leads which term. `cuts`: directed links. `sides` cut all between them.

    `lonely`: these report a leader of an older term or none: they hear nobody. `doing`: role by node where it is not a follower.
    """

    count: int = 5
    voters: int = 0
    term: int = 8
    commit: int = 1204
    leader: NodeId | None = "n3"
    stale: tuple[NodeId, ...] = ()  # believe that they lead the term before
    roles: dict[NodeId, str] = {}
    sides: tuple[tuple[NodeId, ...], ...] = ()
    one_way: tuple[tuple[NodeId, NodeId], ...] = ()
    cut_pairs: tuple[tuple[NodeId, NodeId], ...] = ()  # cut both ways, without making sides
    paused: tuple[NodeId, ...] = ()
    dead: tuple[NodeId, ...] = ()
    behind: dict[NodeId, int] = {}
    disks: dict[NodeId, str] = {}
    slow: dict[NodeId, Micros] = {}
    faults: tuple[e.FaultBegan, ...] = ()
    mistakes: tuple[str, ...] = ()
    cut_at_us: Micros = NOW - 3_200 * MS
    lost_at_us: Micros = 0  # when the last leader was lost, 0 while there is one
    rate: int = 40


def names(count: int) -> tuple[NodeId, ...]:
    return tuple(f"n{number}" for number in range(1, count + 1))


def opened(stage: Stage) -> e.LabOpened:
    voters = names(stage.voters or min(stage.count, 5))
    return e.LabOpened(
        at_us=ZERO, run="split-brain-3", seed=0x7F3A, nodes=names(stage.count), voters=voters, profile="demo",
        quorum=len(voters) // 2 + 1, threshold=8.0, detector="akka", heartbeat_us=50 * MS, election_min_us=150 * MS,
        gossip_interval_us=100 * MS, fanout=3, started_wall_s=1.7e9, version="0.1.0", mistakes=stage.mistakes,
    )  # fmt: skip


def fault(number: int, kind: str, text: str, targets: tuple[NodeId, ...], *, age_us: Micros = 3 * SECOND, left_us: Micros = 41 * SECOND) -> e.FaultBegan:  # noqa: E501
    return e.FaultBegan(
        at_us=NOW - age_us, id=number, kind=kind, text=text, asked=text, targets=targets,
        until_us=NOW + left_us if left_us else 0, by="you",
    )  # fmt: skip


def plan_of(stage: Stage) -> FaultPlan:
    pairs = [*stage.one_way]
    pairs += [pair for a, b in stage.cut_pairs for pair in ((a, b), (b, a))]
    for side in stage.sides:
        pairs += [(a, b) for a in side for b in names(stage.count) if b not in side]
    links = [LinkFault(source=a, target=b, cut=True, lease=17) for a, b in dict.fromkeys(pairs)]
    for node, delay_us in stage.slow.items():
        links += [LinkFault(source=node, target=b, delay_us=delay_us, lease=20) for b in names(stage.count) if b != node]
    nodes = tuple(NodeFault(node=node, disk=mode) for node, mode in stage.disks.items())
    return FaultPlan(version=3, links=tuple(links), nodes=nodes)


def _silent(stage: Stage, plan: FaultPlan) -> Callable[[NodeId, NodeId], bool]:
    """Whether `subject`'s news cannot reach `observer`: it does not run, or stands on another side, or all it says is cut."""
    sides = sides_of(plan, names(stage.count))
    side = {node: number for number, members in enumerate(sides) for node in members}
    muted = {
        node for node in names(stage.count)
        if {link.target for link in plan.links if link.cut and link.source == node} >= {*names(stage.count)} - {node}
    }  # fmt: skip

    def silent(observer: NodeId, subject: NodeId) -> bool:
        return subject in stage.dead or subject in stage.paused or side[observer] != side[subject] or subject in muted

    return silent


def _believes(observer: NodeId, count: int, silent: Callable[[NodeId, NodeId], bool], age_us: Micros) -> tuple[e.Belief, ...]:
    beliefs = []
    for subject in names(count):
        if subject == observer:
            continue
        calm = (int(observer[1:]) * 7 + int(subject[1:]) * 5) % 9
        phi = min(999, calm + age_us // (25 * MS)) if silent(observer, subject) else calm
        left = -1 if phi < 5 else max(0, (80 - phi) * 25 * MS)
        beliefs.append(e.Belief(subject, phi, phi < 80, 1, 1600 + int(subject[1:]), 3, left))
    return tuple(beliefs)


def node_state(stage: Stage, node: NodeId, plan: FaultPlan, at_us: Micros) -> e.NodeState:
    """What `node` last said of itself."""
    voters = names(stage.voters or min(stage.count, 5))
    role = stage.roles.get(node) or ("follower" if node in voters else "observer")
    leads = node == stage.leader or node in stage.stale
    role = "leader" if leads else role
    cut_off = stage.leader is not None and _silent(stage, plan)(node, stage.leader) and node not in (stage.leader,)
    term = stage.term - 1 if node in stage.stale or (stage.stale and cut_off) else stage.term
    old_boss = stage.stale[0] if stage.stale else None
    boss = node if leads else (old_boss if cut_off else stage.leader)
    commit = stage.commit - stage.behind.get(node, 0) if role != "observer" else 0
    others = [v for v in voters if v != node]
    blocked = {link.target for link in plan.links if link.cut and link.source == node} | {*stage.dead, *stage.paused}
    enough = len(voters) - len([v for v in others if v in blocked]) >= len(voters) // 2 + 1
    age = max(0, at_us - stage.cut_at_us)
    return e.NodeState(
        node=node, at_us=at_us, epoch=1, role=role, term=0 if role == "observer" else term,
        vote=boss, leader=boss, commit=commit, applied=commit, last_index=commit + (3 if node in stage.stale else 0),
        log=(e.TermRun(900, 6), e.TermRun(1100, 7), e.TermRun(1162, 8)),
        progress=tuple(
            e.PeerProgress(v, commit + 1, commit - (43 if v in blocked else 0), "probe" if v in blocked else "replicate",
                           age if v in blocked else 12 * MS) for v in others) if leads else (),
        quorum_age_us=(20 * MS if enough else age) if leads else -1,
        election_in_us=180 * MS if role == "follower" else -1,
        reads_waiting=0, proposals_waiting=0 if enough else 6,
        disk_busy_us=900 * MS if stage.disks.get(node) == "hang" else 0, fsync_us=90,
        beliefs=_believes(node, stage.count, _silent(stage, plan), age), gossip_rounds=1610, membership_digest=7,
        sent=9_000, received=8_900,
        dropped=tuple((b, 40 + int(b[1:])) for b in names(stage.count) if b in blocked and b not in (*stage.dead, *stage.paused)),
        rtt=tuple((b, 1_800 + 150 * int(b[1:])) for b in names(stage.count) if b != node and b not in blocked),
        cpu_us=4_000_000, telemetry_lost=0, skew_us=0,
    )  # fmt: skip


def build(stage: Stage) -> ClusterView:
    """The whole story of a stage, folded."""
    nodes, plan = names(stage.count), plan_of(stage)
    story: list[e.Event] = [opened(stage)]
    story += [e.ProcessChanged(ZERO, node, "up", 4_000 + number, 1, "started") for number, node in enumerate(nodes, 1)]
    first = stage.stale[0] if stage.stale else stage.leader or "n1"
    began = e.RoleTaken(first, ZERO + SECOND, "leader", stage.term - 1 if stage.stale else stage.term, first, "votes of n1 n2 n3")
    story.append(began)
    story += list(stage.faults)
    story += [e.PlanChanged(stage.cut_at_us, plan, sides_of(plan, nodes))]
    story += [node_state(stage, node, plan, NOW - 2_900 * MS if node in stage.paused else NOW - 60 * MS) for node in nodes]
    story += [e.ProcessChanged(NOW - 3 * SECOND, node, "paused", 4_000, 1, "SIGSTOP (pause #18)") for node in stage.paused]
    story += [e.ProcessChanged(NOW - 3 * SECOND, node, "down", 0, 1, "SIGKILL (crash #19)") for node in stage.dead]
    if stage.stale and stage.leader:
        story.append(e.RoleTaken(stage.leader, NOW - 1_400 * MS, "leader", stage.term, stage.leader, "votes of n1 n2 n5"))
    if stage.lost_at_us:
        story.append(e.RoleTaken(first, stage.lost_at_us, "follower", stage.term, None, "no majority answered for 300 ms"))
    story += verdicts(stage, plan)
    story.append(e.OpsCounted(NOW - 100 * MS, 6_000, 5_950, 10, 40, 3_100, 9_800, stage.rate))
    story += [e.LightChanged(NOW - 100 * MS, light, "ok", "", 900) for light in ("linearizable", "acked", *INVARIANTS)]
    story.append(e.Heartbeat(NOW, 900_000))
    return replace(fold_all(EMPTY, story), series=series(stage))


def verdicts(stage: Stage, plan: FaultPlan) -> list[e.Event]:
    """Who convicted whom, once the silence had lasted long enough."""
    silent = _silent(stage, plan)
    pairs = [(o, s) for o in names(stage.count) for s in names(stage.count) if o != s and silent(o, s)]
    pairs = [(o, s) for o, s in pairs if o not in (*stage.dead, *stage.paused)]
    return [e.Verdict(o, NOW - SECOND + at * MS, s, True, 81, "akka", 450 * MS) for at, (o, s) in enumerate(pairs[:40])]


def series(stage: Stage, count: int = 120) -> tuple[Sample, ...]:
    """A minute of samples that ends NOW, with a dip since the cut."""
    samples = []
    for place in range(count):
        at_us = NOW - (count - 1 - place) * 500 * MS
        hurt = at_us > stage.cut_at_us and bool(stage.sides or stage.dead or stage.paused or stage.one_way)
        stalled = hurt and stage.leader is None
        wobble = (place * 7) % 5
        samples.append(Sample(
            at_us=at_us, ops_per_s=0 if stalled else 36 + wobble, commit_per_s=0 if stalled else 35 + wobble,
            phi_max_tenths=92 if hurt else 4 + wobble, gossip_per_s=10 * stage.count - (20 if hurt else 0) + wobble,
            dropped_per_s=900 + 10 * wobble if hurt and (stage.sides or stage.one_way) else 0, has_leader=not stalled,
        ))  # fmt: skip
    return tuple(samples)


# ---- the situations -----------------------------------------------------------------------------------------------

_MOCK_A = ("n1", "n2", "n3", "n5", "n6", "n7", "n8")
_MOCK_B = ("n4", "n9", "n10", "n11", "n12")


def healthy(count: int = 5, voters: int = 0) -> ClusterView:
    return build(Stage(count=count, voters=voters))


def mock_up(voters: int = 12) -> ClusterView:
    """Twelve nodes cut 7 | 5: n3 leads term 8, n4 still believes that it leads term 7, n11 is frozen, n12 is killed, n7 is slow."""
    return build(Stage(
        count=12, voters=voters, sides=(_MOCK_A, _MOCK_B), stale=("n4",), paused=("n11",), dead=("n12",),
        behind={"n5": 1, "n7": 6, **dict.fromkeys(_MOCK_B, 43)}, slow={"n7": 80 * MS}, mistakes=("check_quorum",),
        faults=(
            fault(17, "cut", "cut n4,n9,n10,n11,n12 | n1,n2,n3,n5,n6,n7,n8", (*_MOCK_B, *_MOCK_A)),
            fault(18, "pause", "pause n11 for 5s", ("n11",), left_us=3_200 * MS),
            fault(19, "crash", "crash n12", ("n12",), left_us=590 * SECOND),
            fault(20, "slow", "slow n7 80ms", ("n7",)),
        ),
    ))  # fmt: skip


def fifty(*, cut: bool = True) -> ClusterView:
    """Fifty nodes, five of them voters; cut 28 | 22 with a stale leader on the small side unless `cut` is False."""
    nodes = names(50)
    if not cut:
        return build(Stage(count=50))
    far = ("n4", "n5", *nodes[30:])
    near = tuple(node for node in nodes if node not in far)
    return build(Stage(
        count=50, sides=(near, far), stale=("n4",), dead=("n50",), paused=("n49",), mistakes=("check_quorum",),
        behind={"n4": 43, "n5": 43},
        faults=(fault(17, "cut", f"cut {','.join(far)} | rest", nodes), fault(19, "crash", "crash n50", ("n50",)),
                fault(18, "pause", "pause n49", ("n49",))),
    ))  # fmt: skip


def no_leader() -> ClusterView:
    """Five nodes whose leader has just been killed; n2 campaigns, nobody leads yet."""
    return build(Stage(
        leader=None, dead=("n3",), roles={"n2": "candidate"}, lost_at_us=NOW - 400 * MS,
        faults=(fault(19, "crash", "crash n3", ("n3",), age_us=SECOND),),
    ))  # fmt: skip


def fresh() -> ClusterView:
    """The lab has just opened: processes are starting, nothing has been reported."""
    stage = Stage()
    return fold_all(EMPTY, [opened(stage), *(e.ProcessChanged(ZERO, n, "starting", 0, 1, "started") for n in names(5))])


def one_way() -> ClusterView:
    """Nothing that the leader n3 says arrives; what the others say does."""
    pairs = tuple(("n3", node) for node in ("n1", "n2", "n4", "n5"))
    return build(Stage(one_way=pairs, faults=(fault(17, "cut", "cut n3 > n1,n2,n4,n5", names(5)),)))


def three_sides() -> ClusterView:
    """Nine voters in three groups of three: nobody has five."""
    sides = (("n1", "n2", "n3"), ("n4", "n5", "n6"), ("n7", "n8", "n9"))
    text = "cut n1,n2,n3 | n4,n5,n6 | n7,n8,n9"
    return build(Stage(
        count=9, voters=9, leader=None, sides=sides, lost_at_us=NOW - 2 * SECOND, roles={"n5": "precandidate"},
        faults=(fault(17, "cut", text, names(9)),),
    ))  # fmt: skip


def paused_leader() -> ClusterView:
    """n4 led term 7, was frozen, and n3 has taken over with term 8; n4 does not know."""
    return build(Stage(stale=("n4",), paused=("n4",), faults=(fault(18, "pause", "pause n4 for 5s", ("n4",), left_us=2 * SECOND),)))


def crashed_leader() -> ClusterView:
    return no_leader()


def crashed_follower() -> ClusterView:
    return build(Stage(dead=("n5",), faults=(fault(19, "crash", "crash n5", ("n5",)),)))


def quorum_lost() -> ClusterView:
    """Three of five voters are dead."""
    return build(Stage(
        leader=None, dead=("n3", "n4", "n5"), lost_at_us=NOW - 2_500 * MS, roles={"n1": "precandidate"},
        faults=(fault(19, "crash", "crash n3,n4,n5", ("n3", "n4", "n5")),),
    ))  # fmt: skip


def gray_disk() -> ClusterView:
    """The leader's disk hangs while its heartbeats go on."""
    return build(Stage(disks={"n3": "hang"}, faults=(fault(21, "disk", "disk n3 hang", ("n3",)),)))


def false_suspicion() -> ClusterView:
    """n2 is slow, n1 has convicted it, and it is alive."""
    view = build(Stage(slow={"n2": 400 * MS}, faults=(fault(20, "slow", "slow n2 400ms", ("n2",)),)))
    verdict = e.Verdict("n1", NOW - 300 * MS, "n2", True, 84, "akka", 470 * MS)
    view = fold_all(view, [verdict])
    state = view.nodes["n1"].state
    assert state is not None
    beliefs = tuple(replace(b, phi_tenths=84, alive=False, countdown_us=0) if b.node == "n2" else b for b in state.beliefs)
    return fold_all(view, [replace(state, beliefs=beliefs)])


def red_light() -> ClusterView:
    return fold_all(healthy(), [e.LightChanged(NOW, "linearizable", "violated", "k3: c2 read 17 after c1 had written 18", 4_120)])


def healed() -> ClusterView:
    """A cut ended a moment ago, every node has caught up, and every acknowledged write was found again."""
    view = healthy()
    began = fault(17, "cut", "cut n1,n2 | n3,n4,n5", names(5), age_us=12 * SECOND)
    ended = e.FaultEnded(NOW - 1_500 * MS, 17, "healed", "")
    return fold_all(view, [began, ended, e.AckedCounted(NOW - 200 * MS, 1_204, 0, ())])


def isolated_leader() -> ClusterView:
    """n3 leads, and was cut off from everybody 120 ms ago: nobody has noticed."""
    rest = ("n1", "n2", "n4", "n5")
    return build(Stage(
        sides=(rest, ("n3",)), cut_at_us=NOW - 120 * MS, faults=(fault(17, "isolate", "isolate n3", ("n3",), age_us=120 * MS),),
    ))  # fmt: skip


def frozen_world() -> ClusterView:
    stage = [e.ProcessChanged(NOW, node, "paused", 4_000, 1, "freeze") for node in names(5)]
    return fold_all(healthy(), [*stage, e.FreezeChanged(NOW, True)])


def ring_cut() -> ClusterView:
    """Five nodes in a ring: each reaches its two neighbours, so no side is apart and each still sees a majority."""
    nodes = names(5)
    pairs = tuple((nodes[i], nodes[(i + 2) % 5]) for i in range(5))
    return build(Stage(cut_pairs=pairs, faults=(fault(17, "cut", "cut ring", nodes),)))


ALL: dict[str, Callable[[], ClusterView]] = {
    "healthy": healthy, "healthy twelve": lambda: healthy(12, 5), "mock-up": mock_up, "mock-up, 5 voters": lambda: mock_up(5),
    "fifty": fifty, "fifty healthy": lambda: fifty(cut=False), "no leader": no_leader, "fresh": fresh, "empty": lambda: EMPTY,
    "one-way": one_way, "three sides": three_sides, "paused leader": paused_leader, "crashed follower": crashed_follower,
    "quorum lost": quorum_lost, "gray disk": gray_disk, "false suspicion": false_suspicion, "red light": red_light,
    "healed": healed, "isolated leader": isolated_leader, "frozen world": frozen_world, "ring cut": ring_cut,
}  # fmt: skip
