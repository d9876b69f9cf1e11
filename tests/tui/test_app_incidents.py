"""The app before a finished run of an incident: its panes, its raw records, and back to the list."""

from __future__ import annotations

from pathlib import Path

from scenarios.catalog import load
from scenarios.judging import judge, seal
from tests.scenarios.run_dirs import charged, stale_lock_run
from tests.tui.fake_session import FakeSession
from tests.tui.sample_raft_gossip import healthy
from tests.tui.test_app import painted, text_of
from tui.app import FaultlineApp, Staging
from tui.screens.over import RecordsScreen
from tui.state import UiState


async def test_enter_on_a_violation_opens_its_raw_records(tmp_path: Path) -> None:
    run_dir = stale_lock_run(tmp_path / "20260101-000000.000-stale-lock-holder-broken", [charged("order-1", who) for who in ("w2", "w1")])
    seal(run_dir, judge(load("stale-lock-holder"), run_dir, 1.0))
    ui = UiState(screen="run", slug="stale-lock-holder", lab=False)
    app = FaultlineApp(FakeSession(), healthy(), ui, staging=Staging(tmp_path, begin=lambda app: app.director.visit(run_dir)))
    async with app.run_test(size=(120, 36)) as pilot:
        await app.workers.wait_for_complete([worker for worker in app.workers if worker.name == "visit"])
        await painted(pilot)
        assert "order-1: charged by w2, and again by w1" in text_of(app, "findings")
        await pilot.press("enter")
        await painted(pilot)
        assert isinstance(app.screen, RecordsScreen)
        text = text_of(app, "sheaf")
        assert "ledger/payd.jsonl:1" in text
        assert '"caller":"w2"' in text
        await pilot.press("escape", "5")
        await painted(pilot)
        assert app.store.ui.screen == "incidents"
        assert "stale-lock-holder" in text_of(app, "incidents")
