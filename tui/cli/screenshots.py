"""`faultline screenshots`: remakes the pictures from recorded runs of a real cluster."""

from __future__ import annotations

import asyncio
import contextlib
import io
import sys
import tempfile
from pathlib import Path

import click

from cluster.commands.script import parse_script
from cluster.core.errors import EnvironmentFailed
from cluster.core.types import SECOND
from cluster.telemetry.control import LabSpec
from cluster.telemetry.view import EMPTY, ClusterView
from tui.cli.exits import GOOD
from tui.pictures.catalog import ACT_SHOTS, FILM, RUNS, SHOTS, ActShot, Run, Shot
from tui.playbill import SIDES, Playbill
from tui.state import UiState

# Who stands for election first is chance: a stale leader beside a new one is there in most runs, not in all.
TAKES = 4
NAMES = (*(shot.name for shot in (*SHOTS, *ACT_SHOTS)), FILM.name)


@click.command("screenshots")
@click.option("--out", type=click.Path(file_okay=False), default="screenshots", show_default=True, help="Folder of the pictures.")
@click.option("--only", "chosen", multiple=True, type=click.Choice(NAMES), help="Only this picture (repeatable).")
@click.option("--recordings", type=click.Path(file_okay=False), default="", help="Keep the recordings here, and use those that are there.")
def command(out: str, chosen: tuple[str, ...], recordings: str) -> int:
    """Record runs of a real cluster and photograph the dashboard before them (needs the development packages)."""
    from tui.pictures.drawing import needed

    for package in ("cairosvg", "PIL", "pyte"):
        needed(package)
    shots = [shot for shot in SHOTS if not chosen or shot.name in chosen]
    Path(out).mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        folder = Path(recordings or stack.enter_context(tempfile.TemporaryDirectory(prefix="faultline-")))
        folder.mkdir(parents=True, exist_ok=True)
        for run in RUNS:
            taken = [shot for shot in shots if shot.run == run.name]
            if taken:
                _photograph(run, taken, folder / f"{run.name}.flt", Path(out))
        for act in ACT_SHOTS:
            if not chosen or act.name in chosen:
                _photograph_act(act, folder / "runs", Path(out))
    if not chosen or FILM.name in chosen:
        _film(Path(out))
    return GOOD


def _say(text: str) -> None:
    print(f"faultline: {text}", file=sys.stderr)


def _photograph(run: Run, shots: list[Shot], path: Path, out: Path) -> None:
    from tui.pictures.drawing import write
    from tui.pictures.stage import pictured

    views = _taken(run, shots, path)
    for shot in shots:
        write(asyncio.run(pictured(views[shot.name], shot.size, shot.keys)).svg, shot.size[0], out / shot.name)
        _say(f"{out / shot.name}.svg and .png")


def _photograph_act(shot: ActShot, runs: Path, out: Path) -> None:
    from tui.pictures.drawing import write
    from tui.pictures.stage import pictured

    bill = asyncio.run(_pair(shot, runs))
    ui = UiState(screen=shot.screen, slug=shot.slug)
    write(asyncio.run(pictured(EMPTY, shot.size, shot.keys, ui, bill=bill)).svg, shot.size[0], out / shot.name)
    _say(f"{out / shot.name}.svg and .png")


async def _pair(shot: ActShot, runs: Path) -> Playbill:
    """Both sides: those that are there, or a pair that is run now. A picture of anything but FAIL and PASS would show nothing."""
    from tui.theatre import Settings, Theatre

    theatre = Theatre(runs, lambda: None, lambda text, bad: _say(text), Settings(seed=shot.seed))
    await theatre.load()
    await theatre.look(shot.slug)
    if theatre.bill.scenes.keys() != set(SIDES):
        _say(f"running {shot.slug}, broken and canonical")
        await theatre.perform(SIDES)
    verdicts = [scene.outcome.verdict if scene.outcome is not None else "" for scene in map(theatre.bill.scenes.__getitem__, SIDES)]
    if verdicts != ["FAIL", "PASS"]:
        raise EnvironmentFailed(f"the runs of {shot.slug} came to {' and '.join(verdicts)} ({runs}): run them again")
    return theatre.bill


def _taken(run: Run, shots: list[Shot], path: Path) -> dict[str, ClusterView]:
    """Shot -> view: from the recording that is there, or from a new one, taken again when luck would have it so."""
    left = 1 if path.exists() else TAKES
    while True:
        if not path.exists():
            _record(run, path)
        views, left = _views(path, shots), left - 1
        missing = ", ".join(shot.name for shot in shots if shot.name not in views)
        if not missing:
            return views
        if not left:
            raise EnvironmentFailed(f"the run {run.name} never came to what {missing} shows ({path}): record it again")
        _say(f"elections went another way, and there is nothing for {missing}: once more")
        path.unlink()


def _record(run: Run, path: Path) -> None:
    from tui.cli.headless import run_headless

    _say(f"recording {run.name}: {run.nodes} nodes for {run.seconds} s")
    unfinished = path.with_suffix(".unfinished")  # what did not come to its end must not be taken for a recording later
    spec = LabSpec(nodes=run.nodes, voters=run.voters, record=str(unfinished))
    report = io.StringIO()
    with contextlib.redirect_stdout(report):
        code = run_headless(spec, parse_script(run.script, run.name), run.seconds * SECOND, as_json=False)
    if code != GOOD:
        raise EnvironmentFailed(f"the run {run.name} ended with code {code}:\n{report.getvalue()}")
    unfinished.rename(path)


def _views(path: Path, shots: list[Shot]) -> dict[str, ClusterView]:
    """Shot -> the view at its moment; those whose moment never came are left out."""
    from cluster.supervisor.playback import Recording
    from tui.pictures.moments import view_when

    with contextlib.closing(Recording(str(path))) as recording:
        views = {shot.name: view_when(recording.events(0, recording.count), shot.wanted, shot.later_us) for shot in shots}
    return {name: view for name, view in views.items() if view is not None}


def _film(out: Path) -> None:
    from tui.pictures.reel import record, write_gif

    path = out / f"{FILM.name}.gif"
    _say(f"filming {FILM.name}: {FILM.seconds:.0f} s")
    write_gif(record(FILM.arguments, FILM.size, FILM.acts, FILM.seconds), path)
    _say(str(path))
