from __future__ import annotations

import pytest

from cluster.commands import BY_NAME, parse
from tui.keymap import ACTIONS, BY_ACTION, MENUS, Action, entries, for_key, offered
from tui.state import SCREENS, UiState

ARMED = UiState()
DISARMED = UiState(armed=False)
OBSERVER = UiState(observer=True)
REPLAY = UiState(mode="REPLAY", observer=True)
FILLING = {"T": "n1,n2", "sides": "n1 | rest", "seconds": 3, "workload": "on"}


@pytest.mark.parametrize("action", [a for a in ACTIONS if a.text], ids=lambda a: a.name)
def test_every_template_is_a_line_of_the_grammar(action: Action) -> None:
    parse(action.text.format_map(FILLING))


@pytest.mark.parametrize("choice", [c for menu in MENUS.values() for c in menu], ids=lambda c: c.text)
def test_every_choice_of_a_menu_is_a_line_of_the_grammar(choice: object) -> None:
    parse(choice.text.format_map(FILLING))  # type: ignore[attr-defined]


@pytest.mark.parametrize("ui", [ARMED, OBSERVER], ids=["operator", "observer"])
def test_no_key_means_two_things(ui: UiState) -> None:
    keys = [key for action in ACTIONS if action.who != "replay" and action.offered(ui) for key in action.keys]
    # `end` is the newest line, and in a recording its end; no other key is declared twice for one seat.
    assert sorted(keys) == sorted(set(keys))


def test_a_recordings_keys_come_before_those_of_a_lab() -> None:
    assert for_key("space", REPLAY) is BY_ACTION["play"]
    assert for_key("space", ARMED) is BY_ACTION["mark"]


def test_danger_and_undo_are_the_verbs_own() -> None:
    assert BY_ACTION["crash"].danger == BY_NAME["crash"].danger == "residue"
    assert BY_ACTION["crash"].undo == BY_NAME["crash"].undo
    assert BY_ACTION["isolate"].help == BY_NAME["isolate"].help


def test_a_disarmed_keyboard_keeps_what_cannot_harm() -> None:
    allowed = {a.name for a in ACTIONS if a.who == "operator" and a.allowed(DISARMED)}
    assert {"heal", "heal-all", "undo", "restart"} <= allowed
    assert not allowed & {"cut", "isolate", "pause", "crash", "degrade", "clock", "disk", "reset"}


def test_disarmed_keys_are_still_there_to_be_shown_grey() -> None:
    assert BY_ACTION["crash"].offered(DISARMED)


@pytest.mark.parametrize("ui", [OBSERVER, REPLAY], ids=["observer", "recording"])
def test_who_only_looks_has_no_key_that_asks(ui: UiState) -> None:
    assert [a.name for a in offered(ui) if a.who == "operator"] == []
    assert for_key("x", ui) is None


def test_the_screens_that_exist_have_a_digit_each_and_no_other_digit_does_anything() -> None:
    assert {digit: for_key(digit, ARMED).name for digit in SCREENS} == SCREENS  # type: ignore[union-attr]
    assert [for_key(digit, ARMED) for digit in "04789"] == [None] * 5


def test_help_lists_every_action_once() -> None:
    listed = entries(ARMED)
    assert len(listed) == len(set(listed)) == len(list(offered(ARMED)))
    assert all(about for _, _, about, _, _, _ in listed)
