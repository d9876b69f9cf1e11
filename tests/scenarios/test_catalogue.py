"""Every incident that is there, against the report that it comes from. A new one is covered by being there."""

from __future__ import annotations

import ast
import inspect
import sys

import pytest

from scenarios.catalog import cards, load
from scenarios.model import Card
from scenarios.seed_rows import is_alternative, rows

ROWS = {row.slug: row for row in rows()}
each_card = pytest.mark.parametrize("card", cards(), ids=lambda card: card.slug)


def test_the_report_has_its_24_rows_in_order() -> None:
    assert [row.n for row in ROWS.values()] == list(range(1, 25))
    assert len({row.family for row in ROWS.values()}) == 7


@each_card
def test_a_card_repeats_its_row_word_for_word(card: Card) -> None:
    row = ROWS[card.slug]
    assert card.seed == row.seed
    assert (card.scenario.n, card.scenario.family, card.scenario.mechanism) == (row.n, row.family, row.mechanism)


@each_card
def test_every_pattern_of_the_report_is_some_toggles(card: Card) -> None:
    assert {text for toggle in card.toggle for text in toggle.patterns} == set(card.seed.patterns)


def _turned(card: Card) -> set[str]:
    """The cures that the canonical variant takes."""
    return {text for toggle in card.toggle for text in toggle.cures if toggle.canonical != toggle.broken}


@each_card
def test_every_cure_of_the_report_is_some_toggles_that_the_canonical_variant_turns(card: Card) -> None:
    assert {cure for cure in card.seed.canonical if not is_alternative(cure)} <= _turned(card)


@each_card
def test_every_alternative_cure_is_some_toggles_and_a_case_with_it_passes(card: Card) -> None:
    passing = [case for case in load(card.slug).play.METAMORPHIC if case.expect == "PASS" and case.base == "broken"]
    turned = {name for case in passing for name, value in case.overrides.items() if value != card.toggles("broken")[name]}
    shown = {text for toggle in card.toggle if toggle.name in turned for text in toggle.cures}
    assert {cure for cure in card.seed.canonical if is_alternative(cure)} <= shown | _turned(card)


@each_card
def test_an_incident_has_cases_of_both_kinds(card: Card) -> None:
    assert {case.expect for case in load(card.slug).play.METAMORPHIC} == {"PASS", "FAIL"}


@each_card
def test_an_oracle_knows_records_and_checks_and_nothing_else_of_ours(card: Card) -> None:
    """By its imports, which are all that it may look at; the contracts forbid what they name, and this allows what it names."""
    tree = ast.parse(inspect.getsource(load(card.slug).oracle))  # type: ignore[arg-type]
    found = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    found |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    strange = {name for name in found if name.partition(".")[0] not in sys.stdlib_module_names and not _may_be_known(name)}
    assert strange == set()
    assert not {"socket", "subprocess", "asyncio"} & found


def _may_be_known(module: str) -> bool:
    # msgspec: for a value of its own, as everywhere here.
    return module in ("scenarios.records", "msgspec") or module.startswith("cluster.check")
