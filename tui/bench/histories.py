"""Histories to judge, drawn from stores that behave: so many clients, keys and operations, from one seed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import msgspec

REGISTER = ("read", "read", "write", "cas")
GROWING = ("get", "get", "put", "append", "append", "append")


class Load(msgspec.Struct, frozen=True):
    """`clients` work on each of `keys`; an operation stays open while the others of its key have their turns."""

    what: str
    operations: int
    clients: int
    keys: int
    fs: tuple[str, ...]
    unknown: float = 0.0


class _Key:
    """One key and its clients: operations take effect at one moment between invocation and return."""

    def __init__(self, load: Load, key: int, dice: random.Random) -> None:
        self._load, self._name, self._dice = load, f"k{key}", dice
        self._free = [f"{key}.{client}" for client in range(load.clients)]
        self._busy: list[list[Any]] = []  # process, f, value, outcome and result or None
        self._state: str | None = None
        self._written = 0
        self.left = load.operations // load.keys

    @property
    def busy(self) -> bool:
        return bool(self._busy) or self.left > 0

    def turn(self) -> dict[str, Any]:
        """The next record."""
        while True:
            if self._free and self.left and (not self._busy or self._dice.random() < 0.5):
                return self._begin()
            operation = self._dice.choice(self._busy)
            if operation[3] is not None:
                return self._end(operation, *operation[3])
            if operation[1] not in ("read", "get") and self._dice.random() < self._load.unknown:
                return self._end(operation, "info", operation[2])
            operation[3] = self._effect(operation[1], operation[2])

    def _begin(self) -> dict[str, Any]:
        process = self._free.pop(self._dice.randrange(len(self._free)))
        f = self._dice.choice(self._load.fs)
        self._written += 1
        self.left -= 1
        new = f"<{self._written}>"
        value: Any = None if f in ("read", "get") else [self._state, new] if f == "cas" else new
        self._busy.append([process, f, value, None])
        return {"type": "invoke", "process": process, "f": f, "key": self._name, "value": value}

    def _effect(self, f: str, value: Any) -> tuple[str, Any]:
        if f in ("read", "get"):
            return "ok", self._state
        if f == "cas" and self._state != value[0]:
            return "fail", value
        self._state = (self._state or "") + value if f == "append" else value[1] if f == "cas" else value
        return "ok", value

    def _end(self, operation: list[Any], kind: str, value: Any) -> dict[str, Any]:
        self._busy.remove(operation)
        process, f = operation[:2]
        self._free.append(f"{process}+" if kind == "info" else process)
        return {"type": kind, "process": process, "f": f, "key": self._name, "value": value}


def drawn(load: Load, seed: int) -> str:
    """A history as JSON lines."""
    return "".join(msgspec.json.encode(record).decode() + "\n" for record in _records(load, random.Random(seed)))


def _records(load: Load, dice: random.Random) -> Iterator[dict[str, Any]]:
    keys = [_Key(load, key, dice) for key in range(load.keys)]
    while keys:
        key = dice.choice(keys)
        yield key.turn()
        if not key.busy:
            keys.remove(key)


def at_once(operations: int, seed: int) -> str:
    """`operations` of one register, all open together: reads, writes and swaps in equal shares, unique values."""
    dice = random.Random(seed)
    state: str | None = None
    begun: list[dict[str, Any]] = []
    ended: list[dict[str, Any]] = []
    for process in range(operations):
        f, new = dice.choice(("read", "write", "cas")), f"u{process}"
        value: Any = {"read": None, "write": new, "cas": [state, new]}[f]
        begun.append({"type": "invoke", "process": process, "f": f, "value": value})
        state = state if f == "read" else new
        ended.append({"type": "ok", "process": process, "f": f, "value": state if f == "read" else value})
    dice.shuffle(begun)
    dice.shuffle(ended)
    return "".join(msgspec.json.encode(record).decode() + "\n" for record in (*begun, *ended))
