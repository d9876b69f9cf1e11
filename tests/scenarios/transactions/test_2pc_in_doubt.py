"""What each variant and each half of the cure does is told apart by the rules that it breaks, not by FAIL alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.faultline_runs import faultline

pytestmark = [pytest.mark.processes, pytest.mark.slow, pytest.mark.timeout(180)]

IN_DOUBT = 5


def ran(tmp_path: Path, variant: str, *settings: str) -> dict[str, Any]:
    sets = [part for setting in settings for part in ("--set", setting)]
    _, outcome = faultline("run", "2pc-in-doubt", "--variant", variant, *sets, "--runs", tmp_path)
    assert isinstance(outcome, dict)
    assert all(outcome["coverage"].values()), outcome
    return outcome


def test_until_the_coordinator_is_back_nobody_pays_and_few_move(tmp_path: Path) -> None:
    broken, canonical = ran(tmp_path, "broken"), ran(tmp_path, "canonical")
    assert broken["violations"]["by_rule"].keys() == {"in_doubt"}
    assert broken["metrics"]["longest_in_doubt_ms"] > 8_000
    assert broken["metrics"]["turned_away"] > 100 > 0 == canonical["metrics"]["turned_away"]
    assert broken["metrics"]["gave_up_waiting"] > canonical["metrics"]["gave_up_waiting"]
    assert canonical["metrics"]["committed"] > 2 * broken["metrics"]["committed"]


def test_a_wrong_guess_tears_and_keeps_nobody_waiting(tmp_path: Path) -> None:
    guessed = ran(tmp_path, "broken", "heuristic=abort", "kill_point=first_bank_told")
    assert guessed["violations"]["by_rule"] == {"torn": IN_DOUBT, "sum": 1}


def test_a_stand_in_without_the_log_tears_and_keeps_nobody_waiting(tmp_path: Path) -> None:
    tore = ran(tmp_path, "broken", "coordinator=raft", "kill_point=first_bank_told")
    assert tore["violations"]["by_rule"] == {"torn": IN_DOUBT, "sum": 1}
