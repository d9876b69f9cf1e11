"""`faultline check`: verdicts, exit codes, what is printed, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cluster.supervisor.journal import HistoryFile, Journal
from cluster.telemetry.control import RESET, HistoryLine
from cluster.telemetry.events import Heartbeat
from tests.cluster.check.objects import Store, text
from tests.cluster.telemetry.happened import opened
from tui.cli import run

# In the form of Jepsen's etcd histories: five clients, small integers, timeouts, and operations open at the end.
ETCD = """\
INFO  jepsen.util - 0\t:invoke\t:read\tnil
INFO  jepsen.util - 1\t:invoke\t:write\t4
INFO  jepsen.util - 0\t:ok\t:read\tnil
INFO  jepsen.util - 1\t:ok\t:write\t4
INFO  jepsen.util - 2\t:invoke\t:write\t3
INFO  jepsen.util - :nemesis\t:info\t:start\tnil
INFO  jepsen.util - 3\t:invoke\t:read\tnil
INFO  jepsen.util - 2\t:info\t:write\t:timed-out
INFO  jepsen.util - 3\t:fail\t:read\t:timed-out
INFO  jepsen.core - waiting
INFO  jepsen.util - 0\t:invoke\t:cas\t[4 1]
INFO  jepsen.util - 0\t:ok\t:cas\t[4 1]
INFO  jepsen.util - 3\t:invoke\t:cas\t[2 0]
INFO  jepsen.util - 3\t:fail\t:cas\t[2 0]
INFO  jepsen.util - 4\t:invoke\t:write\t0
INFO  jepsen.util - 1\t:invoke\t:read\tnil
INFO  jepsen.util - 1\t:ok\t:read\t{seen}
INFO  jepsen.util - 1\t:invoke\t:cas\t[0 2]
"""
GOOD, BAD = ETCD.format(seen=3), ETCD.format(seen=4)


def check(tmp_path: Path, history: str, *options: str, name: str = "history") -> int:
    path = tmp_path / name
    path.write_text(history, encoding="utf-8")
    return run(["check", str(path), *options])


@pytest.mark.parametrize("seen", ["3", "1", "0"])
def test_linearizable(tmp_path: Path, capsys: pytest.CaptureFixture[str], seen: str) -> None:
    """The unknown write of 3, or the open write of 0, may have taken effect; or neither."""
    assert check(tmp_path, ETCD.format(seen=seen)) == 0
    assert "LINEARIZABLE  (9 operations on 1 key, model register" in capsys.readouterr().out


def test_not_linearizable_with_a_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(tmp_path, BAD) == 1
    out = capsys.readouterr().out
    assert "NOT LINEARIZABLE" in out
    assert "read 4 by process 1 cannot be explained" in out
    assert "could have seen 0, 1 or 3" in out
    assert "├ a cas 4 → 1" in out
    assert max(map(len, out.splitlines()[1:])) <= 80


def test_the_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(tmp_path, BAD, "--json") == 1
    document = json.loads(capsys.readouterr().out)
    assert {name: document[name] for name in ("verdict", "model", "ops", "keys", "violated", "undecided")} == {
        "verdict": "not-linearizable",
        "model": "register",
        "ops": 9,
        "keys": 1,
        "violated": [""],
        "undecided": {},
    }
    assert document["ms"] > 0
    culprit = [operation for operation in document["witness"]["operations"] if operation["culprit"]]
    assert [(c["process"], c["f"], c["value"], c["could_see"], c["line"]) for c in culprit] == [("1", "read", "4", ["0", "1", "3"], 16)]
    assert check(tmp_path, GOOD, "--json") == 0
    assert json.loads(capsys.readouterr().out)["witness"] is None


def test_unknown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    appends = [{"process": n, "f": "append", "key": "k", "value": "aaaa"[: 2 + 2 * (n % 2)]} for n in range(24)]
    get = {"process": 99, "f": "get", "key": "k"}
    records: list[dict[str, Any]] = [{**a, "type": kind} for kind in ("invoke", "ok") for a in appends]
    records += [{**get, "type": "invoke", "value": None}, {**get, "type": "ok", "value": 71 * "a"}]
    assert check(tmp_path, text(records), "--steps", "500") == 3
    out = capsys.readouterr().out
    assert "UNKNOWN" in out
    assert 'not decided: "k": not decided within 500 steps' in out


def test_an_empty_history_proves_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(tmp_path, "") == 3
    assert "no operation returned ok" in capsys.readouterr().out


def test_the_same_verdict_in_three_formats(tmp_path: Path) -> None:
    jsonl = '{"type":"invoke","process":1,"f":"read"}\n{"type":"ok","process":1,"f":"read","value":1}\n'
    edn = "{:type :invoke, :process 1, :f :read}\n{:type :ok, :process 1, :f :read, :value 1}\n"
    log = "INFO  jepsen.util - 1  :invoke  :read  nil\nINFO  jepsen.util - 1  :ok  :read  1\n"
    for history, name in ((jsonl, "jsonl"), (edn, "edn"), (log, "jepsen-log")):
        assert check(tmp_path, history) == 1
        assert check(tmp_path, history, "--format", name) == 1


@pytest.mark.parametrize(
    ("history", "options", "said"),
    [
        ("{:type :ok}", [], "history:1: a record without :process"),
        ("nothing\nknown", [], "history:1: in none of the known formats: jsonl, edn, jepsen-log"),
        (GOOD, ["--format", "edn"], "history:1: INFO is no operation map"),
        (GOOD.replace(":cas\t[4 1]", ":cas\t[4"), [], "history:11: [ is never closed"),
        ('{"type": "invoke", "process": 1, "f": "get", "key": "x"}', ["--model", "register"], "get is no operation of the model register"),
        ('{"type": "ok", "process": 1, "f": "read"}', [], "history:1: ok by process 1, which has nothing open"),
    ],
)
def test_malformed(tmp_path: Path, capsys: pytest.CaptureFixture[str], history: str, options: list[str], said: str) -> None:
    assert check(tmp_path, history, *options) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.out == ""


def test_bytes_that_are_no_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "history"
    path.write_bytes(b"{:type :invoke}\n\xff")
    assert run(["check", str(path)]) == 2
    assert "history:2: not UTF-8 text" in capsys.readouterr().err


def test_a_missing_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", str(tmp_path / "none")]) == 2
    assert "cannot read" in capsys.readouterr().err


def test_the_picture_of_a_wide_history_fits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import random

    records = Store(random.Random(2), "", 0, repeats=0).run(200, 9, key="a key with a rather long name" * 4, unknown=0.0)
    gets = [n for n, r in enumerate(records) if r["type"] == "ok" and r["f"] == "get"]
    records[gets[-1]] = {**records[gets[-1]], "value": "<nowhere>" * 30}
    assert check(tmp_path, text(records)) == 1
    assert max(map(len, capsys.readouterr().out.splitlines()[1:])) <= 80


# ---- what a lab writes ----------------------------------------------------------------------------------------------

LINES = [
    # Heard in the wrong order: the clocks say that the read came after both writes.
    HistoryLine(2, "invoke", "read", "x", (), 50, "n2"),
    HistoryLine(1, "invoke", "write", "x", ("a",), 10, "n1"),
    HistoryLine(1, "ok", "write", "x", ("a",), 20, "n1"),
    HistoryLine(1, "invoke", "write", "x", ("b",), 30, "n1"),
    HistoryLine(1, "ok", "write", "x", ("b",), 40, "n1"),
    HistoryLine(2, "ok", "read", "x", ("b",), 60, "n2"),
    HistoryLine(-1, "info", RESET, "", (), 70, ""),
    HistoryLine(3, "invoke", "read", "x", (), 80, "n3"),
    HistoryLine(3, "ok", "read", "x", (None,), 90, "n3"),
]
STALE = [*LINES[:5], HistoryLine(2, "ok", "read", "x", ("a",), 60, "n2"), *LINES[6:]]


@pytest.mark.parametrize(("lines", "code"), [(LINES, 0), (STALE, 1)])
def test_a_recording_and_its_exported_history_have_one_verdict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], lines: list[HistoryLine], code: int
) -> None:
    complaints: list[str] = []
    recording, history = tmp_path / "drill.flt", tmp_path / "history.jsonl"
    journal, file = Journal(str(recording), complaints.append), HistoryFile(str(history), complaints.append)
    journal.write(opened())
    for number, line in enumerate(lines):
        journal.write(Heartbeat(number, 0))
        journal.history(line)
        file.write(line)
        if number % 4 == 0:
            journal.flush()
    journal.close()
    file.close()
    assert complaints == []
    assert run(["check", str(recording)]) == code
    assert run(["check", str(history)]) == code
    assert ("process 2 at n2 cannot be explained" in capsys.readouterr().out) == bool(code)
    assert run(["export", str(recording), "--to", "history"]) == 0
    exported = capsys.readouterr().out
    assert exported == history.read_text()
    assert run(["export", str(recording)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1 + len(lines), "the events alone, as many as were written"


def test_a_recording_with_a_hole_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recording = tmp_path / "drill.flt"
    journal = Journal(str(recording), [].append)
    journal.write(opened())
    journal.flush()
    for line in LINES:
        journal.history(line)
    journal.close()
    assert run(["check", str(recording)]) == 0
    damaged = bytearray(recording.read_bytes())
    damaged[damaged.index(b"hist")] ^= 1
    recording.write_bytes(damaged)
    assert run(["check", str(recording)]) == 2
    assert "a history with a hole proves nothing" in capsys.readouterr().err
