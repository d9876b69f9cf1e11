"""Row 1: what this is, and whose clock it shows."""

from __future__ import annotations

from msgspec.structs import replace

from cluster.telemetry.view import ClusterView
from tests.tui import sample_raft_gossip as sample
from tests.tui.select.reading import lines
from tui.select import title
from tui.state import UiState


def told(view: ClusterView, **ui: object) -> str:
    return lines(title.rows(view, UiState(**ui), 140, 1))[0]  # type: ignore[arg-type]


def test_a_recording_says_whether_it_runs_whatever_the_lab_did() -> None:
    view = sample.healthy()
    assert "REPLAY t+02:41.0 paused │" in told(view, mode="REPLAY", paused=True)
    assert "REPLAY t+02:41.0 0.5× │" in told(view, mode="REPLAY", speed=0.5)
    ended = replace(view, closed="the last operator left")
    assert "REPLAY t+02:41.0 paused, the lab has ended │" in told(ended, mode="REPLAY", paused=True)
    assert "the world is frozen" in told(replace(view, frozen=True), mode="REPLAY")


def test_a_living_lab_says_that_it_lives_is_frozen_or_has_ended() -> None:
    view = sample.healthy()
    assert "LIVE t+" in told(view)
    assert "FROZEN t+" in told(replace(view, frozen=True))
    assert "ENDED t+" in told(replace(view, closed="the last operator left"))
