"""The README is true: its map names what is there, and its keys are the keymap's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cluster.commands import BY_NAME
from tui.cli import Commands
from tui.keymap import ACTIONS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_path_it_names_is_there() -> None:
    named = set(re.findall(r"`((?:cluster|tui|tests|scenarios|requirements|screenshots)/[\w./-]*|\w+\.toml)`", README))
    named |= set(re.findall(r"\]\((screenshots/[^)]+)\)", README))
    assert len(named) > 15
    assert [path for path in sorted(named) if "NAME" not in path and not (ROOT / path).exists()] == []


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_every_key_stands_in_it(action: object) -> None:
    assert f"`{action.shown}`" in README  # type: ignore[attr-defined]


@pytest.mark.parametrize("verb", BY_NAME)
def test_every_verb_stands_in_it(verb: str) -> None:
    assert re.search(rf"`{verb}[ `]", README)


def test_it_names_no_command_that_is_not_there() -> None:
    named = set(re.findall(r"\./faultline ([a-z]+)", README)) - {"test"}
    assert named <= set(Commands.HELP)
