"""`faultline replay FILE`: a recording behind the same dashboard; a repro, played once more; or the directory of an incident's run."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from cluster.core.errors import UsageError

if TYPE_CHECKING:
    from cluster.supervisor.playback import Playback
    from cluster.telemetry.control import HistoryLine
    from cluster.telemetry.events import Event


@click.command("replay")
@click.argument("file", type=click.Path())
@click.option("--theme", default="", help="One of Textual's themes, or deuteranopia, tritanopia.")
@click.option("--ascii", "ascii_only", is_flag=True, help="Only ASCII shapes.")
def command(file: str, theme: str, ascii_only: bool) -> int:
    """Look at a recording again, or at a failure that `sim` found: space runs and pauses, left and right go from line to line, with

    shift by a second. The directory of a run of an incident is opened as it ended."""
    if Path(file).is_dir():
        from tui.cli.watch import look_at

        return look_at(Path(file).absolute(), theme=theme, ascii_only=ascii_only)
    from tui.cli.dashboard import need_terminal, show
    from tui.state import UiState

    playback = opened(file)
    need_terminal()
    if playback.note:
        print(f"faultline: {playback.note}", file=sys.stderr)
    ui = UiState(mode="REPLAY", observer=True, paused=True, ascii=ascii_only, last=playback.note)
    return show(playback, playback.initial, ui, theme)


def opened(file: str) -> Playback:
    """A recording as it is; a repro (JSON) as the recording of its run. Raises `UsageError` for a file that is neither."""
    from cluster.supervisor.playback import Playback

    try:
        with Path(file).open("rb") as start:
            is_repro = start.read(1) == b"{"
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}") from error
    return _played_again(file) if is_repro else Playback.open(file)


def _played_again(file: str) -> Playback:
    """The run of a repro, told into a recording that is gone when it is closed."""
    from cluster.sim.repro import read, replay
    from cluster.supervisor.journal import Journal
    from cluster.supervisor.playback import Playback
    from cluster.telemetry.control import HistoryLine

    repro, notes = read(Path(file).read_bytes(), file), list[str]()
    with TemporaryDirectory(prefix="faultline-") as folder:
        path = str(Path(folder) / "run")
        journal = Journal(path, notes.append)

        def hear(event: Event | HistoryLine) -> None:
            if isinstance(event, HistoryLine):
                journal.history(event)
            else:
                journal.write(event)

        _, same = replay(repro, hear)
        journal.close()
        playback = Playback.open(path)  # which holds the file, though its name is gone
    if not same:
        notes.append(f"{file}: not the run that was recorded (another version of faultline?)")
    playback.note = "; ".join(notes) or playback.note
    return playback
