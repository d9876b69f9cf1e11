"""What `live` refuses before anything starts, and how long a headless run is."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster.commands.script import parse_script
from cluster.core.errors import UsageError
from cluster.core.types import SECOND
from tui.cli import live, run
from tui.cli.exits import USAGE


def test_a_run_is_as_long_as_asked_or_as_its_script_needs() -> None:
    script = parse_script("at 1 heal\nat 20 heal")
    assert live._length(None, []) == 10 * SECOND
    assert live._length(None, script) == 23 * SECOND
    assert live._length(20 * SECOND, script) == 20 * SECOND


def test_a_line_that_would_never_be_played_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="a line at 20 s, and the run ends at 2 s"):
        live._length(2 * SECOND, parse_script("at 20 heal"))


def test_a_recording_is_never_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = tmp_path / "drill.flt"
    kept.write_bytes(b"an afternoon's work")
    assert run(["live", "--headless", "--record", str(kept)]) == USAGE
    assert "is there already" in capsys.readouterr().err
    assert kept.read_bytes() == b"an afternoon's work"


def test_an_empty_file_may_be_recorded_to(tmp_path: Path) -> None:
    empty = tmp_path / "drill.flt"
    empty.touch()
    live._unwritten(str(empty))
    live._unwritten("")
    live._unwritten(str(tmp_path / "new.flt"))


def test_an_unknown_mistake_is_answered_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["live", "--break", "?"]) == USAGE
    assert "ack_before_fsync" in capsys.readouterr().err


def test_mistakes_are_completed() -> None:
    assert live._mistakes(None, None, "forget") == ["forget_vote_on_restart"]  # type: ignore[arg-type]
