"""The incident for real: twelve travellers without a room or their money, then none."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster.backends import servers
from tests.cluster.backends.etcd.real import etcd_running, needs_etcd
from tests.scenarios.faultline_runs import faultline
from tests.scenarios.real_runs import RealRuns

pytestmark = [pytest.mark.processes, pytest.mark.timeout(180)]

SLUG = "saga-no-compensation"


@pytest.mark.slow
def test_pair_shows_twelve_open_lanes_and_then_none(real_runs: RealRuns) -> None:
    pair = real_runs.pair(SLUG)
    broken, canonical = pair["broken"], pair["canonical"]
    assert (broken["verdict"], broken["violations"]["by_rule"]) == ("FAIL", {"charged_without_room": 12})
    assert (canonical["verdict"], canonical["violations"]["count"], canonical["metrics"]["refunds"]) == ("PASS", 0, 12)
    assert canonical["metrics"]["tries"] > 12  # it was asked more than once


@pytest.mark.slow
def test_mosquitto_shows_the_same(tmp_path: Path) -> None:
    with servers.mosquitto(tmp_path) as url:
        code, pair = faultline("pair", SLUG, "--backend", f"mqtt={url}", "--runs", tmp_path / "runs")
        assert (code, pair["broken"]["violations"]["by_rule"]) == (0, {"charged_without_room": 12}), pair


@pytest.mark.slow
@needs_etcd
def test_a_log_in_etcd_does_as_well(tmp_path: Path) -> None:
    with etcd_running(tmp_path) as url:
        code, outcome = faultline("run", SLUG, "--variant", "canonical", "--backend", f"kv={url}", "--runs", tmp_path / "runs")
        assert (code, outcome["verdict"], outcome["metrics"]["refunds"]) == (0, "PASS", 12), outcome


@pytest.mark.slow
def test_redis_shows_the_same(tmp_path: Path) -> None:
    with servers.redis_server(tmp_path) as url:
        asked = ("run", SLUG, "--set", "bus=redis", "--backend", f"redis={url}", "--runs", tmp_path / "runs")
        code, outcome = faultline(*asked)
        assert (code, outcome["violations"]["by_rule"]) == (1, {"charged_without_room": 12}), outcome
        code, outcome = faultline(*asked, "--variant", "canonical")
        assert (code, outcome["verdict"]) == (0, "PASS"), outcome


@pytest.mark.slow
@pytest.mark.timeout(500)
def test_what_follows_from_the_mechanism_does_follow(real_runs: RealRuns) -> None:
    found = {name: case["outcome"]["violations"]["by_rule"] for name, case in real_runs.cases(SLUG).items()}
    assert found["a compensator that is away"] == {"charged_without_room": 12}
    assert found["acknowledged before it is handled"]["refunded_with_ticket"] == 1  # the one in hand, beside those in its library's
    assert found["acknowledged after, not idempotent"] == {"refunded_twice": 1}
    assert found["an orchestrator that asks once"] == {"charged_without_room": 12}
