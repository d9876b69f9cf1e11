"""Who leads, out of what has been heard: the running node with the highest term that has not said otherwise since."""

from __future__ import annotations

import pytest

from cluster.core.types import NodeId
from cluster.faults import FaultPlan, LinkFault
from cluster.telemetry import events as e
from cluster.telemetry.fold import fold_all
from cluster.telemetry.roster import leader_of, roster_of
from cluster.telemetry.view import EMPTY, ClusterView
from tests.cluster.telemetry.happened import fault, opened, process, role, state, up


def _view(*events: e.Event) -> ClusterView:
    return fold_all(EMPTY, [opened(), *up(), *events])


@pytest.mark.parametrize(
    ("events", "leader"),
    [
        ([], None),
        ([role("n1", "leader", 1, 10)], "n1"),
        ([role("n1", "leader", 1, 10), role("n2", "leader", 2, 20)], "n2"),
        # The news of two nodes arrives in any order.
        ([role("n2", "leader", 2, 20), role("n1", "leader", 1, 10)], "n2"),
        ([role("n2", "leader", 2, 20), role("n1", "leader", 1, 10), role("n1", "follower", 2, 30)], "n2"),
        ([role("n1", "leader", 1, 10), role("n1", "follower", 2, 20)], None),
        ([role("n1", "leader", 1, 10), process("n1", "down", 20)], None),
        ([role("n1", "leader", 1, 10), process("n1", "paused", 20)], None),
        ([role("n1", "leader", 1, 10), process("n1", "paused", 20), process("n1", "up", 30)], "n1"),
        ([role("n1", "leader", 1, 10), process("n1", "paused", 20), role("n2", "leader", 2, 25), process("n1", "up", 30)], "n2"),
        # An announcement may be lost; a state says it, too.
        ([state("n3", 10, role="leader", term=4)], "n3"),
        ([state("n3", 10, role="leader", term=4), role("n1", "leader", 5, 20)], "n1"),
        ([role("n1", "leader", 3, 5), state("n3", 10, role="leader", term=4)], "n3"),
        # The last state of a leader is older than its news that it leads no more.
        ([role("n1", "leader", 3, 5), state("n1", 8, role="leader", term=3), role("n1", "follower", 4, 9)], None),
        ([role("n1", "leader", 3, 5), role("n1", "follower", 3, 9), state("n1", 12, role="leader", term=3)], "n1"),
        ([state("n3", 10, role="leader", term=4), process("n3", "down", 20)], None),
        ([state("n3", 10, role="leader", term=4), process("n3", "down", 20), process("n3", "up", 30, epoch=2)], None),
    ],
)
def test_who_leads(events: list[e.Event], leader: NodeId | None) -> None:
    assert leader_of(_view(*events)) == leader


def test_a_roster_is_the_truth_about_processes_faults_and_cuts() -> None:
    plan = FaultPlan(1, (LinkFault("n1", "n2", cut=True, lease=3), LinkFault("n2", "n1", loss=1.0, lease=4)))
    roster = roster_of(
        _view(process("n2", "down", 5), process("n3", "paused", 6), role("n1", "leader", 1, 7), fault(3, "cut n1 > n2", 8),
              e.PlanChanged(8, plan, (("n1", "n2", "n3"),))),
        draw=11,
    )  # fmt: skip
    assert (roster.nodes, roster.voters, roster.down, roster.paused) == (("n1", "n2", "n3"), ("n1", "n2", "n3"), ("n2",), ("n3",))
    assert (roster.leader, roster.faults, roster.severed, roster.draw) == ("n1", (3,), (("n1", "n2"),), 11)
    assert roster.running == ("n1",)


def test_before_a_lab_has_opened_there_is_nobody() -> None:
    roster = roster_of(EMPTY)
    assert (roster.nodes, roster.voters, roster.leader) == ((), (), None)
