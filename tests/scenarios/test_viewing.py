"""What a card says of its picture is checked, read, and compared as it is meant."""

from __future__ import annotations

from pathlib import Path

import pytest

import scenarios
from cluster.core.errors import UsageError
from scenarios.catalog import cards
from scenarios.model import read_card
from scenarios.viewing import Column, field, holds, meant, read_source, shown

TEXT = (Path(scenarios.__file__).parent / "election/stale_lock_holder/incident.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('of = "ledger/payd:charged"\nshow', 'of = "payd"\nshow', "view.column[2].of: expected 'ledger|history|trace[/PROCESS]:KIND'"),
        ('of = "ledger/payd:charged"\nshow', 'of = "ledger/payed:charged"\nshow', "view.column[2].of: expected"),
        ('show = "caller"', 'show = "sum of all"', "view.column[2].show: expected 'count', 'sum FIELD' or a field"),
        ('bad = "> 1"', 'bad = "much"', "view.column[3].bad: expected a comparison such as '> 1', not 'much'"),
        ('rows = "order"', "", "view.column[0].row: neither it nor view.rows says which field names a row"),
        ('process = "w1"\nopens', 'process = "w9"\nopens', "window.process: there is no process 'w9'"),
        ('closes = "history/w1:invoke"', 'closes = "invoke"', "window.closes: expected"),
    ],
)
def test_a_wrong_view_names_its_key(old: str, new: str, said: str) -> None:
    assert old in TEXT
    with pytest.raises(UsageError) as caught:
        read_card(TEXT.replace(old, new, 1), "f")
    assert said in str(caught.value)


def test_every_incident_that_is_built_has_a_picture_of_its_own() -> None:
    assert [card.slug for card in cards() if not card.view.column and not card.view.counter] == []


@pytest.mark.parametrize(
    ("test", "value", "expected"),
    [
        ("> 1", 2, True), ("> 1", 1, False), (">= 1", "1", True), ("== w1", "w1", True), ("!= w1", "w2", True), ("> 1", "w1", False),
        ("", 9, False),
    ],
)
def test_numbers_are_compared_as_numbers(test: str, value: object, expected: bool) -> None:
    assert holds(test, value) is expected


def test_a_field_is_found_in_the_record_or_in_what_it_carries() -> None:
    history = {"type": "ok", "f": "charge", "value": {"order": "o-1", "cents": 7}}
    assert field(history, "order") == "o-1"
    assert field(history, "f") == "charge"
    assert field(history, "nothing") is None
    assert meant(Column(title="t", of="history:ok", where={"f": "charge", "cents": "7"}), history)
    assert not meant(Column(title="t", of="history:ok", where={"f": "refund"}), history)


def test_a_source_is_of_its_files() -> None:
    assert read_source("ledger/payd:charged").is_of("ledger/payd.jsonl")
    assert not read_source("ledger/payd:charged").is_of("ledger/mail.jsonl")
    assert read_source("trace:lock.acquired").is_of("trace/w2.jsonl")
    assert [shown(Column(title="", of="", show=show)) for show in ("count", "sum cents", "caller")] == [
        ("count", ""), ("sum", "cents"), ("newest", "caller"),
    ]  # fmt: skip
