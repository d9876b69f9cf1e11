"""What is offered is right: the table of verbs and the roster say it, and the grammar takes it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.commands.completion import OFFERS_MAX, complete
from cluster.commands.grammar import parse
from cluster.commands.roster import Roster
from cluster.commands.verbs import VERBS
from cluster.commands.words import LineEnds

THREE = Roster(nodes=("n1", "n2", "n3"), voters=("n1", "n2", "n3"), leader="n1", faults=(4, 17))
FIFTY = Roster(nodes=tuple(f"n{n}" for n in range(1, 51)), voters=("n1", "n2", "n3"), leader="n1")
ROLES = ["leader", "followers", "any", "minority", "majority", "rest", "all"]
NODES = ["n1", "n2", "n3"]


@pytest.mark.parametrize(
    ("text", "offers"),
    [
        ("", [verb.verb for verb in VERBS]),
        ("re", ["reorder", "restart", "reset", "remove", "replace"]),
        ("zz", []),
        ("zz n", []),
        ("pause ", ["leader", "followers", "any", "minority", "majority", "rest", "all", "n1", "n2", "n3"]),
        ("pause n", NODES),
        ("pause n1,", [*ROLES, "n2", "n3"]),
        ("pause n1 f", ["followers", "for"]),
        ("pause n1 for ", ["1s", "3s", "5s", "10s", "30s"]),
        ("pause n1 for 3", ["3s", "30s"]),
        ("cut ", [*ROLES, *NODES, "ring", "bridge"]),
        ("cut r", ["rest", "ring"]),
        ("cut n1 ", [*ROLES, "n2", "n3", "|", ">"]),
        ("cut n1|", [*ROLES, "n2", "n3"]),
        ("cut n1 | n2 ", [*ROLES, "n3", "|", "for"]),
        ("disk n1 ", [*ROLES, "n2", "n3", "slow", "hang", "fail"]),
        ("disk n1 slow ", []),
        ("disk n1 hang ", ["for"]),
        ("slow n1>n", ["n2", "n3"]),
        ("slow n1>n2 80ms ", ["for"]),
        ("heal ", ["4", "17", *ROLES, *NODES]),
        ("heal n1 ", [*ROLES, "n2", "n3"]),
        ("add ", ["n4"]),
        ("add n4 ", ["learner"]),
        ("replace n1 ", ["n2", "n3", "n4"]),
        ("get ", []),
        ("get colour ", ["linearizable", "lease", "serializable"]),
        ("get colour s", ["serializable"]),
        ("workload o", ["on", "off"]),
        ("workload on ", []),
        ("undo ", []),
        ("set pre", ["pre_vote"]),
        ("set pre_vote ", ["on", "off"]),
        ("set decider ", ["akka", "normal", "cassandra", "timeout"]),
        ("set heartbeat_us ", []),
        ("set nonsense ", []),
        ("x" * 501, []),
    ],
)
def test_what_could_stand_next(text: str, offers: list[str]) -> None:
    stem = text[: max(text.rfind(sign) for sign in " ,|>") + 1]
    assert complete(text, THREE) == [stem + offer for offer in offers]


def test_fifty_nodes_are_found_by_their_first_letters() -> None:
    assert len(complete("pause ", FIFTY)) == OFFERS_MAX
    assert complete("pause n4", FIFTY) == ["pause n40", *(f"pause n4{n}" for n in range(1, 10))]


@given(st.lists(st.integers(0, 60), max_size=8))
def test_whoever_follows_the_offers_always_types_what_the_grammar_takes(choices: list[int]) -> None:
    line = ""
    for choice in choices:
        offers = complete(line, THREE)
        if not offers:
            break
        line = offers[choice % len(offers)] + " "
        try:
            parse(line)
        except LineEnds:
            pass  # right as far as it goes
