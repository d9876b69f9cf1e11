"""A headless run that keeps its lab: judged like any other, and the lab is there for the next seat."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.fronts import faultline

pytestmark = [pytest.mark.processes]


def test_a_kept_lab_goes_on_after_a_headless_run_and_is_ended_by_name(runtime: Path) -> None:
    done = faultline(runtime, "live", "--headless", "-n", "3", "--for", "1s", "--json", "--keep")
    assert done.returncode == 0, done.stderr
    lab = json.loads(done.stdout)["kept"]
    assert f"the lab goes on: faultline attach {lab}" in done.stderr
    ended = faultline(runtime, "attach", "--end", lab)
    assert (ended.returncode, ended.stderr) == (0, f"faultline: the lab {lab} has ended\n")
    assert faultline(runtime, "attach", "--end", lab).returncode == 2
