"""Every bench can be asked for, and the dashboard's says what it found; figures themselves are judged by nobody here."""

from __future__ import annotations

import importlib
import json

import click
import pytest

from tui.bench.kinds import dashboard
from tui.bench.pilot import Start, cursor, pulse
from tui.bench.report import Report
from tui.bench.screen import Screen
from tui.cli import run
from tui.cli.bench import kinds


@pytest.mark.parametrize("kind", kinds())
def test_a_kind_has_a_text_parameters_and_a_measure(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    module = importlib.import_module(f"tui.bench.kinds.{kind}")
    assert all(isinstance(parameter, click.Option) for parameter in module.PARAMETERS)
    assert callable(module.measure)
    assert run(["bench", kind, "--help"]) == 0
    assert "--json" in capsys.readouterr().out


def test_an_unknown_kind_is_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", "dashbord"]) == 2
    assert "did you mean" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", [["--size", "big"], ["--for", "soon"], ["--nodes", "3", "--voters", "5"], ["--presses", "-1"]])
def test_wrong_options_are_usage(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", "dashboard", *wrong]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def report() -> Report:
    cpu = {"1 live": {"front": 30.0, "supervisor": 4.0, "zygote": 0.0, "cluster": 50.0, "bench": 1.0, "others": 9.0, "kB_per_s": 80.0}}
    keys = {"screen: cursor": [10.0, 20.0, None], "cluster: pause": [40.0, 50.0, 55.0]}
    return dashboard._report(50, 5, (200, 50), [Start(900.0, 1_200.0, 1_300.0)], cpu, keys)


def test_a_key_that_was_not_answered_counts_with_its_deadline() -> None:
    found = report().document["key_ms"]["screen: cursor"]
    assert (found["late"], found["max"]) == (1, 3_000.0)


def test_missed_targets_are_said() -> None:
    met = {target.what: target.met for target in report().targets}
    assert met["dashboard process on screen 1 live"] is False
    assert met["all nodes up and a leader on screen, median"] is True
    assert met["key to visible effect, all screen keys, p99"] is False
    assert met["key to visible effect, all cluster keys, median"] is True


def test_the_document_is_json_and_the_lines_are_aligned() -> None:
    found = report()
    assert json.loads(json.dumps(found.document)) == found.document
    assert any(line.startswith("  1 live") for line in found.lines)


def test_shapes_and_cursor_are_read_off_the_screen() -> None:
    screen = Screen(60, 4)
    screen.feed("\x1b[2;1H A 3/5 QUORUM [★●●] ╳╳ B 2/5 STALLED [◌‖] · ✓ 8/8 safe\x1b[4;3H▸•  n12 ●F")
    assert pulse(screen) == "★●●◌‖"
    assert cursor(screen) == "n12"
