"""What all tests share: `--all` for the slow ones, a third of them in turn, and how hypothesis looks for counterexamples.

Law 1: a test that takes minutes is marked `slow` and left out, unless `--all`, `-m` or its own id asks for it.
Law 2: `--third` asks for the slow tests of incidents whose number in the report is this third's, and for those of modules that say
`EACH_THIRD`; with `--all`, for everything but those of the other thirds. In three days all of them have had their turn.
"""

from __future__ import annotations

import datetime as dt
import os

import hypothesis
import pytest

# Sources are tried, and all that they start, whatever is compiled here; FAULTLINE_NATIVE=1 tries what is compiled instead.
os.environ.setdefault("FAULTLINE_NATIVE", "0")

from scenarios.seed_rows import rows

# A busy machine is no counterexample, so an example has no deadline of its own; each test has pytest's timeout.
hypothesis.settings.register_profile("faultline", deadline=None, print_blob=True)
hypothesis.settings.load_profile("faultline")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all", action="store_true", help="run the tests marked slow as well")
    parser.addoption("--third", choices=("0", "1", "2", "today"), help="of the incidents' slow tests a third: this one, or the day's")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    asked_by_id = tuple(arg for arg in config.args if "::" in arg)
    everything = bool(config.getoption("--all") or config.getoption("-m"))
    turn = _turns(config.getoption("--third"))
    chosen: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    for item in items:
        has_turn = True if turn and getattr(getattr(item, "module", None), "EACH_THIRD", False) else turn.get(_slug_of(item))
        slow = item.get_closest_marker("slow") is not None and not item.nodeid.startswith(asked_by_id or ("\0",))
        (left_out if slow and not (everything if has_turn is None else has_turn) else chosen).append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = chosen


def _turns(third: str | None) -> dict[str, bool]:
    """Incident -> whether it is its turn (law 2); empty when nobody asked for thirds."""
    if third is None:
        return {}
    number = dt.date.today().toordinal() % 3 if third == "today" else int(third)  # noqa: DTZ011 - the day here is as good as any
    return {row.slug: row.n % 3 == number for row in rows()}


def _slug_of(item: pytest.Item) -> str:
    """Of the incident that a test is about; empty when it is about none."""
    card = item.callspec.params.get("card") if hasattr(item, "callspec") else None
    return card.slug if card is not None else getattr(getattr(item, "module", None), "SLUG", "")
