"""The incident screens without colour: what a colour says, a word or a sign beside it says as well."""

from __future__ import annotations

import re

import pytest
from msgspec.structs import replace

from scenarios.scene import FaultSeen
from tests.tui.golden.acts import bill_at
from tests.tui.select.test_incident_panes import BILLS, PANES, UIS, rows_of, text_of
from tui.playbill import Playbill
from tui.select.acts import telling

# What a style of a meaning must have in words or signs beside it, in its own span or in the next one.
SAID = {
    "bad": r"✖|FAIL|ERROR|!|×|cannot be used|without a verdict|lost|gone|came to no verdict|nothing to judge",
    "good": r"✓|PASS|passed|none",
    "paused": "‖",
    "dead": "✖",
}


def touched() -> dict[str, Playbill]:
    """The same run as it was, with another toggle, and with a fault that is somebody's."""
    scene = bill_at(1.6).scenes["broken"]
    hand = FaultSeen(-1, "cut", "w1 w2 > payd", "hand", None, scene.went_ns + 500_000_000)
    card = replace(hand, step=0, on="time")
    alone = {"broken": scene}
    return {
        "untouched": bill_at(1.6, ("broken",)),
        "a toggle": replace(bill_at(1.6), scenes={"broken": replace(scene, toggles={**scene.toggles, "watchdog": "on"})}),
        "by hand": replace(bill_at(1.6), scenes={**alone, "broken": replace(scene, faults=(hand,))}),
        "by the card": replace(bill_at(1.6), scenes={**alone, "broken": replace(scene, faults=(card,))}),
    }


@pytest.mark.parametrize("name", PANES)
def test_rows_that_read_alike_mean_the_same(name: str) -> None:
    """Nothing is told by colour alone: two rows of one text have one meaning, whatever they are painted with."""
    meanings = {*SAID, "warn", "accent", "badge.bad"}
    for ui in UIS.values():
        painted: dict[str, tuple[str, ...]] = {}
        for seen, bill in {**BILLS, **touched()}.items():
            for row in rows_of(name, bill, replace(ui, colour=False)):
                text = "".join(text for text, _ in row)
                styles = tuple(style for part, style in row if style in meanings and part.strip())
                assert painted.setdefault(text, styles) == styles, (seen, text)


@pytest.mark.parametrize("name", PANES)
def test_what_is_red_green_or_still_says_so(name: str) -> None:
    for seen, bill in {**BILLS, **touched()}.items():
        rows = rows_of(name, bill, UIS["run"])
        whole = " ".join("".join(text for text, _ in row) for row in rows)
        for row in rows:
            text = whole if name == "commentary" else "".join(text for text, _ in row)  # a sentence may be folded
            for style in {style for part, style in row if style in SAID and part.strip()}:
                assert re.search(SAID[style], text), (seen, style, text)


def test_a_fault_by_hand_and_a_changed_toggle_have_a_sign() -> None:
    bills = touched()
    assert any(line.startswith(" cut w1 w2>payd (you)") for line in text_of("course", bills["by hand"]))
    assert not any("(you)" in line for line in text_of("course", bills["by the card"]))
    assert any(re.match(r"[ ▸] watchdog +on\* ", line) for line in text_of("switches", bills["a toggle"]))
    assert not any("*" in line for line in text_of("switches", bills["untouched"]))
    assert ("watchdog", "on*", "warn") in telling(bills["a toggle"], "broken")
