"""What is refused before it costs anything, and that nothing else is."""

from __future__ import annotations

import pytest

from cluster.core.kv.limits import (
    LEASE_TTL_MAX_US,
    RANGE_KEYS_MAX,
    SESSION_WINDOW,
    TXN_BYTES_MAX,
    TXN_STEPS_MAX,
    too_large,
    unfit,
)
from cluster.core.kv.ops import (
    Acknowledge,
    Cas,
    CloseSession,
    Command,
    Compact,
    Compare,
    Delete,
    DeleteRange,
    Get,
    Grant,
    InSession,
    KeepAlive,
    KeepSession,
    OpenSession,
    Operation,
    Put,
    Range,
    Revoke,
    Scan,
    Stamped,
    TimeToLive,
    Txn,
    Unwatch,
    Watch,
    encode_write,
)
from cluster.core.kv.store import Store
from cluster.core.types import KEY_BYTES_MAX, SECOND, VALUE_BYTES_MAX

LONG_KEY, LONG_VALUE = "k" * (KEY_BYTES_MAX + 1), "v" * (VALUE_BYTES_MAX + 1)
FIT: list[Operation | Command] = [
    Put("k" * KEY_BYTES_MAX, "v" * VALUE_BYTES_MAX),
    Get("k", "lease"),
    Scan(""),
    Range("k" * KEY_BYTES_MAX, "k" * KEY_BYTES_MAX + "\0"),
    Delete("k"),
    DeleteRange("", None),
    Cas("k", None, "v"),
    Compact(1),
    Txn((Compare("k", "value", "=", "v"),), (Put("a", ""), Put("b", "")), (Put("a", ""), Delete("b"), DeleteRange("c", "d"))),
    Txn((), (Put("a", ""),), (Put("a", ""),)),
    Grant(SECOND),
    KeepAlive(1),
    Revoke(1),
    TimeToLive(1),
    OpenSession(),
    KeepSession(1),
    CloseSession(1),
    InSession(1, SESSION_WINDOW, 1, Put("k", "v")),
    Stamped(1),
    Stamped(1, Grant(SECOND)),
    Watch("", None),
    Acknowledge(1),
    Unwatch(1),
]
UNFIT: list[Operation | Command] = [
    Put(LONG_KEY, ""),
    Put("é" * (KEY_BYTES_MAX // 2 + 1), ""),
    Put("", LONG_VALUE),
    Put("", "", lease=-1),
    Get(LONG_KEY),
    Get("k", "eventually"),
    Get("k", revision=-1),
    Scan(LONG_KEY),
    Scan("", mode="eventually"),
    Range(LONG_KEY),
    Range("k", LONG_KEY + "k"),
    Range("k", limit=0),
    Range("k", limit=RANGE_KEYS_MAX + 1),
    Range("k", mode=""),
    Delete(LONG_KEY),
    DeleteRange(LONG_KEY),
    Cas(LONG_KEY, None, ""),
    Cas("k", LONG_VALUE, ""),
    Compact(-1),
    Grant(1),
    Grant(LEASE_TTL_MAX_US + 1),
    KeepAlive(-1),
    InSession(1, 1, 0, Put("k", "v")),
    InSession(1, 1, 2, Put("k", "v")),
    InSession(1, SESSION_WINDOW + 1, 1, Put("k", "v")),
    InSession(1, 1, 1, Put(LONG_KEY, "")),
    Stamped(-1),
    Stamped(1, Grant(1)),
    Watch(LONG_KEY),
    Txn((), (Put(LONG_KEY, ""),)),
    Txn((), (), (Range("k", limit=0),)),
    Txn((), (Put("k", ""), Put("k", ""))),
    Txn((), (Put("k", ""), Delete("k"))),
    Txn((), (Put("k", ""), DeleteRange("", None))),
    Txn((), tuple(Put(f"k{n}", "") for n in range(TXN_STEPS_MAX + 1))),
    Txn((), tuple(Put(f"k{n}", "v" * VALUE_BYTES_MAX) for n in range(TXN_BYTES_MAX // VALUE_BYTES_MAX + 1))),
    Txn((Compare("k", "value", "=", 1),), ()),
    Txn((Compare("k", "version", "=", "1"),), ()),
    Txn((Compare("k", "colour", "=", "1"),), ()),
    Txn((Compare("k", "value", "~", "1"),), ()),
    Txn((Compare(LONG_KEY, "value", "=", "1"),), ()),
]


@pytest.mark.parametrize("operation", FIT, ids=lambda operation: type(operation).__name__)
def test_what_is_fit(operation: Operation | Command) -> None:
    assert unfit(operation) == ""


@pytest.mark.parametrize("operation", UNFIT, ids=lambda operation: type(operation).__name__)
def test_what_is_not(operation: Operation | Command) -> None:
    assert unfit(operation)


@pytest.mark.parametrize("command", [each for each in UNFIT if isinstance(each, Command)], ids=lambda command: type(command).__name__)
def test_an_unfit_command_that_reached_the_log_fails_without_effect(command: Command) -> None:
    store = Store()
    assert store.apply(1, 1, 1, encode_write(command)).outcome == "fail"
    assert (store.revision, len(store), len(store.leases), len(store.sessions)) == (0, 0, 0, 0)


def test_a_lone_surrogate_is_measured_and_not_raised_at() -> None:
    assert too_large("\ud800", "") == ""
