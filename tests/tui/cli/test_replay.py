"""What `faultline replay` opens: a recording, or a repro whose run becomes one."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from cluster.core.errors import UsageError
from cluster.sim.repro import repro_of, written
from cluster.sim.run import run
from cluster.sim.setup import Setup
from tui.cli.replay import opened

FAILING = Setup(seed=0, mistakes=("apply_before_commit",), steps=2_000)


async def test_a_repro_is_a_recording_that_ends_with_its_violation(tmp_path: Path) -> None:
    outcome = run(FAILING)
    file = tmp_path / "repro.json"
    file.write_bytes(written(repro_of(outcome)))
    playback = opened(str(file))
    assert playback.note == ""
    assert playback.initial.lab is not None
    assert playback.initial.lab.mistakes == FAILING.mistakes
    view = playback.seek(playback.length_us)
    await playback.close()
    assert outcome.violation is not None
    assert view.lights[outcome.violation.light].evidence == outcome.violation.evidence
    assert playback.length_us == outcome.virtual_us


async def test_a_run_that_is_not_the_recorded_one_is_shown_and_said(tmp_path: Path) -> None:
    repro = msgspec.structs.replace(repro_of(run(FAILING)), trace_hash="0" * 32)
    file = tmp_path / "repro.json"
    file.write_bytes(written(repro))
    playback = opened(str(file))
    await playback.close()
    assert "not the run that was recorded" in playback.note


@pytest.mark.parametrize(("data", "words"), [(b"", "not a recording"), (b"{}", "not a repro"), (b"[1]", "not a recording")])
def test_a_file_that_is_neither_is_refused(tmp_path: Path, data: bytes, words: str) -> None:
    file = tmp_path / "file"
    file.write_bytes(data)
    with pytest.raises(UsageError, match=words):
        opened(str(file))


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read"):
        opened(str(tmp_path / "missing"))
