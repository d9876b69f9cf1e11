"""What one key can do: register (read, write, compare-and-set) and growing object (append as well), as a step of its state.

States and values are EDN texts (`formats.edn.written`), None for absent, so that 1 and "1" differ. An append to text lengthens the
text, an append to a list adds an element; which of the two a key is, its own values tell.

Law 1: where appends occur, absent, "" and [] are one state: appending to nothing makes the first piece.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from cluster.check.formats.entry import Malformed
from cluster.check.operations import Operation

State = str | None
EMPTY = ('""', "[]")
# A state that nothing yet to come tells from others like it: no text in EDN, so that nothing sees it.
UNSEEN = "\0"
ALWAYS = 1 << 62
SIGHTING_CHARS_MAX = 1_000_000


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
    if piece in EMPTY or state == UNSEEN:
        return state
    if state is None:
        return piece
    separator = " " if piece[0] == "[" else ""
    return state[:-1] + separator + piece[1:]


def flesh(state: State) -> str:
    """What lies between the quotes or brackets, each element of a list with a blank after it: appends only ever add at its end."""
    if state is None or state == UNSEEN:
        return state or ""
    return state[1:-1] + (" " if state[0] == "[" else "")


def may_become(base: str, goal: str, pieces: Iterable[str]) -> bool:
    """Whether appending some of `pieces`, each once, can make `goal` of `base` (all as `flesh`): never a wrong no.

    Where two different pieces fit, which one it was is not pursued.
    """
    if not goal.startswith(base):
        return False
    left = Counter(pieces)
    at = len(base)
    while at < len(goal):
        fitting = [piece for piece, count in left.items() if count and goal.startswith(piece, at)]
        if len(fitting) != 1:
            return bool(fitting)
        left[fitting[0]] -= 1
        at += len(fitting[0])
    return True


def last_sightings(pieces: Collection[str], observed: Mapping[str, int]) -> dict[str, int]:
    """piece -> the largest number of an observation that contains it, -1 for none; all as `flesh`. Too much text: `ALWAYS`."""
    if sum(map(len, observed)) > SIGHTING_CHARS_MAX:
        return dict.fromkeys(pieces, ALWAYS)
    found, lengths = dict.fromkeys(pieces, -1), sorted({len(piece) for piece in pieces})
    for text, number in observed.items():
        for at in range(len(text)):
            for length in lengths:
                piece = text[at : at + length]
                if found.get(piece, number) < number:
                    found[piece] = number
    return found


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
