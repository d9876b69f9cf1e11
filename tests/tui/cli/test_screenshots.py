"""`faultline screenshots`: pictures from recordings, and one line where there is none."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cluster.core.errors import EnvironmentFailed
from tests.tui.golden.scenes import RECORDING
from tui.cli import run
from tui.cli.exits import ENVIRONMENT, GOOD, USAGE
from tui.cli.screenshots import command
from tui.pictures import drawing


def recordings(folder: Path, *names: str) -> str:
    for name in names:
        shutil.copy(RECORDING, folder / f"{name}.flt")
    return str(folder)


def test_a_picture_is_made_from_the_recording_that_is_there(tmp_path: Path) -> None:
    out = tmp_path / "made" / "here"
    arguments = ["screenshots", "--only", "raft", "--recordings", recordings(tmp_path, "cut"), "--out", str(out)]
    assert run(arguments) == GOOD
    assert sorted(path.name for path in out.iterdir()) == ["raft.png", "raft.svg"]
    assert "log lanes" in (out / "raft.svg").read_text(encoding="utf-8").replace("&#160;", " ")


def test_a_run_that_never_shows_it_makes_no_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["screenshots", "--only", "faults", "--recordings", recordings(tmp_path, "drill"), "--out", str(tmp_path / "out")]
    assert run(arguments) == ENVIRONMENT
    assert "the run drill never came to what faults shows (" in capsys.readouterr().err
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.processes
def test_a_picture_of_an_incident_is_made_from_a_pair_that_is_run(tmp_path: Path) -> None:
    arguments = ["screenshots", "--only", "incident", "--recordings", str(tmp_path / "kept"), "--out", str(tmp_path / "out")]
    for _ in range(2):  # the second time from what was kept
        assert run(arguments) == GOOD
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["incident.png", "incident.svg"]
    svg = (tmp_path / "out" / "incident.svg").read_text(encoding="utf-8").replace("&#160;", " ")
    assert "FAIL" in svg
    assert "PASS" in svg
    assert len(list((tmp_path / "kept" / "runs").iterdir())) == 2


def test_an_unknown_picture_names_those_there_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["screenshots", "--only", "sunset", "--out", str(tmp_path)]) == USAGE
    assert "'healthy'" in capsys.readouterr().err


def test_a_missing_package_is_said_before_anything_is_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> object:
        raise EnvironmentFailed(f"pictures need {name}")

    monkeypatch.setattr(drawing, "needed", missing)
    with pytest.raises(EnvironmentFailed, match="pictures need cairosvg"):
        command.main(["--out", str(tmp_path / "out")], standalone_mode=False)
    assert not (tmp_path / "out").exists()
