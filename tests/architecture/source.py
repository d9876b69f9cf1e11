"""The files that the checks read: what git knows or would add, so that build products and caches are never judged.

Law: a check never reads a file for itself; it gets a `Source`, which a test can also make from a string.
"""

from __future__ import annotations

import ast
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
PRODUCT = ("cluster/", "scenarios/", "tui/")


@dataclass(frozen=True)
class Finding:
    """One place that breaks a rule, and what to do instead."""

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


@dataclass(frozen=True)
class Source:
    """One Python file: its path from the checkout (posix), its text and its syntax tree."""

    path: str
    text: str
    tree: ast.Module

    @classmethod
    def of(cls, path: str, text: str) -> Source:
        return cls(path, text, ast.parse(text, filename=path))


@cache
def paths() -> tuple[str, ...]:
    """Every file of the checkout that is, or could be, committed."""
    if not (CHECKOUT / ".git").exists():  # an unpacked archive
        return tuple(sorted(_walk()))
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=CHECKOUT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    return tuple(sorted({path for path in listed.split("\0") if path and (CHECKOUT / path).is_file()}))


def _walk() -> Iterator[str]:
    for folder, folders, names in os.walk(CHECKOUT):
        folders[:] = [name for name in folders if name == ".ci" or not name.startswith((".", "__pycache__"))]
        for name in names:
            yield (Path(folder) / name).relative_to(CHECKOUT).as_posix()


@cache
def _sources() -> tuple[Source, ...]:
    return tuple(Source.of(path, (CHECKOUT / path).read_text()) for path in paths() if path.endswith(".py"))


def sources(*under: str) -> list[Source]:
    """The Python files whose paths begin with any of `under`; all of them without arguments."""
    return [source for source in _sources() if not under or source.path.startswith(under)]


def report(findings: list[Finding]) -> str:
    """What a failing test shows: one finding a line."""
    return "\n" + "\n".join(str(finding) for finding in findings)
