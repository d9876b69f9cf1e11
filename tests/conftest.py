"""What all tests share: `--all` for the slow ones, and how hypothesis looks for counterexamples.

Law: a test that takes minutes is marked `slow` and left out, unless `--all`, `-m` or its own id asks for it.
"""

from __future__ import annotations

import hypothesis
import pytest

# A busy machine is no counterexample, so an example has no deadline of its own; each test has pytest's timeout.
hypothesis.settings.register_profile("faultline", deadline=None, print_blob=True)
hypothesis.settings.load_profile("faultline")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all", action="store_true", help="run the tests marked slow as well")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
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
