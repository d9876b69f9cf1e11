"""The arithmetic of quorums and cuts."""

from __future__ import annotations

from msgspec.structs import replace

from cluster.telemetry.fold import fold
from tests.tui import sample_raft_gossip as sample
from tui.select.signs import states_of
from tui.select.standing import best_reach, cut_links, has_quorum_contact, leader_of_side, present_leader, quorum_of, reach


def test_the_present_leader_is_that_of_the_highest_term() -> None:
    view = sample.mock_up()
    leader, stale = present_leader(view), leader_of_side(view, 1)
    assert leader is not None
    assert stale is not None
    assert (leader.node, leader.term) == ("n3", 8)
    assert (stale.node, stale.term) == ("n4", 7)
    assert has_quorum_contact(view, leader)
    assert not has_quorum_contact(view, stale)


def test_a_dead_leader_leads_no_more_and_a_frozen_one_does() -> None:
    view = sample.healthy()
    frozen = fold(view, sample.e.ProcessChanged(view.now_us, "n3", "paused", 1, 1, "SIGSTOP"))
    dead = fold(view, sample.e.ProcessChanged(view.now_us, "n3", "down", 1, 1, "SIGKILL"))
    leader = present_leader(frozen)
    assert leader is not None
    assert leader.node == "n3"
    assert not has_quorum_contact(frozen, leader)
    assert present_leader(dead) is None


def test_reach_counts_running_voters_in_both_directions() -> None:
    view = sample.mock_up()
    cuts = cut_links(view)
    assert quorum_of(view) == 5
    assert reach(view, cuts, "n4") == ["n4", "n9"]
    assert best_reach(view, cuts) == ["n1", "n2", "n3", "n5", "n6", "n7", "n8"]
    one_way = {("n3", "n1"): 1}
    assert "n1" not in reach(view, one_way, "n3")
    assert "n3" not in reach(view, one_way, "n1")


def test_states_put_the_process_before_the_role() -> None:
    states = states_of(sample.mock_up())
    assert states == {
        "n1": "follower", "n2": "follower", "n3": "leader", "n4": "stale", "n5": "follower", "n6": "follower", "n7": "follower",
        "n8": "follower", "n9": "follower", "n10": "observer", "n11": "paused", "n12": "dead",
    }  # fmt: skip
    assert set(states_of(sample.fresh()).values()) == {"starting"}
    view = sample.no_leader()
    assert states_of(view)["n2"] == "candidate"
    assert states_of(replace(view, nodes={})) == {}
