"""The scenes: a second of the recording, the keys pressed there, and the sizes it is looked at in."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

from cluster.core.types import SECOND
from cluster.supervisor.playback import Playback, Recording
from cluster.telemetry.view import EMPTY, ClusterView
from tests.tui.golden.acts import bill_at
from tui.pictures.moments import view_when
from tui.pictures.stage import Picture, pictured
from tui.playbill import SIDES
from tui.state import UiState

FOLDER = Path(__file__).parent
RECORDING = str(FOLDER / "drill.flt")
SIZES = ((80, 24), (120, 36), (200, 50))


class Scene(NamedTuple):
    """`at_s`: since the lab opened; `replay`: in the recording's own dashboard, paused there.

    `screen`: "incidents" or "run": of the pair that is kept, `at_s` after its workload began, 0: when it is over.
    """

    name: str
    at_s: float
    keys: tuple[str, ...] = ()
    sizes: tuple[tuple[int, int], ...] = SIZES
    replay: bool = False
    ascii: bool = False
    screen: str = ""
    sides: tuple[str, ...] = SIDES


SCENES = (
    Scene("live-calm", 2.6),
    Scene("live-cut", 3.0),
    Scene("live-mended", 7.2),
    Scene("raft-cut", 4.0, ("2",)),
    Scene("raft-why", 4.0, ("2", "tab", "tab", "tab"), ((80, 24),)),
    Scene("raft-progress", 8.5, ("2", "tab", "tab"), ((80, 24),)),
    Scene("gossip-cut", 4.0, ("3",)),
    Scene("gossip-lag", 4.0, ("3", "tab", "tab"), ((80, 24),)),
    Scene("gossip-bands", 4.0, ("3", "tab", "tab", "tab"), ((80, 24),)),
    Scene("faults", 4.0, ("6",)),
    Scene("journal", 8.5, ("6", "tab"), ((80, 24),)),
    Scene("inspector", 4.0, ("down", "down", "enter"), ((120, 36),)),
    Scene("cut-proposed", 2.6, ("space", "p"), ((80, 24), (120, 36))),
    Scene("replay", 4.0, ("right",), replay=True),
    Scene("ascii", 4.0, (), ((80, 24),), ascii=True),
    Scene("incidents", 0, screen="incidents"),
    Scene("incidents-card", 0, ("tab",), ((80, 24),), screen="incidents"),
    Scene("run-pause", 1.6, screen="run"),
    Scene("run-over", 0, screen="run"),
    Scene("run-broken", 0, ("down",), ((80, 24), (120, 36)), screen="run", sides=("broken",)),
    Scene("run-canonical", 2.9, ("right",), ((80, 24),), screen="run"),
    Scene("run-course", 1.6, ("tab", "z"), ((80, 24),), screen="run"),
    Scene("run-findings", 0, ("tab", "tab", "tab", "down"), ((80, 24), (120, 36)), screen="run"),
    Scene("run-line", 1.6, ("colon", "p", "a", "u", "s", "e", "space"), ((120, 36),), screen="run"),
    Scene("run-help", 0, ("question_mark",), ((120, 36),), screen="run"),
    Scene("run-ascii", 1.6, (), ((80, 24), (120, 36)), ascii=True, screen="run"),
    Scene("too-small", 4.0, (), ((40, 10),)),
)
# One picture with its colours: the styles of every state, side and term occur in it.
COLOURED = (Scene("raft-cut", 4.0, ("2",)), (120, 36))


@cache
def view_at(at_s: float) -> ClusterView:
    recording = Recording(RECORDING)
    opened_us = recording.began_us
    view = view_when(recording.events(0, recording.count), lambda view: view.now_us - opened_us >= at_s * SECOND)
    recording.close()
    assert view is not None, "the recording is longer"
    return view


async def shown(scene: Scene, size: tuple[int, int]) -> Picture:
    """What the dashboard shows of a scene."""
    if scene.screen:
        ui = UiState(screen=scene.screen, slug="stale-lock-holder", ascii=scene.ascii)
        return await pictured(EMPTY, size, scene.keys, ui, bill=bill_at(scene.at_s, scene.sides))
    if not scene.replay:
        return await pictured(view_at(scene.at_s), size, scene.keys, UiState(ascii=scene.ascii))
    playback = Playback.open(RECORDING)
    view = playback.seek(round(scene.at_s * SECOND))
    ui = UiState(mode="REPLAY", observer=True, paused=True)
    return await pictured(view, size, scene.keys, ui, session=playback)


def golden(scene: Scene, size: tuple[int, int]) -> Path:
    return FOLDER / f"{scene.name}-{size[0]}x{size[1]}.txt"
