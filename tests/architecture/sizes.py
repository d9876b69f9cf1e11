"""How long files and functions may be, and the listed exceptions, which may only shrink.

A function's length is what is left of it without its docstring. The exceptions are in `ratchet.toml`: the path, or
`path:Class.function`, then its length and why it is one idea all the same.
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.architecture.source import Finding, Source

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
# Lines by which a listed length may exceed the true one, so that not every edit of a long file touches the list.
SLACK = 15
RATCHET = Path(__file__).with_name("ratchet.toml")

Lengths = dict[str, tuple[int, int]]  # key: (length, line)


def lengths(source: Source) -> Lengths:
    """The lengths of a file and of all its functions, by the names that the ratchet uses."""
    found: Lengths = {source.path: (len(source.text.splitlines()), 1)}
    for name, node in _functions(source.tree, ()):
        found[f"{source.path}:{name}"] = (_span(node), node.lineno)
    return found


def _functions(node: ast.AST, scope: tuple[str, ...]) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield ".".join((*scope, child.name)), child
            yield from _functions(child, (*scope, child.name))
        elif isinstance(child, ast.ClassDef):
            yield from _functions(child, (*scope, child.name))
        else:
            yield from _functions(child, scope)


def _span(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    whole = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    if ast.get_docstring(node) is None:
        return whole
    return whole - ((first.end_lineno or first.lineno) - first.lineno + 1)


def too_long(found: Lengths, listed: Mapping[str, int]) -> list[Finding]:
    """What exceeds its limit, listed or general."""
    findings = []
    for key, (length, line) in found.items():
        limit = listed.get(key, FUNCTION_LINES_MAX if ":" in key else FILE_LINES_MAX)
        if length > limit:
            advice = "it grew past its listed length" if key in listed else "look for the second idea, or list it with the reason"
            findings.append(Finding(key.split(":")[0], line, f"{key} has {length} lines, more than {limit}: {advice}"))
    return findings


def stale(found: Lengths, listed: Mapping[str, int]) -> list[Finding]:
    """Exceptions that are no longer needed, or not at that length: the ratchet turns one way."""
    findings = []
    for key, limit in listed.items():
        path = key.split(":")[0]
        length, line = found.get(key, (0, 1))
        general = FUNCTION_LINES_MAX if ":" in key else FILE_LINES_MAX
        if length <= general:
            findings.append(Finding(path, line, f"{key} is within the general limit or gone: remove it from ratchet.toml"))
        elif limit - length > SLACK:
            findings.append(Finding(path, line, f"{key} shrank to {length} lines: lower it in ratchet.toml"))
    return findings


def read_ratchet(text: str) -> dict[str, int]:
    """The listed lengths; every entry must say why."""
    listed = {}
    for key, entry in tomllib.loads(text).items():
        if not str(entry.get("why", "")).strip():
            raise ValueError(f"ratchet.toml: {key} does not say why")
        listed[key] = int(entry["lines"])
    return listed
