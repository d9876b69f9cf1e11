"""A run in another process, seen and touched from a seat: the same records, a toggle that is flipped in time, and nothing left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from cluster.core.errors import UsageError
from scenarios.catalog import load
from scenarios.commission import Asked, Commission
from scenarios.feed import Clock
from scenarios.folding import fold_all
from scenarios.judging import last_runs, verify
from scenarios.opening import told_of
from scenarios.records import Records
from scenarios.scene import Scene, where_it_fell
from scenarios.seat import LostRun, RunSession
from tests.cluster.supervisor.labs import Watched, children_of

pytestmark = [pytest.mark.processes, pytest.mark.timeout(120)]

ROOT = Path(__file__).resolve().parents[2]
SLUG = "stale-lock-holder"


async def opened(runs: Path, *settings: str, without: tuple[str, ...] = ()) -> RunSession:
    return await RunSession.open(Commission(SLUG, Asked("broken", settings, seed=5, without=without), str(runs)))


async def watch(session: RunSession, until: Callable[[Scene], object] = lambda scene: scene.outcome, scene: Scene | None = None) -> Scene:
    """The scene at the first moment at which `until` holds."""
    scene = scene or Scene()
    async for batch in session.news():
        scene = fold_all(scene, batch)
        if until(scene):
            break
    return scene


def standing_still(scene: Scene) -> bool:
    return scene.players["w1"].state == "paused"


async def test_a_seat_sees_what_the_records_hold_and_the_verdict_is_the_files(tmp_path: Path) -> None:
    session = await opened(tmp_path)
    scene = await watch(session)
    await session.close()
    assert scene.outcome is not None
    assert (scene.outcome.verdict, scene.outcome.violations.count) == ("FAIL", 10)
    assert {row: cells[3].value for row, cells in scene.rows.items()} == dict.fromkeys(scene.rows, 2)
    assert len(scene.rows) == 10
    assert [where_it_fell(scene, fault) for fault in scene.faults] == ["inside the window"]
    assert verify(session.run_dir).verdict == "FAIL"
    # A finished run, opened from its files, is the same scene but for the newest time and what its cast did after the last word.
    again = fold_all(Scene(), told_of(load(SLUG).card, session.run_dir))
    assert (again.rows, again.counters, again.counts, again.faults) == (scene.rows, scene.counters, scene.counts, scene.faults)
    assert again.outcome == scene.outcome


async def test_a_failpoint_armed_by_hand_stops_its_process_on_that_line(tmp_path: Path) -> None:
    """The card's own fault, made by hand without waiting for the window: the same code lands it, and the run is marked as changed."""
    session = await opened(tmp_path, without=("faults",))
    await watch(session, lambda scene: scene.phase == "running")
    session.ask("arm pay.before_charge@w1 pause 2.5s")
    scene = await watch(session, lambda scene: scene.answer)
    assert scene.answer is not None
    assert scene.answer.text == "armed: When w1 next comes to pay.before_charge, it stops itself on that very line (SIGSTOP) for 2.5s."
    scene = await watch(session, scene=scene)
    await session.close()
    assert scene.outcome is not None
    assert scene.outcome.by_hand == ("pause w1",)
    assert scene.outcome.why == ""
    records = Records(Path(scene.outcome.run_dir))
    (landed,) = [line["mono_ns"] for line in records.faults() if line["phase"] == "landed"]
    said = [line["mono_ns"] for line in records.trace("w1", "pay.before_charge") if line["mono_ns"] <= landed]
    # It said so on that line, and nothing after it until it was let go on.
    assert not [line for line in records.trace("w1") if said[-1] < line["mono_ns"] <= landed]


async def test_answers_dropped_by_hand_are_asked_for_again(tmp_path: Path) -> None:
    """Among the card's own: those whose answers it ate ask again when their time is out, three times as late as at scale 1."""
    asked = Asked("broken", (), seed=5, scale=3.0)
    session = await RunSession.open(Commission("retry-double-charge", asked, str(tmp_path)))
    await watch(session, lambda scene: scene.phase == "running")
    session.ask("drop-response checkout > payd 2")
    scene = await watch(session)
    await session.close()
    assert scene.outcome is not None
    assert (scene.outcome.verdict, scene.outcome.by_hand) == ("FAIL", ("drop_response checkout > payd",))
    assert [(fault.do, fault.hits, bool(fault.ended_ns)) for fault in scene.faults if fault.step < 0] == [("drop_response", 2, True)]


async def test_a_toggle_flipped_in_time_cures_and_the_run_says_so(tmp_path: Path) -> None:
    session = await opened(tmp_path)
    scene = await watch(session, standing_still)
    session.ask("set fencing on")
    scene = await watch(session, scene=scene)
    await session.close()
    assert scene.outcome is not None
    assert (scene.outcome.verdict, scene.outcome.by_hand) == ("PASS", ("set fencing=on",))
    assert scene.counters[1].value == 10
    run_dir = Path(scene.outcome.run_dir)
    assert run_dir.name == f"{session.run_dir.name}-changed"
    assert verify(run_dir).verdict == "PASS"
    assert last_runs(tmp_path, SLUG) == {}  # it is no run of the variant any more


async def test_a_pause_by_hand_inside_the_window_does_what_the_cards_fault_does(tmp_path: Path) -> None:
    session = await opened(tmp_path, without=("faults",))
    scene = await watch(session, lambda scene: scene.opens)
    session.ask("pause w1 2500ms")
    scene = await watch(session, scene=scene)
    await session.close()
    assert scene.outcome is not None
    assert [(fault.do, fault.target, where_it_fell(scene, fault)) for fault in scene.faults] == [("pause", "w1", "inside the window")]
    assert (scene.outcome.verdict, scene.outcome.violations.count) == ("FAIL", 10)


async def test_what_cannot_be_done_is_answered_and_ends_nothing(tmp_path: Path) -> None:
    session = await opened(tmp_path)
    scene = await watch(session, lambda scene: scene.went_ns)
    for text in ("pause nobody", "set lock redlock5", "transfer w1", "restart payd"):
        request = session.ask(text)
        scene = await watch(session, lambda scene, request=request: scene.answer and scene.answer.request == request, scene)
        assert scene.answer is not None
        assert not scene.answer.ok, scene.answer
    await session.close()


async def test_what_cannot_be_asked_is_refused_before_it_begins(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="expected one of off, on"):
        await opened(tmp_path, "fencing=maybe")


async def test_leaving_the_seat_ends_the_run(tmp_path: Path) -> None:
    session = await opened(tmp_path)
    await watch(session, standing_still)
    (zygote,) = children_of(session.pid)
    with closing(Watched([session.pid, zygote, *children_of(zygote)])) as family:
        await session.close()
        assert family.still_there() == []
    assert not (session.run_dir / "verdict.json").exists()


async def test_a_runner_that_is_killed_is_told(tmp_path: Path) -> None:
    session = await opened(tmp_path)
    scene = await watch(session, standing_still)
    os.kill(session.pid, signal.SIGKILL)
    with pytest.raises(LostRun, match="the run ended without a verdict"):
        await watch(session, scene=scene)
    await session.close()


def test_a_front_that_is_killed_leaves_nothing(tmp_path: Path) -> None:
    front = subprocess.Popen(
        [sys.executable, "-P", "-m", "tests.scenarios.watching", str(tmp_path)],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert front.stdout is not None
    with front, closing(front.stdout) as said:
        runner = int(said.readline())
        (zygote,) = children_of(runner)
        with closing(Watched([runner, zygote, *children_of(zygote)])) as family:
            front.send_signal(signal.SIGKILL)
            assert family.still_there() == []


async def test_the_clock_goes_on_when_nothing_is_written(tmp_path: Path) -> None:
    session = await opened(tmp_path)
    await watch(session, standing_still)
    clocks: list[int] = []
    async for batch in session.news():
        clocks += [one.mono_ns for one in batch if isinstance(one, Clock)]
        if len(clocks) > 4:
            break
    await session.close()
    assert clocks == sorted(clocks)
    assert len({*clocks}) > 1


async def test_many_runs_can_be_opened_at_once(tmp_path: Path) -> None:
    async with asyncio.TaskGroup() as tasks:
        both = [tasks.create_task(opened(tmp_path, f"fencing={value}")) for value in ("off", "on")]
    scenes = [await watch(task.result()) for task in both]
    for task in both:
        await task.result().close()
    assert [scene.outcome.verdict for scene in scenes if scene.outcome] == ["FAIL", "PASS"]
