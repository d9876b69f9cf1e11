"""What a rule takes for the same intention, and what for another."""

from __future__ import annotations

import pytest

from scenarios.kit.keys import RULES

RENT = {
    "user": "u-1",
    "batch": "b-1",
    "op": "rent",
    "entity": "flat-1",
    "cents": 900,
    "recipient": "l-1",
    "order": "o-1",
    "step": 1,
    "what": "x",
}


@pytest.mark.parametrize(
    ("rule", "change", "same"),
    [
        ("user+batch", {"op": "utilities", "cents": 60, "recipient": "city"}, True),
        ("user+batch", {"user": "u-2"}, False),
        ("user+amount+recipient", {"entity": "flat-2"}, True),
        ("user+amount+recipient", {"cents": 60}, False),
        ("user+op+entity", {"entity": "flat-2"}, False),
        ("user+op+entity", {"op": "utilities"}, False),
        ("user+op+entity", {"cents": 901}, True),
        ("order", {"step": 2, "what": "y"}, True),
        ("saga+step+kind", {"step": 2}, False),
        ("per_payment", {}, False),
    ],
)
def test_two_intentions_share_a_key_or_not(rule: str, change: dict[str, object], same: bool) -> None:
    assert (RULES[rule](RENT)() == RULES[rule]({**RENT, **change})()) is same


def test_attempts_share_a_key_unless_it_is_the_attempts() -> None:
    for rule, named in RULES.items():
        key = named(RENT)
        assert (key() == key()) is (rule != "per_attempt")
    assert RULES["none"](RENT)() is None
