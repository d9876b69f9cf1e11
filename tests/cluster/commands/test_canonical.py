"""A command written down and read back is the same command, whatever it was."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.commands import model
from cluster.commands.canonical import canonical, verb_of
from cluster.commands.dialect import LAB
from cluster.commands.grammar import parse
from cluster.commands.run_grammar import RUN_BY_NAME
from cluster.commands.toggles import check_toggle
from cluster.commands.verbs import BY_NAME
from cluster.commands.words import LINE_CHARS_MAX, Word
from cluster.core.errors import UsageError
from tests.cluster.commands.asked import COMMANDS, RUN


def test_the_strategies_know_every_command() -> None:
    assert set(COMMANDS) == set(get_args(model.Command))


@pytest.mark.parametrize("kind", COMMANDS, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_parse_reads_what_canonical_writes_and_its_verb_is_in_the_table(kind: type, data: st.DataObject) -> None:
    command = data.draw(COMMANDS[kind])
    if isinstance(command, model.SetToggle) and not _fits(command):
        return
    text = canonical(command)
    dialect = RUN if isinstance(command, model.RunCommand) else LAB
    assert verb_of(command) in BY_NAME | (RUN_BY_NAME if dialect is RUN else {})
    if len(text) <= LINE_CHARS_MAX:
        assert parse(text, dialect) == command
        assert canonical(parse(text, dialect)) == text


def _fits(command: model.SetToggle) -> bool:
    try:
        check_toggle(Word(command.toggle, 1), Word(command.value, 1))
    except UsageError:
        return False
    return True


@pytest.mark.parametrize(
    ("asked", "written"),
    [
        ("slow n1>n2 0.08s +-20ms", "slow n1 > n2 80ms ±20ms"),
        ("cut n1 n2|n3", "cut n1,n2 | n3"),
        ("pause leader 2s", "pause leader for 2s"),
        ("loss all .5%", "loss all 0.5%"),
        ("throttle leader 64000B/s", "throttle leader 64kB/s"),
        ("skew n2 500ms", "skew n2 +500ms"),
        ("skew n2 -0.5s", "skew n2 -500ms"),
        ("workload 0", "workload off"),
        ("get colour linearizable", "get colour"),
        ("heal #3 4 n1 leader", "heal 3 4 n1,leader"),
        ("crash n1 1min", "crash n1 for 60s"),
    ],
)
def test_there_is_one_text_for_what_can_be_said_in_several(asked: str, written: str) -> None:
    assert canonical(parse(asked)) == written
