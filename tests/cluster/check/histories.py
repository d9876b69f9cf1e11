"""Histories to judge: written by hand, drawn at random, made by a true register; and a judge too simple to be wrong."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from cluster.telemetry.control import HistoryLine

Value = str | None
SHAPES = {"r": "read", "w": "write", "c": "cas"}


def history(text: str, key: str = "x") -> list[HistoryLine]:
    """One line per record: `process kind f values…`, `-` for None; times count up in milliseconds."""
    lines = []
    for number, record in enumerate(line for line in text.splitlines() if line.strip()):
        process, kind, f, *values = record.split()
        value = tuple(None if word == "-" else word for word in values)
        lines.append(HistoryLine(int(process), kind, SHAPES[f], key, value, (number + 1) * 1_000, f"n{int(process) % 3 + 1}"))
    return lines


@dataclass
class _Seen:
    f: str
    value: tuple[Value, ...]
    begun: int
    ended: float = float("inf")
    outcome: str = ""


def linearizable(lines: list[HistoryLine]) -> bool:
    """Try every order (Herlihy & Wing 1990, the definition itself). Exponential: for a handful of operations."""
    operations: list[_Seen] = []
    open_: dict[int, _Seen] = {}
    for at, line in enumerate(lines):
        if line.kind == "invoke":
            open_[line.process] = _Seen(line.f, line.value, at)
            operations.append(open_[line.process])
            continue
        operation = open_.pop(line.process)
        operation.outcome = line.kind
        if line.kind == "ok":
            operation.ended = at
            operation.value = line.value
    effective = [o for o in operations if o.outcome != "fail" and (o.f != "read" or o.outcome == "ok")]
    return _explained(effective, None)


def _explained(left: list[_Seen], state: Value) -> bool:
    if all(operation.outcome != "ok" for operation in left):
        return True
    limit = min(operation.ended for operation in left)
    for number, operation in enumerate(left):
        if operation.begun > limit or (operation.f != "write" and operation.value[0] != state):
            continue
        after = state if operation.f == "read" else operation.value[-1]
        if _explained(left[:number] + left[number + 1 :], after):
            return True
    return False


def first_inexplicable(lines: list[HistoryLine]) -> int | None:
    """Time of the record that ends the shortest prefix without an explanation; None when the whole has one."""
    for end, line in enumerate(lines, 1):
        if line.kind in ("ok", "fail") and not linearizable(lines[:end]):
            return line.at_us
    return None


def scattered(dice: random.Random, operations: int, processes: int, values: list[str]) -> list[HistoryLine]:
    """Operations with arbitrary results: most such histories have no explanation, many do."""
    lines: list[HistoryLine] = []
    open_: dict[int, tuple[str, tuple[Value, ...]]] = {}
    free, started, next_process = list(range(processes)), 0, processes
    while started < operations or open_:
        at_us = (len(lines) + 1) * 1_000
        if free and started < operations and (not open_ or dice.random() < 0.55):
            process = free.pop(dice.randrange(len(free)))
            started += 1
            f = dice.choice(["read", "write", "cas"])
            value: tuple[Value, ...] = tuple(dice.choice(values) for _ in range({"read": 0, "write": 1, "cas": 2}[f]))
            open_[process] = (f, value)
            lines.append(HistoryLine(process, "invoke", f, "x", value, at_us, "n1"))
            continue
        if started >= operations and dice.random() < 0.1:
            break  # some never return
        process = dice.choice(list(open_))
        f, asked = open_.pop(process)
        kind = dice.choices(["ok", "fail", "info"], [8, 1, 1.5])[0]
        seen = (dice.choice([*values, None]),) if f == "read" and kind == "ok" else asked
        lines.append(HistoryLine(process, kind, f, "x", seen, at_us, "n1"))
        free.append(next_process if kind == "info" else process)
        next_process += kind == "info"
    return lines


@st.composite
def small_histories(draw: Any) -> list[HistoryLine]:
    """Up to nine operations of up to four processes over up to three values."""
    dice = random.Random(draw(st.integers(0, 2**32)))
    values = ["a", "b", "c"][: draw(st.integers(1, 3))]
    return scattered(dice, draw(st.integers(2, 9)), draw(st.integers(2, 4)), values)


class TrueRegisters:
    """Registers that behave: operations take effect at one moment between invocation and return."""

    def __init__(self, seed: int, clients: int, keys: int, unknown: float = 0.0) -> None:
        self.dice, self.unknown, self.keys = random.Random(seed), unknown, keys
        self.lines: list[HistoryLine] = []
        self.now = 0
        self._store: dict[str, Value] = {}
        self._free = list(range(clients))
        self._next_process = clients
        self._written = 0
        self._busy: list[list[Any]] = []  # process, f, key, value, result or None
        self._adrift: list[list[Any]] = []  # unknown to their client; they may yet take effect

    def run(self, operations: int) -> list[HistoryLine]:
        returned = 0
        while returned < operations:
            self.now += 250
            if self._free and (not self._busy or self.dice.random() < 0.55):
                self._begin()
                continue
            operation = self.dice.choice(self._busy)
            if operation[4] is not None:
                self._return(operation)
                returned += 1
            elif self.dice.random() < self.unknown:
                self._set_adrift(operation)
                returned += 1
            else:
                self._take_effect(operation)
            if self._adrift and self.dice.random() < 0.3:
                self._take_effect(self._adrift.pop())
        return self.lines

    def _begin(self) -> None:
        process = self._free.pop(self.dice.randrange(len(self._free)))
        key, draw = f"k{self.dice.randrange(self.keys)}", self.dice.random()
        self._written += 1
        new = f"v{self._written}"
        f = "read" if draw < 0.45 else "write" if draw < 0.8 else "cas"
        value: tuple[Value, ...] = {"read": (), "write": (new,), "cas": (self._store.get(key), new)}[f]
        self._busy.append([process, f, key, value, None])
        self._line(process, "invoke", f, key, value)

    def _take_effect(self, operation: list[Any]) -> None:
        _, f, key, value, _ = operation
        if f == "read":
            operation[4] = ("ok", (self._store.get(key),))
        elif f == "write" or self._store.get(key) == value[0]:
            self._store[key] = value[-1]
            operation[4] = ("ok", value)
        else:
            operation[4] = ("fail", value)

    def _return(self, operation: list[Any]) -> None:
        self._busy.remove(operation)
        process, f, key, _, (kind, value) = operation
        self._line(process, kind, f, key, value)
        self._free.append(process)

    def _set_adrift(self, operation: list[Any]) -> None:
        self._busy.remove(operation)
        self._line(operation[0], "info", operation[1], operation[2], operation[3])
        self._free.append(self._next_process)
        self._next_process += 1
        if self.dice.random() < 0.7:
            self._adrift.append(operation)

    def _line(self, process: int, kind: str, f: str, key: str, value: tuple[Value, ...]) -> None:
        self.lines.append(HistoryLine(process, kind, f, key, value, self.now, f"n{process % 5 + 1}"))


def all_at_once(dice: random.Random, operations: int, shares: tuple[float, float, float], values: list[str]) -> list[HistoryLine]:
    """`operations` on one key, all open together, over a true register. `shares` of read, write, cas."""
    state: Value = None
    begun: list[HistoryLine] = []
    ended: list[HistoryLine] = []
    for process in range(operations):
        f = dice.choices(["read", "write", "cas"], shares)[0]
        new = dice.choice(values) if values else f"u{process}"
        expect = state if dice.random() < 0.6 else dice.choice(values or ["?"])
        value: tuple[Value, ...] = {"read": (), "write": (new,), "cas": (expect, new)}[f]
        begun.append(HistoryLine(process, "invoke", f, "x", value, 0, "n1"))
        refused = f == "cas" and expect != state
        if f != "read" and not refused:
            state = new
        seen = (state,) if f == "read" else value
        ended.append(HistoryLine(process, "fail" if refused else "ok", f, "x", seen, 1_000, "n1"))
    dice.shuffle(begun)
    dice.shuffle(ended)
    return begun + ended
