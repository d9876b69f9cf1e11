"""`faultline replay FILE`: a recording behind the same dashboard."""

from __future__ import annotations

import sys

import click


@click.command("replay")
@click.argument("file", type=click.Path(dir_okay=False))
@click.option("--theme", default="", help="One of Textual's themes, or deuteranopia, tritanopia.")
@click.option("--ascii", "ascii_only", is_flag=True, help="Only ASCII shapes.")
def command(file: str, theme: str, ascii_only: bool) -> int:
    """Look at a recording again: space runs and pauses, left and right go from line to line, with shift by a second."""
    from cluster.supervisor.playback import Playback
    from tui.cli.dashboard import need_terminal, show
    from tui.state import UiState

    playback = Playback.open(file)
    need_terminal()
    if playback.note:
        print(f"faultline: {playback.note}", file=sys.stderr)
    ui = UiState(mode="REPLAY", observer=True, paused=True, ascii=ascii_only, last=playback.note)
    return show(playback, playback.initial, ui, theme)
