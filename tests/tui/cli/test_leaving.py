"""What `run --watch` says when it is left: of the runs of this session and of no others, and its exit code."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from scenarios.scene import Scene
from tests.scenarios.run_dirs import stale_lock_run, write_lines
from tests.tui.golden.acts import bill_at
from tui.app import FaultlineApp
from tui.cli import run
from tui.cli.exits import ENVIRONMENT, GOOD, UNKNOWN, VIOLATION
from tui.cli.leaving import leaving
from tui.playbill import SIDES
from tui.theatre import ENDED

SLUG = "stale-lock-holder"
OVER = bill_at().scenes
CUT_SHORT = replace(bill_at(1.6).scenes["broken"], lost=ENDED)
ENDED_LINE = f"{SLUG} · broken · ended before it was over: no verdict"


def changed(side: str, **fields: object) -> Scene:
    outcome = OVER[side].outcome
    assert outcome is not None
    return replace(OVER[side], outcome=replace(outcome, **fields))


def left(**scenes: Scene) -> tuple[list[str], int]:
    return leaving(SLUG, {(SLUG, side): scene for side, scene in scenes.items()})


def in_files(root: Path, *, other_faults: bool = False) -> dict[str, Scene]:
    """The kept pair, with directories whose fault logs can be compared."""
    for side in SIDES:
        stale_lock_run(root / side, [])
    if other_faults:
        landed = {"mono_ns": 1, "step": 0, "phase": "landed", "do": "kill", "target": "w2"}
        write_lines(root / "canonical" / "faults.jsonl", [landed])
    return {side: changed(side, run_dir=str(root / side)) for side in SIDES}


def test_nothing_was_run_and_nothing_is_said() -> None:
    assert left() == ([], GOOD)
    assert leaving("another", {(SLUG, "broken"): OVER["broken"]}) == ([], GOOD)


def test_one_side_is_a_run() -> None:
    lines, code = left(broken=OVER["broken"])
    assert (len(lines), code) == (1, VIOLATION)
    assert lines[0].startswith(f"{SLUG} · broken · FAIL")
    assert left(canonical=OVER["canonical"])[1] == GOOD


@pytest.mark.parametrize("scene", [CUT_SHORT, replace(CUT_SHORT, lost=""), Scene()])
def test_a_run_that_was_ended_is_one_line_and_no_success(scene: Scene) -> None:
    assert left(broken=scene) == ([ENDED_LINE], UNKNOWN)
    lines, code = left(broken=scene, canonical=OVER["canonical"])
    assert (lines[0], len(lines), code) == (ENDED_LINE, 2, UNKNOWN)


def test_a_runner_that_was_lost_is_trouble_of_the_environment() -> None:
    lines, code = left(broken=replace(CUT_SHORT, lost="the runner is gone"))
    assert (lines, code) == ([f"{SLUG} · broken · no verdict: the runner is gone"], ENVIRONMENT)


def test_both_sides_are_a_pair(tmp_path: Path) -> None:
    lines, code = left(**in_files(tmp_path))
    assert code == GOOD
    assert lines[-1].splitlines()[-1] == "✓ broken FAIL, canonical PASS, under the same faults"
    passed = {**in_files(tmp_path), "broken": changed("broken", verdict="PASS", run_dir=str(tmp_path / "broken"))}
    lines, code = left(**passed)
    assert code == VIOLATION
    assert lines[-1].splitlines()[-1].startswith("✗ broken PASS")


def test_a_pair_under_different_faults_is_none(tmp_path: Path) -> None:
    lines, code = left(**in_files(tmp_path, other_faults=True))
    assert code == UNKNOWN
    assert "had different faults" in lines[-1]


def own(side: str) -> dict[str, str]:
    outcome = OVER[side].outcome
    assert outcome is not None
    return outcome.toggles


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"seed": 1}, "seeds "),
        ({"scale": 3.0}, "time ×1 and ×3"),
        ({"toggles": {**own("canonical"), "ttl_ms": "500"}}, "canonical had ttl_ms=500"),
        ({"by_hand": ("pause w1",)}, "canonical was changed by hand"),
    ],
)
def test_runs_that_are_no_pair_prove_nothing(other: dict[str, object], reason: str) -> None:
    lines, code = left(broken=OVER["broken"], canonical=changed("canonical", **other))
    assert code == UNKNOWN
    assert lines[-1].startswith(f"✗ the two runs cannot be compared: {reason}")


def test_verdicts_that_lay_there_before_are_nobodys_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The dashboard is left in the middle of its run, an older one of the other side beside it."""

    async def quit_early(app: FaultlineApp, session: object) -> list[object]:
        app.theatre.bill = replace(app.theatre.bill, scenes={"broken": CUT_SHORT, "canonical": OVER["canonical"]})
        app.theatre.performed[SLUG, "broken"] = CUT_SHORT
        return []

    monkeypatch.setattr("tui.cli.dashboard.need_terminal", lambda: None)
    monkeypatch.setattr("tui.cli.dashboard.run_app", quit_early)
    assert run(["run", SLUG, "--watch", "--runs", str(tmp_path)]) == UNKNOWN
    assert capsys.readouterr().out.splitlines() == [ENDED_LINE]
