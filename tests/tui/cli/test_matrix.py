"""`faultline matrix`: each row says which rules a run violated, or why it is no answer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scenarios.catalog import Incident
from scenarios.judging import judge
from scenarios.outcome import Outcome
from scenarios.runner import Asked
from tests.scenarios.run_dirs import ORDERS, charged, stale_lock_run
from tui.cli import run
from tui.cli.exits import ENVIRONMENT

TWICE = [charged(order, caller) for caller in ("w2", "w1") for order in ORDERS]
# order-1 twice, order-2 never, and two that nobody ordered
WORSE = [charged("order-1", caller) for caller in ("w2", "w1")] + [charged(f"order-{i}", "w2") for i in (8, 9)]


@pytest.fixture(autouse=True)
def judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Records made by hand for each setting, and judged as real ones are."""

    def instead(incident: Incident, asked: Asked, _runs: Path) -> Outcome:
        records = tmp_path / ("-".join((asked.variant, *asked.settings)))
        if asked.settings == ("lock=raft",):
            return judge(incident, stale_lock_run(records, TWICE), 1.0, "kv1 was ended by SIGKILL, and no fault asked for it")
        if asked.settings == ("watchdog=on",):
            return judge(incident, stale_lock_run(records, TWICE, late=False), 1.0)
        return judge(incident, stale_lock_run(records, WORSE if asked.settings else TWICE), 1.0)

    monkeypatch.setattr("scenarios.runner.run", instead)


def test_a_row_names_the_rules_the_most_violated_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["matrix", "stale-lock-holder", "--seed", "7", "--runs", str(tmp_path)]) == ENVIRONMENT
    lines = {" ".join(line.split()[:1]): line for line in capsys.readouterr().out.splitlines()}
    assert lines["broken"].endswith("FAIL     V = 2     2 × duplicate_charge")
    assert lines["fencing=on"].endswith("2 × strange_charge, 1 × duplicate_charge, 1 × missed_charge")
    assert lines["lock=raft"].endswith("kv1 was ended by SIGKILL, and no fault asked for it")
    assert "VACUOUS" in lines["watchdog=on"]
    assert "not met: " in lines["watchdog=on"]


def test_the_document_names_them_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["matrix", "stale-lock-holder", "--seed", "7", "--runs", str(tmp_path), "--json"])
    rules = {row["changed"]: row["rules"] for row in json.loads(capsys.readouterr().out)["rows"]}
    assert rules["broken"] == {"duplicate_charge": 2}
    assert list(rules["fencing=on"]) == ["strange_charge", "duplicate_charge", "missed_charge"]
