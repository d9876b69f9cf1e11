"""`faultline compile`: machine code of the hot path, for long sweeps of the simulator."""

from __future__ import annotations

import sys

import click
import msgspec

from cluster import native
from tui.cli.exits import GOOD

EPILOG = """\b
Examples:
  faultline compile                  once, about a minute; simulations take about half the time from then on
  faultline compile --remove         back to the sources
  FAULTLINE_NATIVE=0 faultline sim   the sources, this time
"""


@click.command("compile", epilog=EPILOG)
@click.option("--remove", "take_away", is_flag=True, help="Take compiled modules away.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def command(take_away: bool, as_json: bool) -> int:
    """Compile the protocol machines, the simulator and the checker.

    Nothing needs it: compiled or not, they do the same, which is tried before it counts. It wants a C compiler and Python's
    headers. After a change of the sources they are used again, until they are compiled anew.
    """
    from tui.compiler import compile_modules, remove

    if take_away:
        print("compiled modules are gone" if remove(native.place()) else "there were none", file=sys.stderr)
        return GOOD
    done = compile_modules(lambda line: print(f"faultline: {line}", file=sys.stderr, flush=True))
    if as_json:
        sys.stdout.buffer.write(msgspec.json.encode(done) + b"\n")
    else:
        print(f"{done.modules} modules compiled: {done.seeds} seeds are played alike, {done.speedup:g} times as fast")
    return GOOD
