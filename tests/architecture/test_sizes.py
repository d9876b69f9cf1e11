"""Files and functions stay short, and the list of exceptions only shrinks."""

from __future__ import annotations

import pytest

from tests.architecture import sizes
from tests.architecture.source import Source, report, sources


def everything() -> sizes.Lengths:
    found: sizes.Lengths = {}
    for source in sources():
        found.update(sizes.lengths(source))
    return found


def test_nothing_is_too_long() -> None:
    findings = sizes.too_long(everything(), sizes.read_ratchet(sizes.RATCHET.read_text()))
    assert not findings, report(findings)


def test_the_exceptions_are_still_needed() -> None:
    findings = sizes.stale(everything(), sizes.read_ratchet(sizes.RATCHET.read_text()))
    assert not findings, report(findings)


LONG_FILE = Source.of("planted.py", "x = 1\n" * (sizes.FILE_LINES_MAX + 1))
LONG_FUNCTION = Source.of("planted.py", "class A:\n  def f(self):\n" + "    x = 1\n" * sizes.FUNCTION_LINES_MAX)


def test_a_planted_long_file_is_found() -> None:
    assert len(sizes.too_long(sizes.lengths(LONG_FILE), {})) == 1


def test_a_planted_long_function_is_found_by_its_full_name() -> None:
    [finding] = sizes.too_long(sizes.lengths(LONG_FUNCTION), {})
    assert "planted.py:A.f has 61 lines" in finding.message


def test_a_docstring_does_not_count() -> None:
    documented = Source.of("planted.py", "def f():\n  '''" + "why\n" * sizes.FUNCTION_LINES_MAX + "'''\n  return 1\n")
    assert not sizes.too_long(sizes.lengths(documented), {})


def test_a_listed_exception_may_not_grow() -> None:
    assert not sizes.too_long(sizes.lengths(LONG_FILE), {"planted.py": 401})
    assert sizes.too_long(sizes.lengths(LONG_FILE), {"planted.py": 400})


@pytest.mark.parametrize("listed", [{"planted.py": 401 + sizes.SLACK + 1}, {"planted.py:gone": 80}, {"removed.py": 500}])
def test_an_exception_that_is_too_wide_or_not_needed_is_found(listed: dict[str, int]) -> None:
    assert len(sizes.stale(sizes.lengths(LONG_FILE), listed)) == 1


def test_an_exception_must_say_why() -> None:
    with pytest.raises(ValueError, match="does not say why"):
        sizes.read_ratchet('["planted.py"]\nlines = 500\nwhy = " "\n')
