"""From records to operations: order, keys, pairs, resets, and what is no history."""

from __future__ import annotations

from typing import Any

import pytest

from cluster.check.formats.entry import Entry, Malformed
from cluster.check.operations import NEVER, Operations, gathered


def entry(line: int, kind: str, process: str | None, f: str, value: Any = None, **more: Any) -> Entry:
    return Entry(line=line, kind=kind, process=process, f=f, value=value, **more)


def keys(operations: Operations) -> dict[str, list[tuple[str, str | None]]]:
    return {key: [(o.f, o.value) for o in own] for key, own in operations.by_key.items()}


def test_pairs_and_outcomes() -> None:
    operations = gathered(
        [
            entry(1, "invoke", "1", "write", 5),
            entry(2, "invoke", "2", "read"),
            entry(3, "ok", "2", "read", 5, node="n3"),
            entry(4, "info", "1", "write"),
            entry(5, "invoke", "3", "cas", (5, None)),
        ]
    )
    write, read, cas = operations.by_key[""]
    assert (operations.model, operations.count, operations.completed) == ("register", 3, 1)
    assert (write.value, write.outcome, write.ended, write.told) == ("5", "info", NEVER, 4)
    assert (read.value, read.outcome, read.begun, read.ended, read.node) == ("5", "ok", 2, 3, "n3")
    assert (cas.expect, cas.value, cas.outcome, cas.ended) == ("5", None, "", NEVER)
    assert [operation.constrains for operation in (write, read, cas)] == [True, True, True]
    assert (read.until(2).outcome, read.until(2).constrains, read.until(3)) == ("", False, read)


def test_values_of_pairs_are_keys_when_all_are() -> None:
    keyed = [entry(1, "invoke", "1", "write", ("x", 1)), entry(2, "invoke", "2", "read", (7, None)), entry(3, "ok", "2", "read", (7, 3))]
    assert keys(gathered(keyed)) == {'"x"': [("write", "1")], "7": [("read", "3")]}
    assert keys(gathered([entry(1, "invoke", "1", "cas", ("x", (1, 2)))])) == {'"x"': [("cas", "2")]}
    assert keys(gathered([entry(1, "invoke", "1", "cas", (1, 2))])) == {"": [("cas", "2")]}
    bare = [entry(1, "invoke", "1", "write", (1, 2)), entry(2, "invoke", "2", "read"), entry(3, "ok", "2", "read", (1, 2))]
    assert keys(gathered(bare)) == {"": [("write", "[1 2]"), ("read", "[1 2]")]}


def test_the_smallest_model_that_knows_all_operations() -> None:
    assert gathered([entry(1, "invoke", "1", "get", key="x")]).model == "kv"
    assert gathered([entry(1, "invoke", "1", "cas", (1, 2))]).model == "register"
    assert keys(gathered([entry(1, "invoke", "1", "delete", key="x"), entry(2, "invoke", "2", "put", 1, key="x")])) == {
        '"x"': [("write", None), ("write", "1")]
    }


def test_the_index_orders_before_the_time_and_the_time_before_the_text() -> None:
    first, second = entry(1, "invoke", "1", "write", 1), entry(2, "invoke", "2", "write", 2)

    def order(**more: tuple[int, int]) -> list[str | None]:
        both = [Entry(**{**_fields(e), **{k: v[n] for k, v in more.items()}}) for n, e in enumerate((first, second))]
        return [o.value for o in gathered(both).by_key[""]]

    assert order() == ["1", "2"]
    assert order(time_ns=(9, 5)) == ["2", "1"]
    assert order(index=(1, 2), time_ns=(9, 5)) == ["1", "2"]
    assert order(index=(2, 1)) == ["2", "1"]


def _fields(one: Entry) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__struct_fields__}


def test_records_of_one_tick_overlap_but_a_process_keeps_its_own_order() -> None:
    """The write's return and the read's invocation share a tick: the read may have seen what was there before."""
    tick = [
        entry(1, "invoke", "1", "write", 1, time_ns=1),
        entry(2, "ok", "1", "write", 1, time_ns=5),
        entry(3, "invoke", "1", "write", 2, time_ns=5),
        entry(4, "invoke", "2", "read", time_ns=5),
        entry(5, "ok", "2", "read", None, time_ns=6),
    ]
    one, two, read = sorted(gathered(tick).by_key[""], key=lambda o: o.line)
    assert read.begun < one.ended < two.begun


def test_a_reset_empties_every_key_and_loses_what_is_open() -> None:
    operations = gathered(
        [
            entry(1, "invoke", "1", "write", 1, key="x"),
            entry(2, "info", None, "reset"),
            entry(3, "invoke", "1", "read", key="x"),
            entry(4, "ok", "1", "read", None, key="x"),
        ]
    )
    assert keys(operations) == {'"x"': [("write", "1")], '"x" after reset 1': [("read", None)]}
    assert operations.by_key['"x"'][0].ended == NEVER


MALFORMED = {
    "process 1 begins read while its write of line 1 is open": [("invoke", "1", "write", 1), ("invoke", "1", "read", None)],
    "ok by process 2, which has nothing open": [("invoke", "1", "write", 1), ("ok", "2", "write", 1)],
    "ok of read by process 1, whose open operation is a write": [("invoke", "1", "write", 1), ("ok", "1", "read", 1)],
    "cas of 1: [expected new] is expected": [("invoke", "9", "read", None), ("invoke", "1", "cas", 1)],
    "write without a value": [("invoke", "9", "read", None), ("invoke", "1", "write", None)],
    "txn is no operation of the model kv": [("invoke", "9", "read", None), ("invoke", "1", "txn", 1)],
}


@pytest.mark.parametrize("reason", MALFORMED)
def test_what_is_no_history_is_refused_with_its_line(reason: str) -> None:
    with pytest.raises(Malformed) as refused:
        gathered([entry(line, *record) for line, record in enumerate(MALFORMED[reason], 1)])
    assert (refused.value.line, refused.value.reason.startswith(reason)) == (2, True)


def test_an_index_used_twice_is_refused() -> None:
    with pytest.raises(Malformed, match="index 3 is used twice"):
        gathered([entry(1, "invoke", "1", "read", index=3), entry(2, "invoke", "2", "read", index=3)])


def test_an_operation_outside_the_model_is_refused() -> None:
    with pytest.raises(Malformed, match="append is no operation of the model register"):
        gathered([entry(1, "invoke", "1", "append", "a")], "register")
