"""Three ways to write a history: each is read, told from the others, and refused with line and reason where it is broken."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cluster.check.formats import FORMATS, detected, jsonl, read
from cluster.check.formats.entry import KINDS, Entry, Malformed
from cluster.telemetry.control import RESET, HistoryLine

# One history, three times: p1 writes 1, a nemesis does something, p2 swaps 1 for 2, p1's read times out, p3's write stays open.
JSONL = """\
{"index": 0, "time": 10, "type": "invoke", "process": 1, "f": "write", "value": 1}
{"index": 1, "time": 20, "type": "ok", "process": 1, "f": "write", "value": 1, "node": "n2"}

{"index": 2, "time": 30, "type": "info", "process": "nemesis", "f": "start", "value": null}
{"index": 3, "time": 40, "type": "invoke", "process": 2, "f": "cas", "value": [1, 2]}
{"index": 4, "time": 50, "type": "ok", "process": 2, "f": "cas", "value": [1, 2]}
{"index": 5, "time": 60, "type": "invoke", "process": 1, "f": "read"}
{"index": 6, "time": 70, "type": "fail", "process": 1, "f": "read", "value": null, "error": "timed-out"}
{"index": 7, "time": 80, "type": "invoke", "process": 3, "f": "write", "value": 3}
"""
EDN = """\
; recorded yesterday
[{:index 0, :time 10, :type :invoke, :process 1, :f :write, :value 1}
 {:index 1, :time 20, :type :ok, :process 1, :f :write, :value 1, :node "n2"}
 {:index 2, :time 30, :type :info, :process :nemesis, :f :start, :value nil}
 #jepsen.history.Op{:index 3, :time 40, :type :invoke, :process 2, :f :cas, :value [1 2]}
 {:index 4, :time 50, :type :ok, :process 2, :f :cas, :value [1 2]}
 {:index 5, :time 60, :type :invoke, :process 1, :f :read, :value nil}
 {:index 6, :time 70, :type :fail, :process 1, :f :read, :value nil, :error :timed-out}
 #_ {:index 99, :type :nonsense}
 {:index 7, :time 80, :type :invoke, :process 3, :f :write, :value 3}]
"""
LOG = """\
2014-09-06 12:00:01 [main] starting {:a 1}
INFO  jepsen.util - 1\t:invoke\t:write\t1
INFO  jepsen.util - 1\t:ok\t:write\t1
INFO  jepsen.core - [n2] {:type :invoke} is not ours
INFO  jepsen.util - :nemesis  :info  :start  nil
INFO  jepsen.util - 2   :invoke  :cas  [1 2]
INFO  jepsen.util - 2   :ok      :cas  [1 2]
INFO  jepsen.util - 1 :invoke :read nil
WARN  clj-ssh - 7 :invoke nothing
INFO  jepsen.util - 1 :fail :read :timed-out
INFO  jepsen.util - waiting for n3
INFO  jepsen.util - 3\t:invoke\t:write\t3
"""


def facts(entry: Entry) -> tuple[object, ...]:
    return entry.kind, entry.process, entry.f, entry.value, entry.error


@pytest.mark.parametrize(("name", "text"), [("jsonl", JSONL), ("edn", EDN), ("jepsen-log", LOG)])
def test_the_same_history_in_three_formats(name: str, text: str) -> None:
    assert detected(text) == name
    assert [facts(entry) for entry in read(text)] == [
        ("invoke", "1", "write", 1, ""),
        ("ok", "1", "write", 1, ""),
        ("info", None, "start", None, ""),
        ("invoke", "2", "cas", (1, 2), ""),
        ("ok", "2", "cas", (1, 2), ""),
        ("invoke", "1", "read", None, ""),
        ("fail", "1", "read", None, "timed-out"),
        ("invoke", "3", "write", 3, ""),
    ]


def test_lines_times_indices_and_nodes_are_kept() -> None:
    for text, lines in ((JSONL, [1, 2, 4, 5, 6, 7, 8, 9]), (EDN, [2] * 8)):
        entries = read(text)
        assert [entry.line for entry in entries] == lines
        assert [entry.index for entry in entries] == list(range(8))
        assert [entry.time_ns for entry in entries] == list(range(10, 90, 10))
        assert entries[1].node == "n2"
    assert [entry.line for entry in read(LOG)] == [2, 3, 5, 6, 7, 8, 10, 12]


@pytest.mark.parametrize(
    "text",
    [
        "{:type :invoke, :process 0, :f :read}\n{:type :ok, :process 0, :f :read}",
        "\n\n [ {:type :invoke :process 0 :f :read}\n{:type :ok :process 0 :f :read}]",
        "[\n{:type :invoke :process 0 :f :read}\n{:type :ok :process 0 :f :read}\n]",
        "({:type :invoke :process 0 :f :read} {:type :ok :process 0 :f :read})",
        '{:type "invoke" :process 0 :f "read"} {:type ok :process 0 :f read}',
    ],
)
def test_edn_maps_in_any_arrangement(text: str) -> None:
    assert [(entry.kind, entry.f) for entry in read(text)] == [("invoke", "read"), ("ok", "read")]


@pytest.mark.parametrize(
    "line",
    [
        "INFO  jepsen.util - 4  :invoke  :cas  [2 4]",
        "INFO jepsen.util - 4\t:invoke\t:cas\t[2 4]\t",
        "2020-05-22 12:00:00,123{GMT}\tINFO\t[jepsen worker 0] jepsen.util: 4\t:invoke\t:cas\t[2 4]",
        "4\t:invoke\t:cas\t[2 4]",
    ],
)
def test_lines_of_the_log_in_any_dress(line: str) -> None:
    assert [facts(entry) for entry in read(line)] == [("invoke", "4", "cas", (2, 4), "")]


def test_an_error_in_a_column_of_its_own() -> None:
    (entry,) = read("INFO  jepsen.util - 4\t:info\t:write\t3\t:timeout")
    assert facts(entry) == ("info", "4", "write", 3, "timeout")


MALFORMED = {
    "jsonl: no JSON": ('{"type": "invoke"\n', 1, "no JSON"),
    "jsonl: no object": ('{"type": "info", "process": 1, "f": "r"}\n[1]\n', 2, "no JSON object"),
    "jsonl: no process": ('{"type": "ok", "f": "read"}', 1, "without a process"),
    "jsonl: no f": ('{"type": "ok", "process": 1}', 1, "without f"),
    "jsonl: type": ('{"type": "done", "process": 1, "f": "read"}', 1, "'done' is none of"),
    "jsonl: time": ('{"type": "ok", "process": 1, "f": "read", "time": "noon"}', 1, "time is no whole number"),
    "jsonl: deep": ('{"type": "ok", "process": 1, "f": "w", "value": ' + "[" * 99 + "]" * 99 + "}", 1, "nested deeper"),
    "edn: not closed": ("{:type :ok, :process 1\n:f :read", 1, "never closed"),
    "edn: no map": ("{:type :ok :process 1 :f :read}\n(1)", 2, "operation 1 of the vector: 1 is no operation map"),
    "edn: no type": ("[{:process 1 :f :read}\n{:process 1}]", 1, "operation 1 of the vector: a record without a type"),
    "edn: no process": ("{:type :ok :f :read}", 1, "without :process"),
    "edn: index": ('{:type :ok :process 1 :f :read :index "a"}', 1, ":index is no whole number"),
    "log: type": ("\nINFO  jepsen.util - 4  :invok  :cas  [2 4]", 2, "'invok' is none of"),
    "log: columns": ("INFO  jepsen.util - 4  :invoke", 1, "2 columns"),
    "log: value": ("INFO  jepsen.util - 4  :invoke  :cas  [2 4", 1, "never closed"),
    "log: f": ("INFO  jepsen.util - 4  :invoke  17  [2 4]", 1, "17 is no operation"),
    "nothing known": ("\n\nname,type\n1,2", 3, "none of the known formats"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_refused_with_line_and_reason(name: str) -> None:
    text, line, reason = MALFORMED[name]
    with pytest.raises(Malformed, match=reason.replace("(", r"\(")) as refused:
        read(text)
    assert refused.value.line == line


def test_an_empty_text_is_an_empty_history() -> None:
    assert read("") == read("\n \n") == []


_PIECES = [*'{}[]()":,\n\t 1', ":type", ":invoke", ":process", ":f", ":read", ":value", '"type"', '"ok"', "INFO  jepsen.util - ", "nil"]


@settings(max_examples=600, deadline=None)
@given(st.lists(st.sampled_from(_PIECES), max_size=40).map("".join), st.sampled_from(["", *FORMATS]))
def test_any_text_is_read_or_refused(text: str, name: str) -> None:
    entries: list[Entry] = []
    try:
        entries = read(text, name)
    except Malformed as error:
        refused = error
    else:
        refused = None
    assert refused is None or 1 <= refused.line <= text.count("\n") + 1
    assert all(entry.kind in KINDS for entry in entries)


def test_our_own_records_are_read_as_they_were_meant() -> None:
    lines = [
        HistoryLine(7, "invoke", "write", "x", ("a",), 1, "n1"),
        HistoryLine(7, "info", "write", "x", ("a",), 2, "n1", "timeout"),
        HistoryLine(8, "invoke", "cas", "x", (None, "b"), 3, "n2"),
        HistoryLine(8, "fail", "cas", "x", (None, "b"), 4, "n2", "not swapped"),
        HistoryLine(9, "ok", "read", "x", (None,), 5, "n3"),
        HistoryLine(-1, "info", RESET, "", (), 6, ""),
    ]
    entries = [jsonl.entry(jsonl.record(line), number) for number, line in enumerate(lines, 1)]
    assert [facts(entry) for entry in entries] == [
        ("invoke", "7", "write", "a", ""),
        ("info", "7", "write", "a", "timeout"),
        ("invoke", "8", "cas", (None, "b"), ""),
        ("fail", "8", "cas", (None, "b"), "not swapped"),
        ("ok", "9", "read", None, ""),
        ("info", None, "reset", None, ""),
    ]
    assert [entry.time_ns for entry in entries] == [1_000, 2_000, 3_000, 4_000, 5_000, 6_000]
