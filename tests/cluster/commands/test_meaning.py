"""A command and its moment: roles become nodes, sides stay apart, and every fault knows the links it touches."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.commands import model
from cluster.commands.canonical import canonical
from cluster.commands.grammar import parse
from cluster.commands.meaning import cuts, pairs_of, resolved, shape_pairs, targets_of
from cluster.commands.roster import Roster
from cluster.core.errors import UsageError
from tests.cluster.commands.asked import COMMANDS

FIVE = Roster(nodes=("n1", "n2", "n3", "n4", "n5"), voters=("n1", "n2", "n3", "n4", "n5"), leader="n3")
FIFTY = Roster(nodes=tuple(f"n{n}" for n in range(1, 51)), voters=("n1", "n2", "n3", "n4", "n5"), leader="n3")


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("cut leader | rest", "cut n3 | n1,n2,n4,n5"),
        ("cut rest | leader", "cut n1,n2,n4,n5 | n3"),
        ("cut leader,leader+1 > rest for 3s", "cut n3,n4 > n1,n2,n5 for 3s"),
        ("cut minority | majority", "cut n3,n4 | n1,n2,n5"),
        ("cut n1 | n2 | rest", "cut n1 | n2 | n3,n4,n5"),
        ("cut n1,rest | leader", "cut n1,n2,n4,n5 | n3"),
        ("cut ring", "cut ring"),
        ("isolate leader", "isolate n3"),
        ("pause followers.2 2s", "pause n2 for 2s"),
        ("crash minority", "crash n3,n4"),
        ("restart all", "restart n1,n2,n3,n4,n5"),
        ("wipe n4", "wipe n4"),
        ("slow leader > rest 80ms", "slow n3 > n1,n2,n4,n5 80ms"),
        ("slow leader 80ms", "slow n3 80ms"),
        ("loss rest > leader 20%", "loss n1,n2,n4,n5 > n3 20%"),
        ("skew leader+1 +1s", "skew n4 +1s"),
        ("drift leader,rest 1.02", "drift n3,n1,n2,n4,n5 1.02"),
        ("disk leader hang", "disk n3 hang"),
        ("heal leader", "heal n3"),
        ("heal 4", "heal 4"),
        ("transfer leader+1", "transfer n4"),
        ("put leader rest", "put leader rest"),
        ("undo", "undo"),
    ],
)
def test_roles_become_nodes_when_it_fires(asked: str, meant: str) -> None:
    assert canonical(resolved(parse(asked), FIVE)) == meant


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("cut leader | n3", "n3 stands on two sides of the cut"),
        ("cut any | any", "n1 stands on two sides of the cut"),
        ("cut all | rest", "'rest' is nobody: every node is named already"),
        ("cut rest | rest", "'rest' means whoever is not named: name somebody beside it"),
        ("cut n1 | rest | rest", "n2 stands on two sides of the cut"),
        ("slow rest 80ms", "'rest' means whoever is not named: name somebody beside it"),
        ("pause n9", "there is no n9 here (did you mean 'n5'?): the nodes are n1 to n5"),
    ],
)
def test_what_means_nothing_now_is_refused(asked: str, answer: str) -> None:
    with pytest.raises(UsageError) as refused:
        resolved(parse(asked), FIVE)
    assert str(refused.value) == answer


def _arrows(asked: str, roster: Roster = FIVE) -> str:
    return " ".join(f"{source[1:]}>{target[1:]}" for source, target in pairs_of(resolved(parse(asked), roster), roster))


@pytest.mark.parametrize(
    ("asked", "arrows"),
    [
        ("cut n1 > n2,n3", "1>2 1>3"),
        ("cut n1 | n2", "1>2 2>1"),
        ("cut n1 | n2 | n3", "1>2 1>3 2>1 2>3 3>1 3>2"),
        ("isolate n2", "1>2 2>1 2>3 2>4 2>5 3>2 4>2 5>2"),
        ("loss n1>n2,n1 20%", "1>2"),  # nobody has a link to itself
        ("slow n5 80ms", "1>5 2>5 3>5 4>5 5>1 5>2 5>3 5>4"),
        ("cut bridge", "1>4 1>5 2>4 2>5 4>1 4>2 5>1 5>2"),
        ("cut ring", "1>3 1>4 2>4 2>5 3>1 3>5 4>1 4>2 5>2 5>3"),
        ("pause n1", ""),
        ("disk n1 hang", ""),
    ],
)
def test_the_links_that_a_fault_touches(asked: str, arrows: str) -> None:
    assert _arrows(asked) == arrows


@pytest.mark.parametrize("count", range(4, 51))
def test_in_a_ring_every_node_keeps_its_own_majority_and_no_two_the_same(count: int) -> None:
    nodes = tuple(f"n{n}" for n in range(1, count + 1))
    severed = set(shape_pairs("ring", nodes))
    seen = [frozenset(other for other in nodes if (node, other) not in severed) for node in nodes]
    assert all(len(side) >= count // 2 + 1 for side in seen)
    assert len(set(seen)) == count
    assert {(b, a) for a, b in severed} == severed


@pytest.mark.parametrize("count", range(3, 51))
def test_over_a_bridge_one_node_sees_all_and_the_halves_do_not_see_each_other(count: int) -> None:
    nodes = tuple(f"n{n}" for n in range(1, count + 1))
    severed = set(shape_pairs("bridge", nodes))
    bridges = [node for node in nodes if not any(node in pair for pair in severed)]
    assert bridges == [nodes[count // 2]]
    left, right = nodes[: count // 2], nodes[count // 2 + 1 :]
    assert severed == {(a, b) for one, other in ((left, right), (right, left)) for a in one for b in other}


@pytest.mark.parametrize("shape", ["ring", "bridge"])
def test_a_shape_is_one_of_voters_and_everyone_else_shares_the_links_of_one(shape: str) -> None:
    nodes = tuple(f"n{n}" for n in range(1, 51))
    voters, others = nodes[:5], nodes[5:]
    severed = set(shape_pairs(shape, voters, others))
    assert {pair for pair in severed if set(pair) <= set(voters)} == set(shape_pairs(shape, voters))
    unsevered = {voter: {node for node in nodes if (voter, node) not in severed} for voter in voters}
    for node in others:
        seen = {other for other in nodes if (node, other) not in severed}
        assert seen in unsevered.values()
        assert shape == "ring" or seen != set(nodes), "only the bridge itself sees both halves"


def test_shapes_want_enough_voters() -> None:
    with pytest.raises(UsageError, match="a bridge needs at least 3 voters, these are 2"):
        shape_pairs("bridge", ("n1", "n2"))
    with pytest.raises(UsageError, match="it needs at least 4"):
        shape_pairs("ring", ("n1", "n2", "n3"))


def test_fifty_nodes() -> None:
    cut = resolved(parse("cut leader | rest"), FIFTY)
    assert len(pairs_of(cut, FIFTY)) == 2 * 49
    assert len(pairs_of(resolved(parse("isolate all"), FIFTY), FIFTY)) == 50 * 49
    assert targets_of(cut, FIFTY)[0] == "n3"


@pytest.mark.parametrize("kind", COMMANDS, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_what_is_resolved_depends_on_no_moment_any_more(kind: type, data: st.DataObject) -> None:
    """Law 1: resolving it again, when somebody else leads and others run, changes nothing."""
    command = data.draw(COMMANDS[kind])
    try:
        once = resolved(command, FIFTY)
    except UsageError:
        return
    later = Roster(nodes=FIFTY.nodes, voters=FIFTY.voters, leader=None, down=FIFTY.nodes)
    assert resolved(once, later) == once
    assert set(targets_of(once, later)) <= set(FIFTY.nodes)
    assert all(source != target for source, target in pairs_of(once, later))


def test_only_what_carries_nothing_any_more_cuts() -> None:
    texts = ["cut n1 | n2", "cut ring", "isolate n1", "loss n1 100%", "loss n1 99%", "dup n1 100%", "slow n1 1h", "pause n1"]
    assert [cuts(parse(text)) for text in texts] == [True, True, True, True, False, False, False, False]


def test_every_fault_names_whom_it_concerns() -> None:
    for text in ("cut n1 | n2", "cut ring", "isolate n1", "pause n1", "crash n1", "slow n1 1s", "loss n1>n2 1%", "throttle n1 1kB/s",
                 "skew n1 1s", "drift n1 2", "disk n1 fail"):  # fmt: skip
        command = parse(text)
        assert isinstance(command, model.Fault)
        assert "n1" in targets_of(command, FIVE)
