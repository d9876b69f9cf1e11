"""A file of `at 3.0 pause leader 2s` lines -> commands in time.

Law 1: every bad line is reported, all together, with file, line, column and reason; a script with one bad line does not run.
Law 2: time counts from the moment all nodes are up and a leader is known.
Law 3: roles mean something only when a line fires; a node that the lab does not have, and no line adds, is a fault of the script.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from cluster.commands.grammar import parse
from cluster.commands.meaning import resolved
from cluster.commands.model import Add, Command, Replace
from cluster.commands.quantities import read_duration, read_number
from cluster.commands.roster import Roster
from cluster.commands.words import missing
from cluster.core.errors import UsageError
from cluster.core.types import SECOND, Micros, NodeId, by_number

SCRIPT_LINES_MAX = 10_000
AT_MAX_US: Micros = 86_400 * SECOND
_BAD_LINES_SHOWN = 50
_COLUMN = re.compile(r"column (\d+): ")
_AT = re.compile(r"(\s*at\s+)(\S+)(\s+|\Z)")


def parse_script(text: str, name: str = "script", nodes: Sequence[NodeId] = ()) -> list[tuple[Micros, Command]]:
    """Commands with their times, in time order. Blank lines and `#` comments are skipped. Raises `UsageError`, one line per fault.

    `nodes`: those of the lab that it is for; empty when that is not known.
    """
    # Lines as every editor counts them: `splitlines` would also cut at form feeds and the like.
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").removesuffix("\n").split("\n")
    if len(lines) > SCRIPT_LINES_MAX:
        raise UsageError(f"{name}: {len(lines)} lines are more than the limit of {SCRIPT_LINES_MAX}")
    timed: list[tuple[Micros, Command]] = []
    numbers: list[int] = []
    bad: list[str] = []
    for number, raw in enumerate(lines, 1):
        line = _without_comment(raw)
        if not line.strip():
            continue
        try:
            timed.append(_timed(line))
            numbers.append(number)
        except UsageError as error:
            column, reason = _place(str(error))
            bad.append(f"{name}:{number}:{column}: {reason}")
    if nodes:
        reasons = _meaningless([command for _, command in timed], nodes)
        bad += [f"{name}:{number}:1: {reason}" for number, reason in zip(numbers, reasons, strict=True) if reason]
    if bad:
        more = [f"… and {len(bad) - _BAD_LINES_SHOWN} more bad lines"] if len(bad) > _BAD_LINES_SHOWN else []
        raise UsageError("\n".join(bad[:_BAD_LINES_SHOWN] + more))
    return sorted(timed, key=lambda pair: pair[0])


def _meaningless(commands: Sequence[Command], nodes: Sequence[NodeId]) -> list[str]:
    """Why each command could mean nothing at any time, "" when it could (law 3)."""
    added = {node for command in commands for node in _added(command)}
    known = tuple(by_number({*nodes, *added}))
    healthy = Roster(nodes=known, voters=known, leader=known[0])
    reasons = []
    for command in commands:
        try:
            resolved(command, healthy)
            reasons.append("")
        except UsageError as error:
            reasons.append(str(error))
    return reasons


def _added(command: Command) -> tuple[NodeId, ...]:
    return command.nodes if isinstance(command, Add) else (command.node,) if isinstance(command, Replace) else ()


def _without_comment(line: str) -> str:
    """A `#` begins a comment at the start of a line or after a space; `heal #3` keeps its number."""
    return re.sub(r"^\s*#.*|\s#(?!\d).*", "", line)


def _timed(line: str) -> tuple[Micros, Command]:
    match = _AT.match(line)
    if match is None:
        start = len(line) - len(line.lstrip()) + 1
        raise UsageError(f"column {start}: a line begins with a time, such as 'at 3.0 pause leader 2s'")
    at_us = _time(match.group(2))
    if at_us is None:
        raise UsageError(f"column {match.start(2) + 1}: {match.group(2)!r} is not a time in seconds, such as 3 or 3.5, up to a day")
    if match.end() == len(line):
        raise missing(line, "a command")
    # Blanks instead of the time, so that the columns of the grammar's own errors are right.
    return at_us, parse(" " * match.end() + line[match.end() :])


def _time(text: str) -> Micros | None:
    seconds = read_number(text)
    at_us = round(seconds * SECOND) if seconds is not None else read_duration(text) if text[0] not in "+-" else None
    return at_us if at_us is not None and at_us <= AT_MAX_US else None


def _place(error: str) -> tuple[int, str]:
    """The column that an error names, and the rest of it."""
    match = _COLUMN.match(error)
    return (int(match.group(1)), error[match.end() :]) if match else (1, error)
