"""The incident for real: twelve travellers without a room or their money, then none; and without its deaths it proves nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.judging import verify
from tests.cluster.backends import servers
from tests.scenarios.faultline_runs import faultline

pytestmark = [pytest.mark.processes, pytest.mark.timeout(180)]

SLUG = "saga-no-compensation"


@pytest.mark.slow
def test_pair_shows_twelve_open_lanes_and_then_none(tmp_path: Path) -> None:
    code, pair = faultline("pair", SLUG, "--seed", "5", "--runs", tmp_path)
    assert code == 0, pair
    broken, canonical = pair["broken"], pair["canonical"]
    assert (broken["verdict"], broken["violations"]["by_rule"]) == ("FAIL", {"charged_without_room": 12})
    assert (canonical["verdict"], canonical["violations"]["count"], canonical["metrics"]["refunds"]) == ("PASS", 0, 12)
    assert canonical["metrics"]["tries"] > 12  # it was asked more than once
    assert pair["same_faults"]
    for outcome in (broken, canonical):
        assert verify(Path(outcome["run_dir"])).verdict == outcome["verdict"]


@pytest.mark.slow
@pytest.mark.parametrize(("variant", "without"), [("canonical", "faults"), ("canonical", "workload")])
def test_for_nothing_it_proves_nothing(tmp_path: Path, variant: str, without: str) -> None:
    code, outcome = faultline("run", SLUG, "--variant", variant, "--without", without, "--runs", tmp_path)
    assert (code, outcome["verdict"]) == (3, "VACUOUS")


def test_a_broken_run_of_nothing_proves_nothing(tmp_path: Path) -> None:
    code, outcome = faultline("run", SLUG, "--variant", "broken", "--without", "workload", "--runs", tmp_path)
    assert (code, outcome["verdict"]) == (3, "VACUOUS")


@pytest.mark.slow
def test_mosquitto_shows_the_same(tmp_path: Path) -> None:
    with servers.mosquitto(tmp_path) as url:
        code, pair = faultline("pair", SLUG, "--backend", f"mqtt={url}", "--runs", tmp_path / "runs")
        assert (code, pair["broken"]["violations"]["by_rule"]) == (0, {"charged_without_room": 12}), pair


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
def test_what_follows_from_the_mechanism_does_follow(tmp_path: Path) -> None:
    code, document = faultline("meta", SLUG, "--runs", tmp_path)
    assert code == 0, document
    found = {case["name"]: case["outcome"]["violations"]["by_rule"] for case in document["cases"]}
    assert found["a compensator that is away"] == {"charged_without_room": 12}
    assert found["acknowledged before it is handled"]["refunded_with_ticket"] == 1  # the one in hand, beside those in its library's
    assert found["acknowledged after, not idempotent"] == {"refunded_twice": 1}
    assert found["an orchestrator that asks once"] == {"charged_without_room": 12}
