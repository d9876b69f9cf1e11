"""`faultline export FILE --to jsonl`: a recording for everyone else's tools."""

from __future__ import annotations

import sys
from contextlib import closing

import click
import msgspec

from cluster.telemetry.events import Event


@click.command("export")
@click.argument("file", type=click.Path(dir_okay=False))
@click.option("--to", "kind", type=click.Choice(["jsonl"]), default="jsonl", show_default=True, help="Format.")
def command(file: str, kind: str) -> int:
    """Write a recording to standard output, one JSON object per event."""
    from cluster.supervisor.playback import Recording

    encoder = msgspec.json.Encoder()
    out = sys.stdout.buffer
    with closing(Recording(file)) as recording:
        for event in recording.events(0, recording.count):
            out.write(encoder.encode(_named(event)) + b"\n")
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
