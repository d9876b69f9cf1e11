"""Export: one JSON object per event, fields by name, and standard output for nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cluster.faults import FaultPlan, LinkFault
from cluster.supervisor.journal import Journal
from cluster.telemetry.events import Event, PlanChanged
from tests.cluster.telemetry.happened import opened, state
from tui.cli import run
from tui.cli.exits import USAGE

EVENTS: list[Event] = [
    opened(),
    PlanChanged(5, FaultPlan(1, (LinkFault("n1", "n2", loss=0.2, lease=3),)), (("n1", "n2", "n3"),)),
    state("n1", 9, commit=7),
]


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "a.flt"
    journal = Journal(str(path), lambda _: None)
    for event in EVENTS:
        journal.write(event)
        journal.flush()
    journal.close()
    return path


def test_every_event_is_one_line_with_names(recording: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run(["export", str(recording), "--to", "jsonl"]) == 0
    out, err = capfdbinary.readouterr()
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["event"] for line in lines] == ["LabOpened", "PlanChanged", "NodeState"]
    assert lines[0]["nodes"] == ["n1", "n2", "n3"]
    link = lines[1]["plan"]["links"][0]
    assert (link["source"], link["target"], link["loss"], link["lease"]) == ("n1", "n2", 0.2, 3)
    assert lines[2]["commit"] == 7
    assert err == b""


def test_a_recording_that_was_cut_is_exported_up_to_there_and_said_so(recording: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    recording.write_bytes(recording.read_bytes()[:-1])
    assert run(["export", str(recording)]) == 0
    out, err = capfdbinary.readouterr()
    assert len(out.splitlines()) == 2
    assert err.startswith(b"faultline: ")
    assert b"cut within a frame" in err


@pytest.mark.parametrize("arguments", [["export", "/nowhere/at.all"], ["export", "x", "--to", "xml"], ["export"]])
def test_what_cannot_be_exported_is_one_line_and_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == USAGE
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("faultline: ")
    assert len(err.splitlines()) == 1
