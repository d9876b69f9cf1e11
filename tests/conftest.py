"""What all tests share: `--all` for the slow ones, a third of them in turn, and how hypothesis looks for counterexamples.

Law 1: a test that takes minutes is marked `slow` and left out, unless `--all`, `-m` or its own id asks for it.
Law 2: `--third` leaves out slow tests of incidents and nothing else: those whose number in the report is not this third's. In three
days all of them have had their turn.
"""

from __future__ import annotations

import datetime as dt

import hypothesis
import pytest

from scenarios.seed_rows import rows

# A busy machine is no counterexample, so an example has no deadline of its own; each test has pytest's timeout.
hypothesis.settings.register_profile("faultline", deadline=None, print_blob=True)
hypothesis.settings.load_profile("faultline")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all", action="store_true", help="run the tests marked slow as well")
    parser.addoption("--third", choices=("0", "1", "2", "today"), help="of the incidents' slow tests a third: this one, or the day's")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    _leave_out_other_thirds(config, items)
    if config.getoption("--all") or config.getoption("-m"):
        return
    asked_by_id = tuple(arg for arg in config.args if "::" in arg)
    chosen: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    for item in items:
        is_left_out = item.get_closest_marker("slow") is not None and not item.nodeid.startswith(asked_by_id or ("\0",))
        (left_out if is_left_out else chosen).append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = chosen


def _leave_out_other_thirds(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Law 2."""
    wanted = config.getoption("--third")
    if wanted is None:
        return
    third = dt.date.today().toordinal() % 3 if wanted == "today" else int(wanted)  # noqa: DTZ011 - the day here is as good as any
    thirds = {row.slug: row.n % 3 for row in rows()}
    left_out = [item for item in items if item.get_closest_marker("slow") and thirds.get(_slug_of(item), third) != third]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def _slug_of(item: pytest.Item) -> str:
    """Of the incident that a test is about; empty when it is about none."""
    card = item.callspec.params.get("card") if hasattr(item, "callspec") else None
    return card.slug if card is not None else getattr(getattr(item, "module", None), "SLUG", "")
