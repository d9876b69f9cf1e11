"""Histories of keyed objects as JSON records, and a judge that tries every order: text and lists as Python has them."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import msgspec

Record = dict[str, Any]


def text(records: list[Record]) -> str:
    return "".join(msgspec.json.encode(record).decode() + "\n" for record in records)


def applied(state: Any, f: str, value: Any, empty: Any) -> Any:
    """The state after an operation that returned ok; raises `LookupError` when it could not have. `empty` stands for absent."""
    if f in ("get", "read"):
        if state != (empty if value is None else value):
            raise LookupError
        return state
    if f in ("put", "write"):
        return empty if value is None else value
    if f == "delete":
        return empty
    if f == "append":
        return (state or "") + value if isinstance(empty, str) else [*(state or []), value]
    expect, new = value
    if state != (empty if expect is None else expect):
        raise LookupError
    return empty if new is None else new


@dataclass
class Seen:
    f: str
    value: Any
    begun: int
    ended: float = field(default=float("inf"))
    outcome: str = ""


def seen(records: list[Record]) -> list[Seen]:
    """Operations that say anything; `records` are of one key."""
    found: list[Seen] = []
    open_: dict[Any, Seen] = {}
    for at, record in enumerate(records):
        if record["type"] == "invoke":
            open_[record["process"]] = Seen(record["f"], record["value"], at)
            found.append(open_[record["process"]])
            continue
        operation = open_.pop(record["process"])
        operation.outcome = record["type"]
        if operation.outcome == "ok":
            operation.ended = at
            if operation.f == "get":
                operation.value = record["value"]
    return [o for o in found if o.outcome != "fail" and (o.f != "get" or o.outcome == "ok")]


def linearizable(records: list[Record], empty: Any) -> bool:
    """Try every order. Exponential: for a handful of operations on one key."""
    return _explained(seen(records), empty, empty)


def _explained(left: list[Seen], state: Any, empty: Any) -> bool:
    owed = [o for o in left if o.outcome == "ok"]
    if not owed:
        return True
    limit = min(o.ended for o in owed)
    for number, operation in enumerate(left):
        if operation.begun > limit:
            continue
        try:
            after = applied(state, operation.f, operation.value, empty)
        except LookupError:
            continue
        if _explained(left[:number] + left[number + 1 :], after, empty):
            return True
    return False


def first_inexplicable(records: list[Record], empty: Any) -> int | None:
    """Line (from 1) that ends the shortest prefix without an explanation."""
    for end, record in enumerate(records, 1):
        if record["type"] in ("ok", "fail") and not linearizable(records[:end], empty):
            return end
    return None


EVERYTHING = "get get put append append append cas delete"


class Store:
    """Draws a history of one key from a store that behaves, except that a get now and then returns what it returned earlier."""

    def __init__(self, dice: random.Random, empty: Any, lies: float, fs: str = EVERYTHING, repeats: float = 0.5) -> None:
        self.dice, self.empty, self.lies, self.fs, self.repeats = dice, empty, lies, fs.split(), repeats
        self.state = empty
        self.records: list[Record] = []
        self._past: list[Any] = [None]
        self._free: list[int] = []
        self._processes = 0
        self._busy: list[list[Any]] = []  # process, f, value, result or None
        self._pieces = 0

    def run(self, operations: int, processes: int, key: str | None = None, unknown: float = 0.1) -> list[Record]:
        self._free, self._processes = list(range(processes)), processes
        started = 0
        while started < operations or self._busy:
            if self._free and started < operations and (not self._busy or self.dice.random() < 0.5):
                self._begin()
                started += 1
                continue
            operation = self.dice.choice(self._busy)
            if operation[3] is None and self.dice.random() < unknown:
                self._return(operation, "info", operation[2], effect=self.dice.random() < 0.5)
            elif operation[3] is None:
                self._take_effect(operation)
            else:
                self._return(operation, *operation[3])
        return [{**record, "key": key} for record in self.records] if key is not None else self.records

    def _begin(self) -> None:
        process = self._free.pop(self.dice.randrange(len(self._free)))
        f = self.dice.choice(self.fs)
        self._pieces += 1
        piece: Any = f"<{self._pieces}>" if isinstance(self.empty, str) else self._pieces
        new = piece if isinstance(self.empty, str) else [piece]
        whole = self.dice.choice(self._past) or new if self.dice.random() < self.repeats else new
        value = {"get": None, "delete": None, "append": piece, "put": whole, "cas": [self.state or None, whole]}[f]
        self._busy.append([process, f, value, None])
        self.records.append({"type": "invoke", "process": process, "f": f, "value": value})

    def _take_effect(self, operation: list[Any]) -> None:
        _, f, value, _ = operation
        if f == "get":
            self._past.append(self.state or None)
            lie = self.dice.random() < self.lies
            operation[3] = ("ok", self.dice.choice(self._past) if lie else self.state or None)
            return
        try:
            self.state = applied(self.state, f, value, self.empty)
            operation[3] = ("ok", value)
        except LookupError:
            operation[3] = ("fail", value)

    def _return(self, operation: list[Any], kind: str, value: Any, effect: bool = False) -> None:
        self._busy.remove(operation)
        if effect and operation[1] != "get":
            self._take_effect(operation)
        process, f = operation[:2]
        self.records.append({"type": kind, "process": process, "f": f, "value": value})
        if kind == "info":
            process = self._processes
            self._processes += 1
        self._free.append(process)
