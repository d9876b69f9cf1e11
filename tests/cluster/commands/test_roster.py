"""Roles are computed when the fault fires: from whoever leads, runs and votes at that moment."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.commands.roster import Roster, resolve
from cluster.core.errors import UsageError

FIVE = Roster(nodes=("n1", "n2", "n3", "n4", "n5"), voters=("n1", "n2", "n3", "n4", "n5"), leader="n3")
# Seven nodes, of which n6 and n7 have no vote; n3 leads, n1 is down, n4 is stopped.
SEVEN = Roster(
    nodes=("n1", "n2", "n3", "n4", "n5", "n6", "n7"), voters=("n1", "n2", "n3", "n4", "n5"), leader="n3", down=("n1",), paused=("n4",)
)
FIFTY = Roster(nodes=tuple(f"n{number}" for number in range(1, 51)), voters=tuple(f"n{number}" for number in range(1, 51)), leader="n37")
FIFTY_OF_FIVE = msgspec.structs.replace(FIFTY, voters=FIFTY.nodes[:5], leader="n4")


@pytest.mark.parametrize(
    ("roster", "text", "nodes"),
    [
        (FIVE, "n2", "n2"),
        (FIVE, "leader", "n3"),
        (FIVE, "followers", "n1 n2 n4 n5"),
        (FIVE, "followers.1", "n1"),
        (FIVE, "followers.4", "n5"),
        (FIVE, "leader+0", "n3"),
        (FIVE, "leader+1", "n4"),
        (FIVE, "leader+3", "n1"),  # the ring goes on at its beginning
        (FIVE, "leader+5", "n3"),
        (FIVE, "minority", "n3 n4"),
        (FIVE, "majority", "n1 n2 n5"),
        (FIVE, "all", "n1 n2 n3 n4 n5"),
        (FIVE, "n2 rest", "n2 n1 n3 n4 n5"),
        (FIVE, "leader n3 leader", "n3"),  # each once
        (FIVE, "n5 n1", "n5 n1"),  # as they were named
        # Those without a vote do not follow; those that do not run cannot be hit by a role.
        (SEVEN, "followers", "n2 n5"),
        (SEVEN, "followers.2", "n5"),
        (SEVEN, "leader+1", "n4"),  # a place in the ring, whoever stands there
        (SEVEN, "minority", "n3 n4"),
        (SEVEN, "all", "n1 n2 n3 n4 n5 n6 n7"),
        (SEVEN, "followers rest", "n2 n5 n1 n3 n4 n6 n7"),
        (FIFTY, "leader+20", "n7"),
        (FIFTY, "followers.37", "n38"),
        (FIFTY_OF_FIVE, "followers", "n1 n2 n3 n5"),
        (FIFTY_OF_FIVE, "minority", "n4 n5"),
        (FIFTY_OF_FIVE, "majority", "n1 n2 n3"),
    ],
    ids=lambda value: value if isinstance(value, str) else str(len(value.nodes)),
)
def test_a_role_means_these_nodes_now(roster: Roster, text: str, nodes: str) -> None:
    assert resolve(tuple(text.split()), roster) == tuple(nodes.split())


def test_fifty_voters() -> None:
    minority, majority = resolve(("minority",), FIFTY), resolve(("majority",), FIFTY)
    assert (len(minority), len(majority), FIFTY.quorum) == (24, 26, 26)
    assert minority[0] == "n37"  # the leader is on the side that must give up
    assert minority[-2:] == ("n9", "n10")  # the ring went on at n1
    assert sorted(minority + majority) == sorted(FIFTY.nodes)
    assert len(resolve(("followers",), FIFTY)) == 49
    assert resolve(("leader", "rest"), FIFTY) == ("n37", *(node for node in FIFTY.nodes if node != "n37"))


def test_the_same_expression_means_another_node_when_another_leads() -> None:
    later = msgspec.structs.replace(FIVE, leader="n5")
    assert resolve(("leader", "leader+1"), FIVE) == ("n3", "n4")
    assert resolve(("leader", "leader+1"), later) == ("n5", "n1")


def test_any_is_one_running_node_by_the_draw() -> None:
    drawn = {resolve(("any",), msgspec.structs.replace(SEVEN, draw=draw)) for draw in range(20)}
    assert drawn == {("n2",), ("n3",), ("n5",), ("n6",), ("n7",)}
    assert resolve(("any",), SEVEN) == resolve(("any",), SEVEN)
    assert len({resolve(("any",), msgspec.structs.replace(FIFTY, draw=draw)) for draw in range(50)}) == 50


def test_rest_beside_names_of_another_side() -> None:
    assert resolve(("rest",), FIVE, named=("n1", "n2")) == ("n3", "n4", "n5")
    assert resolve(("n5", "rest"), FIVE, named=("n1", "n2")) == ("n5", "n3", "n4")


NOBODY_LEADS = msgspec.structs.replace(FIVE, leader=None)
ONE = Roster(nodes=("n1",), voters=("n1",), leader="n1")
TWO = Roster(nodes=("n1", "n2"), voters=("n1", "n2"))
ALL_DOWN = msgspec.structs.replace(FIVE, leader=None, down=FIVE.nodes)
ODD = msgspec.structs.replace(SEVEN, leader="n6")


@pytest.mark.parametrize(
    ("roster", "text", "answer"),
    [
        (FIVE, "n6", "there is no n6 here (did you mean 'n5'?): the nodes are n1 to n5"),
        (TWO, "n7", "there is no n7 here (did you mean 'n2'?): the nodes are n1, n2"),
        (NOBODY_LEADS, "leader", "no leader is known now: name a node, or wait for an election"),
        (NOBODY_LEADS, "leader+1", "no leader is known now: name a node, or wait for an election"),
        (ODD, "leader+1", "n6 leads without a vote: name a node"),
        (FIVE, "followers.5", "there is no followers.5: 4 are running (n1, n2, n4, n5)"),
        (ONE, "followers", "no follower is running now"),
        (ONE, "followers.1", "no follower is running now"),
        (ALL_DOWN, "any", "no node is running now"),
        (ONE, "minority", "1 voters have no minority: none can be lost"),
        (TWO, "minority", "2 voters have no minority: none can be lost"),
        (FIVE, "rest", "'rest' means whoever is not named: name somebody beside it"),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else str(len(value.nodes)),
)
def test_a_role_that_means_nobody_now_is_refused_in_words(roster: Roster, text: str, answer: str) -> None:
    with pytest.raises(UsageError) as refused:
        resolve((text,), roster)
    assert str(refused.value) == answer


def test_followers_without_a_leader_are_all_that_run() -> None:
    assert resolve(("followers",), NOBODY_LEADS) == FIVE.nodes


def test_rest_of_a_side_when_every_node_is_named() -> None:
    with pytest.raises(UsageError, match="every node is named already"):
        resolve(("rest",), FIVE, named=FIVE.nodes)


@st.composite
def rosters(draw: st.DrawFn) -> Roster:
    count = draw(st.integers(1, 50))
    nodes = tuple(f"n{number}" for number in range(1, count + 1))
    voters = nodes[: draw(st.integers(1, count))]
    some = st.lists(st.sampled_from(nodes), unique=True).map(tuple)
    down = draw(some)
    paused = tuple(node for node in draw(some) if node not in down)
    running = [node for node in voters if node not in down and node not in paused]
    leader = draw(st.sampled_from(running)) if running and draw(st.booleans()) else None
    return Roster(nodes=nodes, voters=voters, down=down, paused=paused, leader=leader, draw=draw(st.integers(0, 1 << 30)))


_ANY_ATOMS = st.lists(
    st.sampled_from(["leader", "followers", "any", "minority", "majority", "rest", "all", "leader+2", "followers.3", "n1", "n40"]),
    min_size=1, max_size=4, unique=True,
).map(tuple)  # fmt: skip


@given(rosters(), _ANY_ATOMS)
def test_what_is_meant_exists_each_once_and_is_never_empty(roster: Roster, targets: tuple[str, ...]) -> None:
    try:
        nodes = resolve(targets, roster)
    except UsageError:
        return
    assert nodes
    assert len(set(nodes)) == len(nodes)
    assert set(nodes) <= set(roster.nodes)


@given(rosters())
def test_losing_the_minority_leaves_a_quorum_and_one_more_would_not(roster: Roster) -> None:
    majority = resolve(("majority",), roster)
    assert len(majority) == roster.quorum
    assert len(roster.voters) - len(majority) == len(roster.voters) - roster.quorum
    if len(roster.voters) > 2:
        minority = resolve(("minority",), roster)
        assert not set(minority) & set(majority)
        assert {*minority, *majority} == set(roster.voters)
        assert roster.leader is None or roster.leader in minority
