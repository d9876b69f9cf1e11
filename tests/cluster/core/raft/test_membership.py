"""Configurations: from any group to any other, in steps whose majorities always meet."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from cluster.core.raft.membership import History, Membership, decode_membership, encode_membership, first_step
from tests.cluster.core.raft.monitors import disjoint

NODES = [f"n{number}" for number in range(1, 7)]
GROUP = st.lists(st.sampled_from(NODES), unique=True, min_size=1, max_size=5)
OTHERS = st.lists(st.sampled_from(NODES), unique=True, max_size=2)


def steps(now: Membership, voters: list[str], learners: list[str], caught_up: list[str]) -> list[Membership]:
    """Every configuration on the way, as a leader takes them when its learners catch up in time."""
    way = [now, first_step(now, voters, learners, caught_up)]
    while not way[-1].settled:
        last = way[-1]
        if last.joint:
            way.append(Membership(last.voters, (), last.learners))
        else:
            settled = Membership(last.voters, (), last.learners)
            way.append(first_step(settled, last.goal, {*last.learners} - {*last.goal}, last.learners))
    return way


@settings(max_examples=300, deadline=None)
@given(GROUP, OTHERS, GROUP, OTHERS, st.lists(st.sampled_from(NODES)))
def test_every_group_is_reached_and_no_two_steps_can_decide_apart(
    old: list[str], old_learners: list[str], new: list[str], new_learners: list[str], caught_up: list[str]
) -> None:
    now = Membership(tuple(sorted(old)), (), tuple(sorted({*old_learners} - {*old})))
    caught_up = [node for node in caught_up if node in now.learners]
    wanted_learners = sorted({*new_learners} - {*new})
    way = steps(now, new, wanted_learners, caught_up)
    assert way[-1] == Membership(tuple(sorted(new)), (), tuple(wanted_learners))
    assert len(way) <= 4
    for before, after in pairwise(way):
        assert disjoint(before, after) is None, f"{before} -> {after}"
        assert not after.settled or not {*after.voters} & {*after.learners}
        # Nobody gets a vote who has not learned (Law 3).
        fresh = {*after.voters} - {*before.voters} - {*before.outgoing}
        assert fresh <= {*before.learners}


def test_majorities_that_share_nobody_are_found() -> None:
    assert disjoint(Membership(("n1", "n2", "n3")), Membership(("n1", "n2", "n3", "n4"))) is None
    assert disjoint(Membership(("n1", "n2", "n3")), Membership(("n1", "n2", "n3", "n4", "n5"))) is not None
    assert disjoint(Membership(("n1",)), Membership(("n2",))) is not None
    assert disjoint(Membership(("n1",)), Membership(("n2",), ("n1",))) is None


def test_a_single_voter_goes_in_one_step_and_more_through_both_majorities() -> None:
    now = Membership(("n1", "n2", "n3"))
    assert first_step(now, ("n1", "n2"), (), ()) == Membership(("n1", "n2"))
    assert first_step(now, ("n1", "n2", "n3", "n4"), (), ("n4",)) == Membership(("n1", "n2", "n3", "n4"))
    assert first_step(now, ("n1", "n2", "n4"), (), ("n4",)) == Membership(("n1", "n2", "n4"), ("n1", "n2", "n3"))
    assert first_step(now, ("n1", "n2", "n4"), (), ()) == Membership(("n1", "n2", "n3"), (), ("n4",), ("n1", "n2", "n4"))


def test_a_configuration_survives_the_log() -> None:
    membership = Membership(("n1",), ("n2", "n10"), ("n3",), ("n1", "n3"))
    assert decode_membership(encode_membership(membership)) == membership
    assert str(membership) == "n1, leaving n2 n10, learning n3, to be n1 n3"
    assert membership.everyone == ("n1", "n2", "n3", "n10")


def test_a_history_goes_back_and_forgets_what_a_snapshot_holds() -> None:
    first, second, third = (Membership((f"n{number}",)) for number in (1, 2, 3))
    history = History(0, first)
    history.add(5, second)
    history.add(9, third)
    assert [history.at(index) for index in (0, 4, 5, 8, 9, 50)] == [first, first, second, second, third, third]
    assert history.has_voice("n2", commit=8)
    assert not history.has_voice("n2", commit=9)
    history.truncate(9)
    assert (history.newest, history.newest_index) == (second, 5)
    history.add(7, third)
    history.compact(6)
    assert (history.at(6), history.at(7)) == (second, third)
    history.truncate(1)  # what a snapshot holds cannot be cut off
    assert history.newest == second
