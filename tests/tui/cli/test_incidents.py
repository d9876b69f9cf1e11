"""The commands about incidents: lists, cards, and what is refused in one line before anything starts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scenarios.catalog import Shelf, load
from scenarios.judging import judge, seal
from scenarios.seed_rows import rows
from tests.scenarios.run_dirs import ORDERS, charged, stale_lock_run
from tui.cli import run
from tui.cli.exits import ENVIRONMENT, GOOD, UNKNOWN, USAGE, VIOLATION

TWICE = [charged(order, caller) for caller in ("w2", "w1") for order in ORDERS]


def sealed(root: Path, *, late: bool = True) -> Path:
    run_dir = stale_lock_run(root, TWICE, late=late)
    seal(run_dir, judge(load("stale-lock-holder"), run_dir, 1.0))
    return run_dir


def test_the_list_has_the_last_verdicts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sealed(tmp_path / "20260101-000000.000-stale-lock-holder-broken")
    sealed(tmp_path / "20250101-000000.000-stale-lock-holder-broken", late=False)
    assert run(["incidents", "--json", "--runs", str(tmp_path)]) == GOOD
    (found,) = [entry for entry in json.loads(capsys.readouterr().out) if entry["slug"] == "stale-lock-holder"]
    assert found["n"] == 2
    assert found["mechanism"] == "selection"
    assert found["last"] == {"broken": "FAIL", "canonical": None}
    assert run(["incidents", "--runs", str(tmp_path)]) == GOOD
    assert "broken FAIL  canonical –" in capsys.readouterr().out


def test_a_run_that_came_to_nothing_does_not_hide_the_last_verdict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sealed(tmp_path / "20250101-000000.000-stale-lock-holder-broken")
    spoilt = stale_lock_run(tmp_path / "20260101-000000.000-stale-lock-holder-broken", TWICE)
    seal(spoilt, judge(load("stale-lock-holder"), spoilt, 1.0, "kv1 is not ready after 30 s"))
    only = tmp_path / "20260101-000000.001-stale-lock-holder-canonical"
    only.mkdir()
    (only / "verdict.json").write_text("{")  # not even a verdict
    assert run(["incidents", "--runs", str(tmp_path)]) == GOOD
    out = capsys.readouterr().out
    assert "broken FAIL, then ERROR  canonical ERROR" in out
    assert "     ! the newest broken run: kv1 is not ready after 30 s" in out.splitlines()
    assert run(["incidents", "--json", "--runs", str(tmp_path)]) == GOOD
    (found,) = [entry for entry in json.loads(capsys.readouterr().out) if entry["slug"] == "stale-lock-holder"]
    assert found["last"] == {"broken": "FAIL", "canonical": "ERROR"}
    assert found["error"]["broken"] == "kv1 is not ready after 30 s"
    assert "verdict.json" in found["error"]["canonical"]


def test_a_newer_verdict_ends_the_talk_of_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoilt = stale_lock_run(tmp_path / "20250101-000000.000-stale-lock-holder-broken", TWICE)
    seal(spoilt, judge(load("stale-lock-holder"), spoilt, 1.0, "kv1 is not ready after 30 s"))
    sealed(tmp_path / "20260101-000000.000-stale-lock-holder-broken", late=False)
    assert run(["incidents", "--json", "--runs", str(tmp_path)]) == GOOD
    (found,) = [entry for entry in json.loads(capsys.readouterr().out) if entry["slug"] == "stale-lock-holder"]
    assert (found["last"]["broken"], found["error"]["broken"]) == ("VACUOUS", None)


def test_the_list_has_all_that_were_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["incidents", "--json", "--runs", str(tmp_path)]) == GOOD
    found = json.loads(capsys.readouterr().out)
    assert [entry["n"] for entry in found] == list(range(1, 25))
    assert {entry["slug"]: entry["last"] for entry in found} == {row.slug: {"broken": None, "canonical": None} for row in rows()}


def test_what_is_not_built_shows_its_row_and_does_not_run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("scenarios.catalog.read_all", lambda: Shelf((), {}))  # nothing is built
    row = rows()[-1]
    assert run(["show", row.slug]) == GOOD
    out = capsys.readouterr().out
    assert "not built yet" in out
    for text in (row.seed.issue, row.seed.action, *row.seed.patterns, *row.seed.canonical):
        assert text in out
    assert run(["show", row.slug, "--json"]) == GOOD
    assert json.loads(capsys.readouterr().out)["built"] is False
    assert run(["run", row.slug]) == USAGE
    assert f"{row.slug} is not built yet" in capsys.readouterr().err


def test_show_has_the_report_word_for_word(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["show", "stale-lock-holder"]) == GOOD
    out = capsys.readouterr().out
    card = load("stale-lock-holder").card
    for text in (card.seed.situation, card.seed.action, *card.seed.patterns, *card.seed.canonical, *card.seed.real_world):
        assert text in out
    assert "(hot: it can be changed while a run goes on)" in " ".join(out.split())
    assert run(["show", "stale-lock-holder", "--json"]) == GOOD
    assert json.loads(capsys.readouterr().out)["scenario"]["slug"] == "stale-lock-holder"


def test_verdicts_are_exit_codes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    failed = sealed(tmp_path / "failed")
    assert run(["verify", str(failed), "--json"]) == VIOLATION
    assert json.loads(capsys.readouterr().out)["violations"]["count"] == 2
    assert run(["verify", str(sealed(tmp_path / "vacuous", late=False))]) == UNKNOWN
    (failed / "ledger" / "payd.jsonl").unlink()
    assert run(["verify", str(failed)]) == ENVIRONMENT
    assert "! ledger/payd.jsonl: is missing" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["run", "stale-lock"], "there is no incident 'stale-lock' (did you mean 'stale-lock-holder'?)"),
        (["run", "stale-lock-holder", "--set", "lock=zookeeper"], "lock=zookeeper: expected one of redis, "),
        (["run", "stale-lock-holder", "--set", "ttl_ms=1"], "ttl_ms=1: expected one of 500, 1000, 2000"),
        (["run", "stale-lock-holder", "--variant", "cured"], "'cured' is not one of"),
        (["run", "stale-lock-holder", "--backend", "redis=127.0.0.1"], "expected a URL that begins with redis://"),
        (["pair", "stale-lock-holder", "--backend", "etcd=redis://x"], "has no backend 'etcd'; it has redis, kv, redlock"),
        (["run", "stale-lock-holder", "--backend", "redis"], "--backend redis: expected NAME=URL"),
        (["run", "stale-lock-holder", "--backend", "redis=redis://a,redis://b"], "--backend redis: expected 1 URLs"),
        (["matrix", "stale-lock-holder", "--scale", "0"], "0"),
        (["run", "stale-lock-holder", "--watch", "--set", "ttl_ms=1"], "ttl_ms=1: expected one of"),
        (["run", "stale-lock-holder", "--watch", "--json"], "--json and --watch do not go together"),
        (["replay", "/"], "/ is not the directory of a run: params.json: is missing"),
        (["verify", "/nowhere"], "/nowhere is not the directory of a finished run"),
    ],
)
def test_what_is_wrong_is_one_line(arguments: list[str], reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = [] if arguments[0] in ("verify", "replay") else ["--runs", str(tmp_path)]
    assert run([*arguments, *runs]) == USAGE
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert reason in err
