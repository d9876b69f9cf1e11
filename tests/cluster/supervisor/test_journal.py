"""Recordings: written in whole frames, ended in order when there is no room, and never the lab's end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cluster.core.errors import FaultlineError
from cluster.core.types import FRAME_BYTES_MAX
from cluster.faults import FaultPlan, LinkFault
from cluster.supervisor.journal import MAGIC, HistoryFile, Journal
from cluster.supervisor.playback import Recording
from cluster.telemetry.control import HistoryLine
from cluster.telemetry.events import Event, Heartbeat, PlanChanged
from tests.cluster.telemetry.happened import opened

BEATS: list[Event] = [opened(), *(Heartbeat(at, at) for at in range(1, 1_000))]


def _events(path: Path) -> list[Event]:
    recording = Recording(str(path))
    found = list(recording.events(0, recording.count))
    recording.close()
    return found


def _journal(path: Path, complaints: list[str], **other: int) -> Journal:
    return Journal(str(path), complaints.append, **other)


def _nothing(why: str) -> None:
    raise AssertionError(f"nobody should have complained: {why}")


def test_what_was_written_is_read_in_order(tmp_path: Path) -> None:
    journal = Journal(str(tmp_path / "a.flt"), _nothing)
    for event in BEATS:
        journal.write(event)
    journal.close()
    assert _events(tmp_path / "a.flt") == BEATS


def test_what_was_flushed_is_in_the_file_before_it_is_closed(tmp_path: Path) -> None:
    journal = Journal(str(tmp_path / "a.flt"), _nothing)
    journal.write(BEATS[0])
    assert (tmp_path / "a.flt").read_bytes() in (b"", MAGIC)
    journal.flush()
    assert _events(tmp_path / "a.flt") == BEATS[:1]
    journal.close()


def test_a_recording_keeps_to_its_size_and_says_so_once(tmp_path: Path) -> None:
    complaints: list[str] = []
    journal = _journal(tmp_path / "a.flt", complaints, bytes_max=2_000)
    for event in BEATS:
        journal.write(event)
        journal.flush()
    journal.close()
    assert (tmp_path / "a.flt").stat().st_size <= 2_000
    found = _events(tmp_path / "a.flt")
    assert found == BEATS[: len(found)]
    assert len(found) > 50
    assert complaints == [f"recording {tmp_path / 'a.flt'} ended at its limit of 2000 bytes"]


def test_plans_of_many_links_take_several_frames(tmp_path: Path) -> None:
    """Forty faults on fifty nodes in one breath are more than one frame may hold."""
    nodes = [f"n{number}" for number in range(1, 51)]
    links = tuple(LinkFault(a, b, loss=0.1, lease=1) for a in nodes for b in nodes if a != b)
    plans: list[Event] = [PlanChanged(version, FaultPlan(version, links), ()) for version in range(1, 51)]
    journal = Journal(str(tmp_path / "a.flt"), _nothing)
    journal.write(opened())
    for plan in plans:
        journal.write(plan)
    journal.close()
    assert (tmp_path / "a.flt").stat().st_size > FRAME_BYTES_MAX
    assert _events(tmp_path / "a.flt")[1:] == plans


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is always full is Linux's")
def test_a_full_disk_ends_the_recording_and_not_the_lab() -> None:
    complaints: list[str] = []
    journal = _journal(Path("/dev/full"), complaints)
    for event in BEATS[:300]:
        journal.write(event)
    journal.flush()
    journal.close()
    assert complaints == ["recording /dev/full ended: No space left on device"]


def test_a_file_that_cannot_be_made_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(FaultlineError, match=r"^cannot write .*/no/such: No such file or directory$"):
        Journal(str(tmp_path / "no" / "such"), _nothing)


# ---- histories ----------------------------------------------------------------------------------------------------

LINE = HistoryLine(100_001, "ok", "read", "k1", ("v",), 5, "n1")


def test_a_history_is_one_object_per_line(tmp_path: Path) -> None:
    history = HistoryFile(str(tmp_path / "h.jsonl"), _nothing)
    history.write(LINE)
    history.write(LINE)
    history.close()
    lines = [json.loads(line) for line in (tmp_path / "h.jsonl").read_text().splitlines()]
    assert len(lines) == 2
    assert (lines[0]["process"], lines[0]["key"], lines[0]["value"]) == (100_001, "k1", "v")


def test_a_history_keeps_to_its_size_in_whole_lines_and_says_so_once(tmp_path: Path) -> None:
    complaints: list[str] = []
    history = HistoryFile(str(tmp_path / "h.jsonl"), complaints.append, bytes_max=1_000)
    for _ in range(100):
        history.write(LINE)
    history.close()
    text = (tmp_path / "h.jsonl").read_text()
    assert len(text) <= 1_000
    assert all(json.loads(line) for line in text.splitlines())
    assert complaints == [f"history {tmp_path / 'h.jsonl'} ended: it has its full size"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is always full is Linux's")
@pytest.mark.parametrize("count", [1, 10_000])
def test_a_full_disk_ends_the_history_and_not_the_lab(count: int) -> None:
    """One line waits in memory until the file is closed; ten thousand do not."""
    complaints: list[str] = []
    history = HistoryFile("/dev/full", complaints.append)
    for _ in range(count):
        history.write(LINE)
    history.close()
    assert complaints == ["history /dev/full ended: No space left on device"]
