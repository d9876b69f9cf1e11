"""What a command would cost, by arithmetic on who runs, votes and reaches whom."""

from __future__ import annotations

import msgspec
import pytest

from cluster.commands.consequence import consequence
from cluster.commands.grammar import parse
from cluster.commands.roster import Roster
from cluster.core.errors import UsageError

FIVE = Roster(nodes=("n1", "n2", "n3", "n4", "n5"), voters=("n1", "n2", "n3", "n4", "n5"), leader="n3")
SEVEN = msgspec.structs.replace(FIVE, nodes=(*FIVE.nodes, "n6", "n7"))
FIFTY = Roster(nodes=tuple(f"n{n}" for n in range(1, 51)), voters=tuple(f"n{n}" for n in range(1, 51)), leader="n7")


def _lost(after: int, voters: int = 5, needed: int = 3, back: str = "the fault ends") -> str:
    return (
        f"No side keeps a quorum: at most {after} of {voters} voters still reach each other and {needed} are needed. "
        f"No write can commit until {back}."
    )


@pytest.mark.parametrize(
    ("roster", "asked", "sentence"),
    [
        (FIVE, "crash minority", None),
        (FIVE, "crash majority", _lost(2, back="enough of them are back")),
        (FIVE, "pause n1 n2 n3", _lost(2)),
        (FIVE, "pause n1 n2", None),
        (FIVE, "disk n1,n2,n4 hang", _lost(2)),
        (FIVE, "disk n1,n2,n4 slow 1s", None),
        (FIVE, "disk all fail", _lost(0)),
        (FIVE, "cut minority | rest", None),
        (FIVE, "cut n1 n2 | n3 n4 | n5", _lost(2)),
        (FIVE, "cut ring", None),  # each keeps its own majority
        (FIVE, "cut bridge", None),
        (FIVE, "isolate leader", None),
        (FIVE, "isolate majority", _lost(2)),
        (FIVE, "cut n1 n2 > n3 n4 n5", None),  # the three still reach each other
        (FIVE, "cut n1 > n3,n4 ", None),
        (FIVE, "loss all 100%", _lost(1)),
        (FIVE, "loss all 99%", None),
        (FIVE, "slow all 1h", None),
        (FIVE, "freeze", None),
        (FIVE, "heal", None),
        (FIVE, "undo", None),
        (FIVE, "transfer n1", None),
        (FIVE, "add n6", None),
        (FIVE, "remove n1 n2", None),
        (SEVEN, "crash n6 n7", None),  # they have no vote
        (SEVEN, "cut n1 n2 n6 n7 | n3 n4 n5", None),
        (FIFTY, "crash minority", None),
        (FIFTY, "crash minority n45", _lost(25, 50, 26, "enough of them are back")),
    ],
    ids=lambda value: value[:24] if isinstance(value, str) else "",
)
def test_a_lost_quorum_is_said_before_it_happens(roster: Roster, asked: str, sentence: str | None) -> None:
    assert consequence(parse(asked), roster) == sentence


def test_what_is_down_and_cut_already_counts() -> None:
    two_down = msgspec.structs.replace(FIVE, down=("n1",), paused=("n2",))
    assert consequence(parse("crash n3"), two_down) == _lost(2, back="enough of them are back")
    cut_off = tuple((a, b) for a in ("n1", "n2") for b in ("n3", "n4", "n5"))
    assert consequence(parse("crash n3"), msgspec.structs.replace(FIVE, severed=cut_off)) == _lost(2, back="enough of them are back")


def test_a_group_must_be_able_to_decide_without_those_who_leave() -> None:
    two_down = msgspec.structs.replace(FIVE, down=("n1",), paused=("n2",))
    assert consequence(parse("remove n1 n2"), two_down) is None
    assert consequence(parse("remove n5"), two_down) == (
        "2 of the 4 voters that stay are running and 3 are needed: the group could not decide any more."
    )


def test_a_quorum_that_is_lost_already_cannot_be_lost_again() -> None:
    three_down = msgspec.structs.replace(FIVE, down=("n1", "n2", "n3"), leader=None)
    assert consequence(parse("crash n4"), three_down) is None


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("wipe n1", "The disk of n1 is deleted with its log, its term and its vote: back again, it may vote twice in one term"),
        ("wipe n1 n2", "The disks of n1, n2 are deleted with their logs, terms and votes: back again, a node may vote twice"),
        ("wipe n1 n2 n4", "The disks of n1, n2, n4 are deleted: 3 of 5 copies, a quorum. Acknowledged writes will be lost"),
        ("wipe n6", "The disk of n6 is deleted. This cannot be undone."),
        ("wipe n6 n7", "The disks of n6, n7 are deleted. This cannot be undone."),
        ("reset", "Everything stored is deleted, on every node"),
    ],
)
def test_lost_data_is_said_in_words(asked: str, part: str) -> None:
    sentence = consequence(parse(asked), SEVEN)
    assert sentence is not None
    assert sentence.startswith(part)
    assert sentence.endswith("cannot be undone.")


def test_what_means_nothing_now_has_no_consequence_but_an_answer() -> None:
    with pytest.raises(UsageError, match="no leader is known"):
        consequence(parse("crash leader"), msgspec.structs.replace(FIVE, leader=None))
