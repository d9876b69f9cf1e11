"""What the commentary says of a pair of runs, and that every fault of a card is one that somebody can do by hand."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from scenarios.catalog import Entry, entries
from tests.tui.golden.acts import bill_at
from tests.tui.select.test_incident_panes import BILLS, UIS
from tui.select.commentary import HANDS, sentence
from tui.theatre import programme_of


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("not run", "b runs it broken, c canonical, v both"),
        ("starting", "The run is being started."),
        ("going", "broken: pause w1 for 1.2 s of 2.5 s"),
        ("over", "Broken: 10 violations. Canonical, with fencing=on and lock=raft: none."),
        ("vacuous", "It was no trial, so it proves nothing."),
        ("error", "There is nothing to judge: payd ended with 1"),
        ("lost", "The broken run came to no verdict: the runner is gone."),
        ("not built", "stale-lock-holder is not built yet"),
    ],
)
def test_the_commentary_says_what_matters(name: str, said: str) -> None:
    assert said in sentence(BILLS[name], UIS["run"])[0]


def test_an_open_window_invites_whoever_is_the_fault() -> None:
    bill = replace(bill_at(0.1, ("broken",)), by_hand=("broken",))
    assert bill.programme is not None
    bill = replace(bill, programme=replace(bill.programme, deeds=("pause", "kill")))
    text, style = sentence(bill, UIS["run"])
    assert "The window is open: w1 holds every lock" in text
    assert "g stands it still" in text
    assert style == "warn"


def test_the_fault_that_is_somebodys_is_told_in_the_cards_own_deeds() -> None:
    bill = replace(bill_at(0.05, ("broken",)), by_hand=("broken",))
    assert bill.programme is not None
    scenes = {"broken": replace(bill.scenes["broken"], opens=(), faults=())}
    bill = replace(bill, scenes=scenes, programme=replace(bill.programme, window="", deeds=("slow", "drop_response")))
    text, _ = sentence(bill, UIS["run"])
    assert "its fault is yours: :slow A > B 50ms slows a link, :drop-response A > B loses an answer." in text


@pytest.mark.parametrize("found", [found for found in entries() if found.card is not None], ids=lambda found: found.row.slug)
def test_whatever_a_card_does_somebody_can_do_by_hand(found: Entry) -> None:
    assert set(programme_of(found).deeds) <= set(HANDS)
