"""An outcome names its call, also after the process was killed in between."""

from __future__ import annotations

from pathlib import Path

from scenarios.kit.history import History
from scenarios.records import Records


def test_no_index_means_two_calls(tmp_path: Path) -> None:
    path = tmp_path / "history" / "w1.jsonl"
    first = History("w1", path)
    first.ok(first.invoke("charge", {"order": "a"}), "charge", {"order": "a"})
    first.invoke("charge", {"order": "b"})
    second = History("w1", path)
    second.info(second.invoke("charge", {"order": "b"}), "charge", "the connection ended")
    lines = Records(tmp_path).history("w1")
    assert [line["type"] for line in lines] == ["invoke", "ok", "invoke", "invoke", "info"]
    invoked = [line["index"] for line in lines if line["type"] == "invoke"]
    assert len(set(invoked)) == 3
    assert lines[1]["index"] == lines[0]["index"]
    assert lines[4]["index"] == lines[3]["index"]
