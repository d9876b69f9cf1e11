"""`faultline check HISTORY`: is what clients saw explainable, and if not, in as few operations as show it, why not."""

from __future__ import annotations

import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import click
import msgspec

from cluster.check.formats import FORMATS, jsonl, read
from cluster.check.formats.entry import Entry, Malformed
from cluster.check.judge import LINEARIZABLE, NOT_LINEARIZABLE, STEPS_MAX, Judgement, judge
from cluster.check.operations import MODELS, Operations, gathered
from cluster.check.witness import Witness, witness
from cluster.core.errors import UsageError
from cluster.supervisor.journal import MAGIC
from tui.cli.exits import GOOD, UNKNOWN, VIOLATION
from tui.cli.lanes import did, picture, wrapped

HISTORY_BYTES_MAX = 512 * 1024 * 1024
_UNDECIDED_SHOWN = 5
EXIT = {LINEARIZABLE: GOOD, NOT_LINEARIZABLE: VIOLATION}

EPILOG = """\b
HISTORY is a file, or - for standard input, in one of these formats (told by its content):
  jsonl        {"type": "invoke", "process": 4, "f": "write", "key": "x", "value": 1, "time": 5}
  edn          {:type :invoke, :process 4, :f :write, :value 1, :time 5, :index 0}
  jepsen-log   INFO  jepsen.util - 4  :invoke  :write  1
or a recording made with `faultline live --record`.

\b
Operations: register: read, write, cas [expected new]; kv: these and get, put, append, delete.
A record names its key in `key`, or all values are [key value]; without either it is one register.

\b
Exit codes: 0 linearizable, 1 not linearizable, 2 malformed, 3 unknown.
"""


@click.command("check", epilog=EPILOG)
@click.argument("history", type=click.Path(dir_okay=False, allow_dash=True))
@click.option("--model", type=click.Choice(list(MODELS)), help="What a key can do.  [default: what its operations need]")
@click.option("--format", "name", type=click.Choice(list(FORMATS)), help="Format.  [default: told by the content]")
@click.option(
    "--steps",
    type=click.IntRange(1, 100_000_000),
    default=STEPS_MAX,
    show_default=True,
    help="Search at most so far (300 bytes a step) before saying unknown.",
)
@click.option("--json", "as_json", is_flag=True, help="The verdict as one JSON document.")
def command(history: str, model: str | None, name: str | None, steps: int, as_json: bool) -> int:
    """Judge a recorded history: is every answer explained by one order of operations?"""
    began = time.perf_counter()
    where = "standard input" if history == "-" else history
    try:
        operations = gathered(_entries(history, name or ""), model or "")
        judgement = judge(operations, steps)
    except Malformed as malformed:
        raise UsageError(f"{where}:{malformed.line}: {malformed.reason}") from None
    found = [witness(finding, operations.by_key[finding.key]) for finding in judgement.findings[:1]]
    ms = round((time.perf_counter() - began) * 1_000, 3)
    if as_json:
        print(msgspec.json.encode(_document(operations, judgement, found, ms)).decode())
    else:
        print("\n".join(_report(where, operations, judgement, found, ms)))
    return EXIT.get(judgement.verdict, UNKNOWN)


# ---- in -------------------------------------------------------------------------------------------------------------


def _entries(history: str, name: str) -> list[Entry]:
    data = _bytes(history)
    if data.startswith(MAGIC):
        return _recorded(history)
    try:
        return read(data.decode("utf-8"), name)
    except UnicodeDecodeError as error:
        raise Malformed(data.count(b"\n", 0, error.start) + 1, f"not UTF-8 text ({error.reason})") from None


def _recorded(path: str) -> list[Entry]:
    """The client history in a recording; a "line" is the number of its record."""
    if path == "-":
        raise UsageError("a recording is checked by its name, not from standard input")
    from cluster.supervisor.playback import Recording

    with closing(Recording(path)) as recording:
        if recording.damaged:
            raise UsageError(f"{recording.note}: a history with a hole proves nothing")
        if recording.note:
            print(f"faultline: {recording.note}", file=sys.stderr)
        return [jsonl.entry(jsonl.record(line), number) for number, line in enumerate(recording.history(), 1)]


def _bytes(history: str) -> bytes:
    if history == "-":
        data = sys.stdin.buffer.read(HISTORY_BYTES_MAX + 1)
    else:
        try:
            with Path(history).open("rb") as file:
                data = file.read(HISTORY_BYTES_MAX + 1)
        except OSError as error:
            raise UsageError(f"cannot read {history}: {error.strerror}") from error
    if len(data) > HISTORY_BYTES_MAX:
        raise UsageError(f"{history} exceeds {HISTORY_BYTES_MAX} bytes: check a part of it")
    return data


# ---- out ------------------------------------------------------------------------------------------------------------


def _report(where: str, operations: Operations, judgement: Judgement, found: list[Witness], ms: float) -> list[str]:
    keys = len(operations.by_key)
    about = f"{operations.count} operations on {keys} key{'s' * (keys != 1)}, model {operations.model}, {ms:.0f} ms"
    lines = [f"{where}: {judgement.verdict.upper().replace('-', ' ')}  ({about})"]
    for one in found:
        lines += ["", *_headline(one), "", *picture(one)]
    others = [finding.key or "the register" for finding in judgement.findings[1:]]
    if others:
        lines += ["", f"also violated: {', '.join(others[:_UNDECIDED_SHOWN])}{', …' if len(others) > _UNDECIDED_SHOWN else ''}"]
    lines += _undecided(operations, judgement)
    return lines


def _headline(one: Witness) -> list[str]:
    culprit = next(entry for entry in one.shown if entry.culprit)
    operation = culprit.operation
    at = f" at {operation.node}" if operation.node else ""
    key = f"key {one.key}: " if one.key else ""
    seen = ", which had been seen," if operation.outcome == "fail" else ""
    before = "nil" if one.before is None else one.before
    return [
        *wrapped(f"{key}{did(culprit)} by process {operation.process}{at}{seen} cannot be explained"),
        *wrapped(f"it begins with {before}" + (f"; {one.left_out} other operations are not needed to see it" if one.left_out else "")),
    ]


def _undecided(operations: Operations, judgement: Judgement) -> list[str]:
    lines = [f"not decided: {key or 'the register'}: {why}" for key, why in list(judgement.undecided.items())[:_UNDECIDED_SHOWN]]
    if len(judgement.undecided) > _UNDECIDED_SHOWN:
        lines.append(f"not decided: {len(judgement.undecided) - _UNDECIDED_SHOWN} more")
    if not operations.completed:
        lines.append("no operation returned ok: the history proves nothing")
    return lines


def _document(operations: Operations, judgement: Judgement, found: list[Witness], ms: float) -> dict[str, Any]:
    return {
        "verdict": judgement.verdict,
        "model": operations.model,
        "ops": operations.count,
        "keys": len(operations.by_key),
        "ms": ms,
        "steps": judgement.steps,
        "violated": [finding.key for finding in judgement.findings],
        "undecided": judgement.undecided,
        "witness": _plain(found[0]) if found else None,
    }


def _plain(one: Witness) -> dict[str, Any]:
    """Values are EDN text, so that 1 and "1" differ; times are the history's own, in nanoseconds."""
    return {
        "key": one.key,
        "before": one.before,
        "left_out": one.left_out,
        "operations": [
            {
                "process": entry.operation.process,
                "node": entry.operation.node,
                "f": entry.operation.said,
                "expect": entry.operation.expect,
                "value": entry.operation.value,
                "type": entry.operation.outcome or "open",
                "invoked_ns": entry.operation.invoked_ns,
                "returned_ns": entry.operation.returned_ns if entry.ended is not None else None,
                "line": entry.operation.line,
                "could_see": entry.could_see,
                "culprit": entry.culprit,
            }
            for entry in one.shown
        ],
    }
