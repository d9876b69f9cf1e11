"""The product's text speaks of the product only."""

from __future__ import annotations

import pytest

from tests.architecture.source import CHECKOUT, paths, report
from tests.architecture.words import words


def text_of(path: str) -> str:
    """A file's text, empty for pictures and the like."""
    body = (CHECKOUT / path).read_bytes()
    return "" if b"\0" in body[:8192] else body.decode(errors="replace")


def test_no_file_speaks_of_its_making() -> None:
    findings = [finding for path in paths() for finding in words(path, text_of(path))]
    assert not findings, report(findings)


@pytest.mark.parametrize(
    "line",
    [
        "see /wo" + "rk/main/tui",
        "PATH=/ro" + "ot/bin/x",
        "as ../sha" + "red says",
        "in sha" + "red/design.md",
        "from develop" + "ers.md",
        "of seed-" + "incidents.txt",
        "in sty" + "le.md",
        "index = https://py" + "pi.org/simple",
    ],
)
def test_a_planted_word_is_found(line: str) -> None:
    assert len(words("planted.md", f"fine\n{line}\n")) == 1


@pytest.mark.parametrize("line", ["the net/wo" + "rk/load", "a ro" + "ot/branch", "shared state", "work/s"])
def test_an_ordinary_word_is_not_reported(line: str) -> None:
    assert words("planted.md", line) == []


def test_a_lock_may_name_its_registry() -> None:
    assert words("uv.lock", "https://py" + "pi.org/simple") == []
