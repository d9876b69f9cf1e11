"""`faultline live`: a cluster, and a dashboard or a script that breaks it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from cluster.commands import model
from cluster.commands.quantities import read_duration
from cluster.commands.script import parse_script
from cluster.core.errors import UsageError
from cluster.core.types import NODES_MAX, SECOND, Micros, NodeId
from cluster.telemetry.control import SEED_MAX, LabSpec

EPILOG = """\b
Examples:
  faultline live -n 7 --profile lan
  faultline live --headless --for 10s --json --script - <<< 'at 3 crash leader'
  faultline live --record drill.flt --script drill.txt
  faultline live --break ack_before_fsync       make a known mistake and watch the lights

\b
A script has one command per line, timed from the moment all nodes are up and a leader is known:
  at 3.0 pause leader 2s
  at 6   cut leader,followers.1 | rest for 3s
"""


SCRIPT_BYTES_MAX = 1024 * 1024


# A headless run whose length is not given, and what the last line of its script is left to do.
RUN_US: Micros = 10 * SECOND
AFTERMATH_US: Micros = 3 * SECOND


class Duration(click.ParamType[Micros]):
    """`10s`, `500ms`, or a plain number of seconds; microseconds inside."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Micros:
        text = str(value)
        duration_us = read_duration(text if not text.replace(".", "", 1).isdigit() else f"{text}s")
        if duration_us is None or duration_us <= 0:
            self.fail(f"{text!r} is not a duration such as 10s or 500ms", param, ctx)
        return duration_us


def _mistakes(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    from cluster.commands.toggles import mistakes

    return [name for name in sorted(mistakes()) if name.startswith(incomplete)]


@click.command("live", epilog=EPILOG)
@click.option("-n", "--nodes", type=click.IntRange(1, NODES_MAX), default=5, show_default=True, help="Processes to start.")
@click.option("--voters", type=click.IntRange(1, NODES_MAX), help="How many of them vote.  [default: min(nodes, 5)]")
@click.option("--profile", default="demo", show_default=True, metavar="demo|lan|wan", help="Pace of the cluster.")
@click.option("--seed", type=click.IntRange(0, SEED_MAX), default=0, help="Seed of every random choice.  [default: drawn]")
@click.option("--rate", type=click.FloatRange(0, 100_000), default=40.0, show_default=True, help="Client operations per second.")
@click.option("--break", "mistakes", multiple=True, metavar="MISTAKE", shell_complete=_mistakes,
              help="Make a known protocol mistake (repeatable); `--break ?` lists them.")  # fmt: skip
@click.option("--record", type=click.Path(dir_okay=False), default="", help="Write a recording for `faultline replay`.")
@click.option("--script", type=click.Path(), default="", help="Commands with times; - reads standard input.")
@click.option("--data", type=click.Path(file_okay=False), default="", help="Keep the node directories here.")
@click.option("--port", "base_port", type=click.IntRange(1024, 65_000), help="First port; nodes use the following ones.")
@click.option("--keep", is_flag=True, help="The lab outlives its last seat; `faultline attach` sits down again.")
@click.option("--headless", is_flag=True, help="No dashboard: run, judge, report.")
@click.option("--for", "for_us", type=Duration(), default=None, help="Length of a headless run.  [default: 10s, or 3s beyond the script]")
@click.option("--json", "as_json", is_flag=True, help="Headless: the report as one JSON document.")
@click.option("--theme", default="", help="Dashboard: one of Textual's themes, or deuteranopia, tritanopia.")
@click.option("--ascii", "ascii_only", is_flag=True, help="Dashboard: only ASCII shapes.")
def command(
    nodes: int,
    voters: int | None,
    profile: str,
    seed: int,
    rate: float,
    mistakes: tuple[str, ...],
    record: str,
    script: str,
    data: str,
    base_port: int | None,
    keep: bool,
    headless: bool,
    for_us: Micros | None,
    as_json: bool,
    theme: str,
    ascii_only: bool,
) -> int:
    """Start a cluster and the dashboard (or, with --headless, a script and a report)."""
    if not headless and (as_json or for_us is not None):
        raise UsageError("--for and --json belong to --headless")
    spec = LabSpec(
        nodes=nodes,
        voters=voters or 0,
        seed=seed,
        profile=profile,
        mistakes=mistakes,
        keep=keep,
        record=record,
        data_dir=data,
        base_port=base_port or 0,
        workload_rate=rate,
    )
    from cluster.supervisor.profiles import check_spec, nodes_of

    check_spec(spec)
    _unwritten(record)
    steps = _script(script, nodes_of(spec))
    if headless:
        from tui.cli.headless import run_headless

        return run_headless(spec, steps, _length(for_us, steps), as_json=as_json)
    from tui.cli.dashboard import run_dashboard

    return run_dashboard(spec, steps, theme=theme, ascii_only=ascii_only, reads_stdin=script == "-")


def _length(for_us: Micros | None, steps: Sequence[tuple[Micros, model.Command]]) -> Micros:
    """Of a headless run: as asked, or long enough for the script. Raises `UsageError` for a line that would never be played."""
    last_us = max((at_us for at_us, _ in steps), default=0)
    if for_us is None:
        return max(RUN_US, last_us + AFTERMATH_US)
    if last_us > for_us:
        raise UsageError(f"the script has a line at {last_us / SECOND:g} s, and the run ends at {for_us / SECOND:g} s: give --for more")
    return for_us


def _unwritten(path: str) -> None:
    """A recording is somebody's work: it is never written over."""
    if path and Path(path).is_file() and Path(path).stat().st_size:
        raise UsageError(f"{path} is there already: remove it, or record under another name")


def _script(path: str, nodes: tuple[NodeId, ...]) -> list[tuple[Micros, model.Command]]:
    if not path:
        return []
    name = "standard input" if path == "-" else path
    try:
        with sys.stdin.buffer if path == "-" else Path(path).open("rb") as file:
            content = file.read(SCRIPT_BYTES_MAX + 1)
    except OSError as error:
        raise UsageError(f"cannot read {name}: {error.strerror}") from error
    if len(content) > SCRIPT_BYTES_MAX:
        raise UsageError(f"{name}: more than {SCRIPT_BYTES_MAX} bytes are no script")
    try:
        return parse_script(content.decode(), name, nodes)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{name}:{line}: byte {content[error.start]:#04x} is not UTF-8 text") from error
