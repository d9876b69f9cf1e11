"""The table of verbs against the grammar: nothing is promised that cannot be typed, and nothing can be typed without help."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from cluster.commands import model
from cluster.commands.canonical import canonical, verb_of
from cluster.commands.completion import complete
from cluster.commands.grammar import parse
from cluster.commands.roster import Roster
from cluster.commands.verbs import BY_NAME, VERBS, Verb

ROSTER = Roster(nodes=("n1", "n2", "n3"), voters=("n1", "n2", "n3"), leader="n1", faults=(4,))
PROMISED = [
    "cut", "isolate", "pause", "crash", "restart", "wipe", "slow", "loss", "dup", "reorder", "throttle", "skew", "drift", "disk",
    "heal", "undo", "freeze", "thaw", "transfer", "add", "remove", "replace", "put", "get", "workload", "rumour", "set", "reset",
]  # fmt: skip


def test_the_verbs_are_those_that_operators_were_promised() -> None:
    assert sorted(BY_NAME) == sorted(PROMISED)
    assert len(VERBS) == len(BY_NAME)


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.verb)
class TestEveryVerb:
    def test_has_help_that_fits_a_line(self, verb: Verb) -> None:
        assert verb.help.endswith(".")
        assert len(verb.help) <= 100
        assert verb.usage.startswith(verb.verb)
        assert verb.group

    def test_says_what_undo_brings_back_exactly_when_undo_brings_something_back(self, verb: Verb) -> None:
        assert bool(verb.undo) == (verb.danger in ("reversible", "residue"))

    def test_parses_its_example_and_writes_it_back(self, verb: Verb) -> None:
        command = parse(verb.example)
        assert verb_of(command) == verb.verb
        assert parse(canonical(command)) == command

    def test_is_completed_from_its_first_letters(self, verb: Verb) -> None:
        assert verb.verb in complete(verb.verb[:2], ROSTER)

    def test_lasts_if_and_only_if_it_is_a_fault_with_an_end(self, verb: Verb) -> None:
        assert verb.lasts == isinstance(parse(verb.example), model.Fault)
        if verb.lasts:
            command = parse(f"{re.sub(r' for .*| 2s$', '', verb.example)} for 7s")
            assert isinstance(command, model.Fault)
            assert model.lasting(command) == 7_000_000


def test_a_fault_that_nobody_ends_ends_by_itself() -> None:
    for kind in get_args(model.Fault):
        assert "for_us" in kind.__struct_fields__
    assert model.lasting(model.Pause(targets=("n1",))) == 10_000_000
    assert model.lasting(model.Crash(targets=("n1",))) == 600_000_000
