"""The Raft group changes while it serves: real processes join, learn, vote and leave."""

from __future__ import annotations

import pytest

from cluster.telemetry.control import LabSpec
from cluster.telemetry.events import AckedCounted
from cluster.telemetry.roster import leader_of
from cluster.telemetry.view import ClusterView
from tests.cluster.supervisor.labs import Labs, Listener

pytestmark = pytest.mark.processes


def _group(view: ClusterView, *voters: str) -> bool:
    """These vote, and that is committed."""
    group = view.group
    return group is not None and group.committed and group.membership.settled and set(group.membership.voters) == {*voters}


async def serving(labs: Labs, spec: LabSpec) -> Listener:
    """A lab whose leader has committed something: before that it refuses to change the group."""
    lab = await labs.open(spec)
    await lab.until(lambda view: view.ops is not None and view.ops.ok > 0)
    return lab


async def test_a_new_process_joins_and_the_leader_leaves(labs: Labs) -> None:
    lab = await serving(labs, LabSpec(nodes=3, clients=2))
    answer = await lab.order("add n4")
    assert answer.answer.startswith("n4 starts; ")
    view = await lab.until(lambda view: _group(view, "n1", "n2", "n3", "n4"))
    assert view.lab is not None
    assert (view.lab.nodes, view.lab.quorum) == (("n1", "n2", "n3", "n4"), 3)
    old = leader_of(view)
    assert old is not None
    await lab.order("remove leader")
    rest = {"n1", "n2", "n3", "n4"} - {old}
    view = await lab.until(lambda view: _group(view, *rest) and leader_of(view) in rest)
    view = await lab.until(lambda view: view.nodes[old].state is not None and view.nodes[old].state.role == "observer")
    # The clients find whoever leads now, and nothing is lost.
    before = view.ops.ok if view.ops else 0
    await lab.until(lambda view: view.ops is not None and view.ops.ok > before + 10)
    await lab.order("heal")
    await lab.until(lambda view: view.acked is not None)
    assert [counted.lost for counted in lab.all_of(AckedCounted)] == [0]


async def test_a_crashed_voter_is_replaced_in_one_change(labs: Labs) -> None:
    lab = await serving(labs, LabSpec(nodes=4, voters=3, clients=2))
    await lab.fault("crash n3")
    await lab.until(lambda view: view.nodes["n3"].process == "down" and leader_of(view) not in (None, "n3"))
    await lab.until(lambda view: view.group is not None and view.group.committed and view.group.node == leader_of(view))
    await lab.order("replace n3 n4")
    await lab.until(lambda view: _group(view, "n1", "n2", "n4"))
    # Back again, it is told, or asks and is refused; it has no vote.
    await lab.order("undo")
    await lab.until(lambda view: view.nodes["n3"].process == "up")
    await lab.order("add n5 learner")
    view = await lab.until(lambda view: view.group is not None and view.group.membership.learners == ("n5",))
    await lab.until(lambda view: view.nodes["n5"].state is not None and view.nodes["n5"].state.role == "learner")
    assert {view.lab and view.lab.quorum, len(view.nodes)} == {2, 5}


async def test_what_cannot_be_is_refused_or_complained_of(labs: Labs) -> None:
    lab = await serving(labs, LabSpec(nodes=3, clients=1))
    for text, why in (("replace n1,n2 n4", "one node is replaced at a time"), ("remove n9", "there is no n9")):
        answer = await lab.ask(text)
        assert not answer.ok
        assert why in answer.answer
    await lab.order("remove n1 n2 n3")
    view = await lab.until(lambda view: any(node.complaints for node in view.nodes.values()))
    assert any("remove refused: a group needs at least one voter" in node.last_complaint for node in view.nodes.values())
