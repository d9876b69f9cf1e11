"""`faultline recover`: what is said on which stream, and the exit codes."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from cluster.core.kv.ops import Put, encode_write
from cluster.core.raft.messages import Entry, EntryKind, HardState
from cluster.core.raft.ready import Persist
from cluster.node.segments import Segments
from tui.cli import run


@pytest.fixture
def survivor(tmp_path: Path) -> Path:
    log = Segments(tmp_path / "n3")
    log.append([Persist(1, HardState(2, None), None, 1, (Entry(2, EntryKind.COMMAND, encode_write(Put("colour", "blue"))),))])
    log.close()
    return tmp_path / "n3"


def test_the_new_cluster_lies_beside_the_survivor_unless_told_otherwise(survivor: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["recover", str(survivor), "-n", "3"]) == 0
    told = capsys.readouterr()
    assert told.out.startswith("1 keys, up to entry 1 of term 2, 1 of them from the log\n")
    assert f"faultline live --data {survivor}-recovered -n 3" in told.out
    assert "What only the lost nodes held is gone" in told.err
    assert sorted(path.name for path in survivor.with_name("n3-recovered").iterdir()) == ["n1", "n2", "n3"]


def test_json_is_one_document(survivor: Path, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run(["recover", str(survivor), "--to", str(tmp_path / "new"), "-n", "1", "--json"]) == 0
    document = msgspec.json.decode(capfdbinary.readouterr().out)
    assert document == {"index": 1, "term": 2, "entries": 1, "keys": 1, "cut_bytes": 0, "nodes": ["n1"]}


def test_what_is_no_node_or_damaged_is_refused_in_one_line(survivor: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["recover", str(tmp_path / "nowhere")]) == 2
    assert run(["recover", str(survivor), "-n", "0"]) == 2
    (path,) = survivor.glob("wal-*")
    path.write_bytes(b"garbage")
    capsys.readouterr()
    assert run(["recover", str(survivor)]) == 4
    assert capsys.readouterr().err.count("\n") == 1
