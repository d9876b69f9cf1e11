"""Every transcript is a test; a student reads the transcript, not this file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster.core.raft.transcript import Script

TRANSCRIPTS = sorted((Path(__file__).parents[3] / "transcripts").glob("*.txt"))


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_transcript(path: Path) -> None:
    Script().play(path)


def test_there_are_transcripts() -> None:
    assert len(TRANSCRIPTS) >= 12


def test_a_wrong_expectation_fails_and_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "wrong.txt"
    path.write_text("cluster 3\nrun 1s\n# n1 leads, so this is wrong:\nexpect n1 follower\n")
    with pytest.raises(AssertionError, match=r"wrong.txt:4: expect n1 follower"):
        Script().play(path)
