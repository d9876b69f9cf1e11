"""Folding: every event has a rule, truth stands beside belief, and nothing grows without bound."""

from __future__ import annotations

from typing import get_args

import pytest

from cluster.core.raft.membership import Membership
from cluster.faults import FaultPlan, LinkFault
from cluster.telemetry import events as e
from cluster.telemetry.fold import RULES, fold, fold_all
from cluster.telemetry.view import EMPTY, LOG_LINES_MAX, REIGNS_MAX, SERIES_MAX, ClusterView
from tests.tui import sample_raft_gossip

NODES = ("n1", "n2", "n3")


def opened(at_us: int = 0) -> e.LabOpened:
    return e.LabOpened(
        at_us=at_us,
        run="run-1",
        seed=7,
        nodes=NODES,
        voters=NODES,
        profile="demo",
        quorum=2,
        threshold=8.0,
        detector="akka",
        heartbeat_us=50_000,
        election_min_us=150_000,
        gossip_interval_us=100_000,
        fanout=3,
        started_wall_s=0.0,
        version="0",
        mistakes=(),
    )


def leads(node: str, term: int, at_us: int) -> e.RoleTaken:
    return e.RoleTaken(node=node, at_us=at_us, role="leader", term=term, leader=node, why="2 of 3 votes")


def process(node: str, state: str, at_us: int, epoch: int = 1) -> e.ProcessChanged:
    return e.ProcessChanged(at_us=at_us, node=node, state=state, pid=100, epoch=epoch, why=state)


def verdict(observer: str, subject: str, at_us: int) -> e.Verdict:
    return e.Verdict(observer, at_us, subject, True, 81, "akka", 400_000)


def cut(at_us: int) -> list[e.Event]:
    links = tuple(
        LinkFault(a, b, cut=True, lease=4) for a, b in (("n1", "n2"), ("n1", "n3"), ("n2", "n1"), ("n3", "n1"))
    )
    return [
        e.FaultBegan(at_us, 4, "cut", "cut n1 | n2,n3", "cut leader | rest", ("n1",), 0, "you"),
        e.PlanChanged(at_us, FaultPlan(1, links), (("n1",), ("n2", "n3"))),
    ]


def folded(*events: e.Event) -> ClusterView:
    return fold_all(EMPTY, [opened(), *events])


def test_every_event_has_exactly_one_rule() -> None:
    assert set(RULES) == set(get_args(e.Event))


def test_a_new_leader_ends_the_old_reign() -> None:
    view = folded(leads("n1", 1, 10), leads("n2", 2, 90))
    assert [(r.node, r.began_us, r.ended_us) for r in view.reigns] == [("n1", 10, 90), ("n2", 90, 0)]


def test_a_new_leader_is_seen_as_one_before_its_next_state_and_an_old_word_changes_nothing() -> None:
    state = sample_raft_gossip.state("n1", 100, 3, term=1, role="follower")
    view = folded(process("n1", "up", 5), state, leads("n1", 2, 150))
    known = view.nodes["n1"].state
    assert known is not None
    assert (known.role, known.term, known.leader, known.quorum_age_us) == ("leader", 2, "n1", 0)
    view = fold_all(view, [e.RoleTaken("n1", 170, "follower", 3, "n2", "heard term 3")])
    known = view.nodes["n1"].state
    assert known is not None
    assert (known.role, known.term, known.leader, known.quorum_age_us, known.progress) == ("follower", 3, "n2", -1, ())
    late = fold_all(view, [sample_raft_gossip.state("n1", 300, 3, term=4, role="follower"), leads("n1", 2, 250)])
    assert late.nodes["n1"].state is not None
    assert (late.nodes["n1"].state.role, late.nodes["n1"].state.term) == ("follower", 4)


def test_a_crash_ends_a_reign_but_a_pause_does_not() -> None:
    assert folded(leads("n1", 1, 10), process("n1", "down", 50)).reigns[0].ended_us == 50
    assert folded(leads("n1", 1, 10), process("n1", "paused", 50)).reigns[0].ended_us == 0


def test_stepping_down_ends_only_the_own_reign() -> None:
    resigned = e.RoleTaken("n3", 60, "follower", 1, None, "heard term 2")
    assert folded(leads("n1", 1, 10), resigned).reigns[0].ended_us == 0


@pytest.mark.parametrize(
    ("before", "observer", "subject", "truth", "late_us"),
    [
        ([process("n2", "up", 10)], "n1", "n2", "false", 0),
        ([process("n2", "paused", 100_000)], "n1", "n2", "true", 300_000),
        ([process("n2", "down", 150_000)], "n1", "n2", "true", 250_000),
        ([process("n1", "up", 5), process("n2", "up", 5), *cut(200_000)], "n2", "n1", "true", 200_000),
        ([process("n2", "up", 5), process("n3", "up", 5), *cut(200_000)], "n2", "n3", "false", 0),
    ],
)
def test_a_suspicion_is_judged_by_the_truth_of_its_moment(
    before: list[e.Event], observer: str, subject: str, truth: str, late_us: int
) -> None:
    seen = folded(*before, verdict(observer, subject, 400_000)).verdicts[-1]
    assert (seen.truth, seen.late_us) == (truth, late_us)


def test_a_one_way_cut_of_all_a_node_says_makes_its_suspicion_true() -> None:
    plan = FaultPlan(1, (LinkFault("n1", "n2", cut=True, lease=1), LinkFault("n1", "n3", cut=True, lease=1)))
    began = e.FaultBegan(50, 1, "cut", "cut n1 > n2,n3", "", ("n1",), 0, "you")
    view = folded(process("n1", "up", 5), began, e.PlanChanged(50, plan, (NODES,)), verdict("n2", "n1", 90))
    assert (view.verdicts[-1].truth, view.verdicts[-1].late_us) == ("true", 40)


def test_a_partial_cut_leaves_a_relay_and_so_a_false_suspicion() -> None:
    plan = FaultPlan(1, (LinkFault("n1", "n2", cut=True, lease=1),))
    view = folded(process("n1", "up", 5), e.PlanChanged(50, plan, (NODES,)), verdict("n2", "n1", 90))
    assert view.verdicts[-1].truth == "false"


def test_a_fault_leaves_the_active_list_with_its_residue() -> None:
    view = folded(*cut(100), e.FaultEnded(900, 4, "healed", "nothing"))
    assert view.faults == {}
    assert [(p.fault.id, p.ended_us, p.residue) for p in view.past_faults] == [(4, 900, "nothing")]


def test_a_restarted_process_forgets_its_last_words() -> None:
    view = folded(process("n1", "down", 5), process("n1", "starting", 9, epoch=2))
    assert (view.nodes["n1"].state, view.nodes["n1"].epoch) == (None, 2)


def test_a_rumour_counts_every_node_once() -> None:
    heard = [e.RumourLearned(n, at, "rumour/1", "n1", 3, "n1", "hi") for n, at in (("n1", 1), ("n2", 5), ("n2", 9))]
    assert [x.node for x in folded(*heard).rumours[0].learned] == ["n1", "n2"]


def test_a_light_that_turns_red_is_told_and_one_that_stays_green_is_not() -> None:
    green, red = (e.LightChanged(at, "linearizable", s, "why", 3) for at, s in ((1, "ok"), (2, "violated")))
    assert [line.text for line in folded(green, green, red).log if line.kind == "LIGHT"] == [
        "linearizable is violated: why"
    ]


def test_rates_come_from_differences_of_totals() -> None:
    counted = [e.OpsCounted(at, ok, ok, 0, 0, 0, 0, 40) for at, ok in ((500_000, 10), (1_000_000, 40))]
    assert [round(sample.ops_per_s) for sample in folded(*counted).series] == [20, 60]


def test_everything_is_bounded() -> None:
    reigns = [leads("n1", term, term) for term in range(1, 1_500)]
    beats = [e.Heartbeat(at * 500_000, 0) for at in range(1, 1_000)]
    view = folded(*reigns, *beats)
    assert (len(view.log), len(view.reigns), len(view.series)) == (LOG_LINES_MAX, REIGNS_MAX, SERIES_MAX)
    assert view.log_total == 1_500


def test_what_explains_a_flood_outlives_it() -> None:
    cut = e.FaultBegan(5, 1, "isolate", "isolate n1", "isolate n1", ("n1",), 0, "me")
    flood = [e.NodeComplaint("n1", at, f"garbage {at}") for at in range(6, 6 + 2 * LOG_LINES_MAX)]
    view = folded(cut, *flood)
    assert len(view.log) == LOG_LINES_MAX
    assert [line.kind for line in view.log[:2]] == ["LAB", "FAULT"]
    assert view.log[-1].text == flood[-1].what
    assert view.log[2].text == flood[-(LOG_LINES_MAX - 2)].what


def test_landmarks_take_no_more_than_half_of_the_log_from_the_others() -> None:
    reigns = [leads("n1", term, term) for term in range(1, LOG_LINES_MAX)]
    flood = [e.NodeComplaint("n1", LOG_LINES_MAX + at, "garbage") for at in range(LOG_LINES_MAX)]
    kinds = [line.kind for line in folded(*reigns, *flood).log]
    assert kinds.count("WARN") >= LOG_LINES_MAX // 2
    assert kinds.count("LEADER") >= LOG_LINES_MAX // 2 - 1


def test_an_event_about_an_unknown_node_changes_no_node() -> None:
    assert set(folded(process("n9", "up", 5)).nodes) == set(NODES)


GROUP = Membership(("n1", "n2", "n3"))
LAB = fold(EMPTY, opened())


def told(term: int, index: int, membership: Membership, *, committed: bool = True) -> e.GroupChanged:
    return e.GroupChanged("n1", 5_000_000, index, term, membership, committed)


def test_the_group_on_screen_is_the_one_that_the_newest_leader_tells_of() -> None:
    view = fold(LAB, told(1, 0, GROUP))
    assert (view.lab and view.lab.voters, view.log_total) == (GROUP.voters, LAB.log_total)
    joint = Membership(("n1", "n2", "n4"), outgoing=GROUP.voters)
    view = fold(view, told(2, 9, joint, committed=False))
    assert view.lab is not None
    assert (view.lab.voters, view.lab.quorum, view.group and view.group.membership) == (("n1", "n2", "n4"), 2, joint)
    assert view.log[-1].text == "voters n1 n2 n4, leaving n1 n2 n3 (not yet committed)"
    assert fold(view, told(1, 12, GROUP)) == view  # an old leader
    assert fold(view, told(1, 0, GROUP)).lab == LAB.lab  # the lab was reset


def test_a_node_enlisted_later_is_there_like_the_others() -> None:
    view = fold(LAB, e.NodeEnlisted(6_000_000, "n9"))
    assert view.lab is not None
    assert view.lab.nodes[-1] == "n9"
    assert view.nodes["n9"].process == "starting"
    assert "n9" in view.sides[-1]
    assert fold(view, e.NodeEnlisted(7_000_000, "n9")).nodes == view.nodes
