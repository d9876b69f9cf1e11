"""What one key can do: register (read, write, compare-and-set) and growing object (append as well), as a step of its state.

States and values are EDN texts (`formats.edn.written`), None for absent, so that 1 and "1" differ. An append to text lengthens the
text, an append to a list adds an element; which of the two a key is, its own values tell.

Law 1: where appends occur, absent, "" and [] are one state: appending to nothing makes the first piece.
"""

from __future__ import annotations

from collections.abc import Iterable

from cluster.check.formats.entry import Malformed
from cluster.check.operations import Operation

State = str | None
EMPTY = ('""', "[]")


class Impossible(Exception):
    """The operation cannot take effect in this state."""


def step(state: State, f: str, value: State, expect: State) -> State:
    """The state after an operation took effect. Raises `Impossible` when it cannot have returned as it did."""
    if f == "write":
        return value
    if f == "append":
        return appended(state, value or "")
    if state != (value if f == "read" else expect):
        raise Impossible
    return value


def appended(state: State, piece: str) -> State:
    """`piece` is text (`"…"`) or an element already in brackets (`[…]`)."""
    if state is None or piece in EMPTY:
        return piece if state is None and piece not in EMPTY else state
    separator = " " if piece[0] == "[" else ""
    return state[:-1] + separator + piece[1:]


def may_become(state: State, goal: State) -> bool:
    """Whether appends alone can make `goal` of `state`: never a wrong no."""
    return state is None or (goal is not None and goal.startswith(state[:-1]))


def prepare(operations: Iterable[Operation], model: str) -> bool:
    """Bring one key's values into the model's form. True: the key grows by appends. Raises `Malformed`.

    A store that answers "" for a key that it does not hold is taken at its word, unless somebody wrote "".
    """
    operations = list(operations)
    grows = any(operation.f == "append" for operation in operations)
    if grows:
        _prepare_growing(operations)
    elif model == "kv" and not any(operation.f in ("write", "cas") and operation.value == '""' for operation in operations):
        for operation in operations:
            if operation.f == "read" and operation.value == '""':
                operation.value = None
    return grows


def _prepare_growing(operations: list[Operation]) -> None:
    whole = [value for o in operations if o.f != "append" for value in (o.value, o.expect) if value is not None]
    pieces = [o.value or "" for o in operations if o.f == "append"]
    lists = any(value[0] == "[" for value in whole) or not all(piece[0] == '"' for piece in pieces)
    opening = "[" if lists else '"'
    for operation in operations:
        if operation.f == "append":
            if lists:
                operation.value = f"[{operation.value}]"
            continue
        for value in (operation.value, operation.expect):
            if value is not None and value[0] != opening:
                what = "a list" if lists else "text"
                raise Malformed(operation.line, f"{operation.said} of {value}, on a key that appends make {what}")
        operation.value = None if operation.value in EMPTY else operation.value
        operation.expect = None if operation.expect in EMPTY else operation.expect
