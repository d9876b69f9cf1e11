"""The incident for real: six units too many, then none; on our brokers and on real ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster.backends import servers
from tests.scenarios.faultline_runs import faultline
from tests.scenarios.real_runs import RealRuns

pytestmark = [pytest.mark.processes, pytest.mark.timeout(180)]

SLUG = "outbox-double-publish"


@pytest.mark.slow
def test_pair_shows_six_units_too_many_and_then_none(real_runs: RealRuns) -> None:
    pair = real_runs.pair(SLUG)
    broken, canonical = pair["broken"], pair["canonical"]
    assert (broken["verdict"], broken["violations"]["by_rule"]) == ("FAIL", {"counted_twice": 6})
    assert (canonical["verdict"], canonical["violations"]["count"], canonical["metrics"]["dropped"]) == ("PASS", 0, 6)


@pytest.mark.slow
def test_mosquitto_shows_the_same(tmp_path: Path) -> None:
    with servers.mosquitto(tmp_path) as url:
        code, pair = faultline("pair", SLUG, "--backend", f"mqtt={url}", "--runs", tmp_path / "runs")
        assert (code, pair["broken"]["violations"]["by_rule"]) == (0, {"counted_twice": 6}), pair
        code, outcome = faultline("run", SLUG, "--set", "qos=2", "--backend", f"mqtt={url}", "--runs", tmp_path / "runs")
        rules = outcome["violations"]["by_rule"]
        assert (code, rules["counted_twice"]) == (1, 5)
        assert rules["never_counted"] >= 1  # what the dead client library held


@pytest.mark.slow
def test_redis_shows_the_same(tmp_path: Path) -> None:
    with servers.redis_server(tmp_path) as url:
        asked = ("run", SLUG, "--set", "bus=redis", "--backend", f"redis={url}", "--runs", tmp_path / "runs")
        code, outcome = faultline(*asked)
        assert (code, outcome["violations"]["by_rule"]) == (1, {"counted_twice": 6}), outcome
        code, outcome = faultline(*asked, "--variant", "canonical")
        assert (code, outcome["verdict"]) == (0, "PASS"), outcome


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_what_follows_from_the_mechanism_does_follow(real_runs: RealRuns) -> None:
    found = {name: case["outcome"]["violations"]["by_rule"] for name, case in real_runs.cases(SLUG).items()}
    assert found["QoS 2"]["counted_twice"] == 5
    assert found["a memory that dies with the process"] == {"counted_twice": 1}
    assert found["deduplication by payload"] == {"never_counted": 2}
    assert found["marked first"] == {"never_counted": 5}
    assert found["Redis Streams"] == {"counted_twice": 6}
