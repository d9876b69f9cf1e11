"""`faultline run`: what it asks of the runner, and what it says beforehand."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.catalog import Incident, load
from scenarios.judging import judge
from scenarios.outcome import Outcome
from scenarios.runner import Asked
from tests.scenarios.run_dirs import ORDERS, charged, stale_lock_run
from tui.cli import run
from tui.cli.doctor import incident_scale
from tui.cli.exits import USAGE

TWICE = [charged(order, caller) for caller in ("w2", "w1") for order in ORDERS]


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Asked]:
    """What runs were asked for; none is made."""
    heard: list[Asked] = []
    outcome = judge(load("stale-lock-holder"), stale_lock_run(tmp_path / "run", TWICE), 1.0)

    def instead(_incident: Incident, asked: Asked, _runs: Path) -> Outcome:
        heard.append(asked)
        return outcome

    monkeypatch.setattr("scenarios.runner.run", instead)
    return heard


@pytest.mark.parametrize(("slug", "scale"), [("election-storm", 0.5), ("2pc-in-doubt", 60.0), ("stale-lock-holder", 1.0)])
def test_exact_is_the_report_s_own_times(slug: str, scale: float, asked: list[Asked], tmp_path: Path) -> None:
    run(["run", slug, "--exact", "--runs", str(tmp_path)])
    run(["run", slug, "--runs", str(tmp_path)])
    assert [each.scale for each in asked] == [scale, 1.0]


def test_exact_and_a_scale_do_not_go_together(asked: list[Asked], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["run", "election-storm", "--exact", "--scale", "2", "--runs", str(tmp_path)]) == USAGE
    assert "--exact is a scale of its own" in capsys.readouterr().err
    assert asked == []


def test_a_backend_that_is_not_used_is_told(asked: list[Asked], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    elsewhere = ["--backend", "redis=redis://127.0.0.1:1/0", "--runs", str(tmp_path)]
    run(["run", "stale-lock-holder", "--variant", "canonical", *elsewhere])
    assert "--backend redis is not used with these toggles" in capsys.readouterr().err
    run(["run", "stale-lock-holder", *elsewhere])
    assert "is not used" not in capsys.readouterr().err
    assert len(asked) == 2


@pytest.mark.parametrize(("late_ms", "scale"), [(0.1, 1), (20.0, 1), (20.1, 2), (70.0, 4), (5_000.0, 16)])
def test_a_machine_that_wakes_late_wants_longer_incidents(late_ms: float, scale: int) -> None:
    assert incident_scale(late_ms) == scale
