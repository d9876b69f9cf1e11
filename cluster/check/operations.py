"""Entries of a written history -> operations, one list per register or key.

Law 1: the order of the history is that of `index` where all records have one, else of `time` where all records have one and no index
says otherwise, else of the text. Records of one clock tick are taken to overlap as far as each process's own order allows.
Law 2: an operation without a return is pending to the end; a second invocation by a process whose operation is open, or a return
without an invocation, is malformed: a history with a hole proves nothing.
Law 3: a `reset` by no client empties the store: what is open then is lost, and every key begins anew.

A history is *keyed* when its records name a key, or when every client's value is `[key value]`. A key is one register or one object:
that is all the locality needed (Herlihy & Wing 1990, theorem 1).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import copy
from itertools import pairwise
from typing import Any

import msgspec

from cluster.check.formats.edn import written
from cluster.check.formats.entry import Entry, Malformed

NEVER = 1 << 62
# What a history may call it -> what it is. `delete` writes "absent".
REGISTER = {"read": "read", "write": "write", "cas": "cas"}
KV = {**REGISTER, "get": "read", "put": "write", "append": "append", "delete": "delete", "del": "delete"}
MODELS = {"register": REGISTER, "cas-register": REGISTER, "kv": KV}


class Operation:
    """`value`: what it wrote, would set, appended or saw; `expect`: a compare-and-set's condition; both as written, None for absent.

    `begun`, `told` and `ended` are places in the history: of its invocation, of what became known of it, and of its end, which is
    `NEVER` while it is open and when its outcome is unknown.
    """

    __slots__ = (
        *("begun", "ended", "expect", "f", "invoked_ns", "key", "line", "node", "number", "outcome"),
        *("process", "returned_ns", "said", "told", "value"),
    )

    def __init__(self, number: int, begun: int, entry: Entry, f: str, key: str) -> None:
        self.number, self.begun, self.told, self.ended = number, begun, NEVER, NEVER
        self.process, self.line, self.said, self.f, self.key = str(entry.process), entry.line, entry.f, f, key
        self.node, self.outcome = entry.node, ""
        self.invoked_ns = entry.time_ns
        self.returned_ns: int | None = None
        self.value: str | None = None
        self.expect: str | None = None
        if f == "delete":
            self.f = "write"

    @property
    def constrains(self) -> bool:
        """A read without a result, and what certainly had no effect, say nothing."""
        return self.outcome == "ok" or (self.outcome != "fail" and self.f != "read")

    def until(self, place: int) -> Operation:
        """As it looked at that place in the history: what returned later is open."""
        if self.told <= place:
            return self
        open_ = copy(self)
        open_.told, open_.ended, open_.outcome = NEVER, NEVER, ""
        return open_

    def __repr__(self) -> str:
        return f"{self.said} {self.expect + ' → ' if self.expect else ''}{self.value} [{self.begun}, {self.ended}] {self.outcome}"


def until(operations: Iterable[Operation], place: int) -> list[Operation]:
    """What was known of them at that place in the history."""
    return [operation.until(place) for operation in operations if operation.begun <= place]


class Operations(msgspec.Struct, frozen=True):
    """`by_key` in order of invocation; `count` operations in all, of which `completed` returned ok."""

    model: str
    by_key: dict[str, list[Operation]]
    count: int
    completed: int


def gathered(entries: Sequence[Entry], model: str = "") -> Operations:
    """The operations of a history. `model` "": the smallest that knows them all. Raises `Malformed`."""
    clients = [entry for entry in entries if entry.process is not None]
    model = model or ("register" if all(entry.f in REGISTER for entry in clients) else "kv")
    gathering = _Gathering(model, _keyed(clients))
    for entry in _ordered(entries):
        if entry.process is not None:
            gathering.take(entry)
        elif entry.f == "reset":
            gathering.reset()
    operations = gathering.operations
    by_key: dict[str, list[Operation]] = {}
    for operation in operations:
        by_key.setdefault(operation.key, []).append(operation)
    return Operations(model, by_key, len(operations), sum(operation.outcome == "ok" for operation in operations))


class _Gathering:
    def __init__(self, model: str, keyed: bool) -> None:
        self._model, self._known, self._keyed = model, MODELS[model], keyed
        self._open: dict[str, Operation] = {}
        self._place = self._resets = 0
        self.operations: list[Operation] = []

    def take(self, entry: Entry) -> None:
        process = str(entry.process)
        known = self._open.get(process)
        self._place += 1
        if entry.kind == "invoke":
            if known is not None:
                raise Malformed(entry.line, f"process {process} begins {entry.f} while its {known.said} of line {known.line} is open")
            self._open[process] = self._begun(entry)
            return
        if known is None:
            raise Malformed(entry.line, f"{entry.kind} by process {process}, which has nothing open")
        if known.said != entry.f:
            raise Malformed(entry.line, f"{entry.kind} of {entry.f} by process {process}, whose open operation is a {known.said}")
        del self._open[process]
        self._returned(known, entry)

    def reset(self) -> None:
        self._open.clear()
        self._resets += 1

    def _begun(self, entry: Entry) -> Operation:
        f = self._known.get(entry.f)
        if f is None:
            raise Malformed(entry.line, f"{entry.f} is no operation of the model {self._model} ({', '.join(self._known)})")
        key, value = self._split(entry)
        operation = Operation(len(self.operations), self._place, entry, f, key)
        if f == "cas":
            if not isinstance(value, tuple) or len(value) != 2:
                raise Malformed(entry.line, f"cas of {written(value)}: [expected new] is expected")
            operation.expect, operation.value = _or_absent(value[0]), _or_absent(value[1])
        elif f in ("write", "append"):
            operation.value = _or_absent(value)
            if operation.value is None:
                raise Malformed(entry.line, f"{entry.f} without a value")
        self.operations.append(operation)
        return operation

    def _returned(self, operation: Operation, entry: Entry) -> None:
        operation.outcome, operation.returned_ns = entry.kind, entry.time_ns
        operation.node, operation.told = entry.node or operation.node, self._place
        if entry.kind == "info":
            return
        operation.ended = self._place
        if operation.f == "read" and entry.kind == "ok":
            key, value = self._split(entry)
            if key != operation.key:
                raise Malformed(entry.line, f"{entry.f} of key {key}, begun on line {operation.line} for key {operation.key}")
            operation.value = _or_absent(value)

    def _split(self, entry: Entry) -> tuple[str, Any]:
        """The key's name and the bare value."""
        key, value = entry.key, entry.value
        if self._keyed:
            if not isinstance(value, tuple) or len(value) != 2:
                raise Malformed(entry.line, f"value {written(value)} is no [key value], as those before it are")
            key, value = value
        name = "" if key is None else written(key)
        return (f"{name} after reset {self._resets}".strip() if self._resets else name), value


def _or_absent(value: Any) -> str | None:
    return None if value is None else written(value)


def _keyed(clients: Sequence[Entry]) -> bool:
    """Whether the values are `[key value]`: they all look it, and what could as well be a bare pair does not."""
    invocations = [entry for entry in clients if entry.kind == "invoke"]
    return bool(invocations) and all(_looks_keyed(entry) for entry in invocations)


def _looks_keyed(entry: Entry) -> bool:
    value = entry.value
    if entry.key is not None or not isinstance(value, tuple) or len(value) != 2:
        return False
    f = KV.get(entry.f)
    return value[1] is None if f == "read" else isinstance(value[1], tuple) and len(value[1]) == 2 if f == "cas" else True


def _ordered(entries: Sequence[Entry]) -> Iterable[Entry]:
    """Law 1. Raises `Malformed` for an index used twice."""
    indexed = [entry.index for entry in entries if entry.index is not None]
    if indexed and len(indexed) == len(entries):
        in_order = sorted(entries, key=lambda entry: entry.index or 0)
        for before, entry in pairwise(in_order):
            if before.index == entry.index:
                raise Malformed(entry.line, f"index {entry.index} is used twice")
        return in_order
    if indexed or any(entry.time_ns is None for entry in entries):
        return entries
    return _by_time(entries)


def _by_time(entries: Sequence[Entry]) -> list[Entry]:
    """In order of time; within one tick what begins comes before what ends, unless it is the same process's next operation."""
    in_order: list[Entry] = []
    tick: list[Entry] = []
    for entry in sorted(entries, key=lambda entry: entry.time_ns or 0):
        if tick and tick[0].time_ns != entry.time_ns:
            in_order += _begin_first(tick)
            tick = []
        tick.append(entry)
    return in_order + _begin_first(tick)


def _begin_first(tick: list[Entry]) -> list[Entry]:
    first: list[Entry] = []
    later: list[Entry] = []
    for entry in tick:
        own_order = any(other.process == entry.process for other in later)
        (first if entry.kind == "invoke" and not own_order else later).append(entry)
    return first + later
