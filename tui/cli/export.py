"""`faultline export FILE --to jsonl|history`: a recording for everyone else's tools."""

from __future__ import annotations

import sys
from contextlib import closing

import click
import msgspec

from cluster.telemetry.events import Event


@click.command("export")
@click.argument("file", type=click.Path(dir_okay=False))
@click.option(
    "--to",
    "kind",
    type=click.Choice(["jsonl", "history"]),
    default="jsonl",
    show_default=True,
    help="All events, or what clients asked and heard (for `faultline check`).",
)
def command(file: str, kind: str) -> int:
    """Write a recording to standard output: one JSON object per event, or per record of what clients asked and heard."""
    from cluster.check.formats import jsonl
    from cluster.supervisor.playback import Recording

    encoder = msgspec.json.Encoder()
    out = sys.stdout.buffer
    with closing(Recording(file)) as recording:
        lines = map(jsonl.record, recording.history()) if kind == "history" else map(_named, recording.events(0, recording.count))
        for line in lines:
            out.write(encoder.encode(line) + b"\n")
    out.flush()
    if recording.note:
        print(f"faultline: {recording.note}", file=sys.stderr)
    return 0


def _named(event: Event) -> dict[str, object]:
    """Fields by name: the wire's arrays are for machines that know the order."""
    return {"event": type(event).__name__} | {name: _plain(getattr(event, name)) for name in event.__struct_fields__}


def _plain(value: object) -> object:
    if isinstance(value, msgspec.Struct):
        return {name: _plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value
