"""The flags of `live`: what is refused, in one line each, before anything is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.cli import run
from tui.cli.exits import USAGE, complain
from tui.cli.live import Duration


@pytest.mark.parametrize(
    ("text", "us"), [("10s", 10_000_000), ("500ms", 500_000), ("3", 3_000_000), ("1.5", 1_500_000), ("2min", 120_000_000)]
)
def test_how_long_a_run_lasts(text: str, us: int) -> None:
    assert Duration().convert(text, None, None) == us


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--for", "3s"], "--for and --json belong to --headless"),
        (["--json"], "--for and --json belong to --headless"),
        (["--headless", "--for", "0"], "'0' is not a duration such as 10s or 500ms"),
        (["--headless", "--for", "-3s"], "'-3s' is not a duration"),
        (["--headless", "--for", "²"], "'²' is not a duration"),
        (["-n", "0"], "0 is not in the range"),
        (["-n", "101"], "101 is not in the range"),
        (["-n", "3", "--voters", "5"], "5 of 3 nodes cannot vote"),
        (["--profile", "lam"], "there is no profile 'lam' (did you mean 'lan'?)"),
        (["--break", "prevote"], "there is no mistake 'prevote' (did you mean 'pre_vote'?)"),
        (["--rate", "nan"], "operations per second"),
        (["--port", "80"], "80 is not in the range"),
        (["--headless", "--script", "/nowhere/at.all"], "/nowhere/at.all"),
        (["liv"], "there is no command 'liv' (did you mean 'live'?)"),
        (["--nonsense"], "No such option"),
    ],
)
def test_a_wrong_flag_is_one_line_and_usage(arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == USAGE
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("faultline: ")
    assert len(err.splitlines()) == 1
    assert reason in err


def test_every_bad_line_of_a_script_is_told_before_anything_starts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "drill.txt"
    script.write_text("at 1 kill n1\n# fine\nat two heal\n")
    assert run(["live", "--headless", "--script", str(script)]) == USAGE
    assert [line.split(": ")[1] for line in capsys.readouterr().err.splitlines()] == [f"{script}:1:6", f"{script}:3:4"]


def test_an_error_of_several_lines_is_told_in_several(capsys: pytest.CaptureFixture[str]) -> None:
    assert complain("one\ntwo", 3) == 3
    assert complain("", 4) == 4
    assert capsys.readouterr().err == "faultline: one\nfaultline: two\nfaultline: \n"
