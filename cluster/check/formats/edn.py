"""Text in EDN (extensible data notation) -> values. A reader of data, not of programs: nothing is evaluated.

Law 1: any text gives values or `EdnError`, with the line; never another error, and never deeper nesting than `DEPTH_MAX`.
Law 2: `written` is one to one: equal texts mean equal values of equal types, so that 1, "1" and :1 stay apart.

nil, true, 1, 1.5, "a" are Python's own; :a is a `Keyword`; (1) and [1] are tuples (Clojure holds them equal); #{1} is a `Bag`; a map is
a dict from the *written* key to the value; #tag x is a `Tagged`; every other atom (symbol, character, ratio, exact decimal) is a `Symbol`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from cluster.core.errors import FaultlineError

DEPTH_MAX = 64
_DIGITS_MAX = 1_000  # more in one number is no history, and Python refuses to read very long ones


class EdnError(FaultlineError):
    """The text is no EDN; `line` counts from 1."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line, self.reason = line, reason


class Keyword(msgspec.Struct, frozen=True):
    """`name` without the colon."""

    name: str


class Symbol(msgspec.Struct, frozen=True):
    name: str


class Tagged(msgspec.Struct, frozen=True):
    tag: str
    value: Any


class Bag(msgspec.Struct, frozen=True):
    """A set: its elements as written, in order."""

    elements: tuple[str, ...]


# One token and what separates it from the last one. Commas are white space. Possessive, so that no text makes it backtrack.
_TOKEN = re.compile(
    r"""(?:[\s,]++|;[^\n]*+)*+(?:
      (?P<text>"[^"\\]*(?:\\.[^"\\]*)*")
    | (?P<open>\#?\{|[\[(])
    | (?P<close>[\])}])
    | (?P<discard>\#_)
    | \#(?P<tag>:?[A-Za-z][^\s,;"()\[\]{}\\]*)
    | (?P<atom>\\[^\s][^\s,;"()\[\]{}\\]*|[^\s,;"()\[\]{}\\]+)
    | (?P<end>\Z)
    )""",
    re.VERBOSE | re.DOTALL,
)
_INT = re.compile(r"[+-]?\d+N?")
_FLOAT = re.compile(r"[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?")
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPES = {"t": "\t", "r": "\r", "n": "\n", "b": "\b", "f": "\f", "\\": "\\", '"': '"'}
_CLOSER = {"[": "]", "(": ")", "{": "}", "#{": "}"}
_CONSTANTS = {"nil": None, "true": True, "false": False}


class _Open:
    """A bracket, a tag or a discard that waits for what belongs to it."""

    __slots__ = ("items", "kind", "line", "tag")

    def __init__(self, kind: str, line: int, tag: str = "") -> None:
        self.kind, self.line, self.tag = kind, line, tag
        self.items: list[Any] = []


def forms(text: str) -> Iterator[tuple[Any, int]]:
    """Every value at the top of `text` with the line on which it begins. Raises `EdnError`."""
    stack: list[_Open] = []
    at, line, began = 0, 1, 1
    while True:
        token = _TOKEN.match(text, at)
        if token is None:
            raise EdnError(line + text.count("\n", at), "a string that does not end, or a stray character")
        kind = token.lastgroup or ""
        line += text.count("\n", at, token.start(kind))
        began = began if stack else line
        if kind == "end":
            break
        for value in _taken(stack, kind, token[kind], line):
            yield value, began
        line += text.count("\n", token.start(kind), token.end())
        at = token.end()
    if stack:
        raise EdnError(stack[-1].line, f"{stack[-1].tag or stack[-1].kind} is never closed")


def form(text: str) -> Any:
    """The only value of `text`. Raises `EdnError`."""
    found = list(forms(text))
    if len(found) != 1:
        raise EdnError(1, f"{len(found)} values where one is expected")
    return found[0][0]


def _taken(stack: list[_Open], kind: str, token: str, line: int) -> list[Any]:
    """Take one token; the value that it completes at the top, if any."""
    if kind in ("open", "tag", "discard"):
        if len(stack) >= DEPTH_MAX:
            raise EdnError(line, f"nested deeper than {DEPTH_MAX}")
        stack.append(_Open(token, line) if kind == "open" else _Open(kind, line, f"#{token}" if kind == "tag" else "#_"))
        return []
    if kind == "close":
        return _completed(stack, _closed(stack, token, line))
    return _completed(stack, _text(token, line) if kind == "text" else _atom(token, line))


def _completed(stack: list[_Open], value: Any) -> list[Any]:
    while stack and stack[-1].kind in ("tag", "discard"):
        prefix = stack.pop()
        if prefix.kind == "discard":
            return []
        value = Tagged(prefix.tag[1:], value)
    if stack:
        stack[-1].items.append(value)
        return []
    return [value]


def _closed(stack: list[_Open], token: str, line: int) -> Any:
    if not stack or _CLOSER.get(stack[-1].kind) != token:
        expected = f" where {_CLOSER.get(stack[-1].kind) or f'a value after {stack[-1].tag}'} is expected" if stack else ""
        raise EdnError(line, f"{token}{expected}")
    opened = stack.pop()
    if opened.kind == "#{":
        return Bag(tuple(sorted(written(item) for item in opened.items)))
    if opened.kind != "{":
        return tuple(opened.items)
    if len(opened.items) % 2:
        raise EdnError(opened.line, "a map with a key that has no value")
    keys = [written(key) for key in opened.items[::2]]
    if len(set(keys)) < len(keys):
        raise EdnError(opened.line, "a map with one key twice")
    return dict(zip(keys, opened.items[1::2], strict=True))


def _text(token: str, line: int) -> str:
    def meant(escape: re.Match[str]) -> str:
        code = escape[1]
        if len(code) == 5:
            return chr(int(code[1:], 16))
        if code not in _ESCAPES:
            raise EdnError(line, f"unknown escape \\{code} in a string")
        return _ESCAPES[code]

    try:  # Clojure writes what lies beyond 16 bits as two escapes
        return _ESCAPE.sub(meant, token[1:-1]).encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise EdnError(line, "half of a surrogate pair in a string") from None


def _atom(token: str, line: int) -> Any:
    if token in _CONSTANTS:
        return _CONSTANTS[token]
    if token[0] == ":" and len(token) > 1:
        return Keyword(token[1:])
    if token[0] in "+-0123456789" and len(token) > _DIGITS_MAX:
        raise EdnError(line, f"a number of more than {_DIGITS_MAX} digits")
    if _INT.fullmatch(token):
        return int(token.removesuffix("N"))
    if _FLOAT.fullmatch(token):
        number = float(token)
        if abs(number) == float("inf"):
            raise EdnError(line, f"{token} is too large for a number")
        return number
    return Symbol(token)


def written(value: Any) -> str:
    """A value as EDN text: the same for equal values, and only for those (Law 2)."""
    match value:
        case None:
            return "nil"
        case bool():
            return "true" if value else "false"
        case str():
            return json.dumps(value, ensure_ascii=False)
        case Keyword(name=name):
            return f":{name}"
        case Symbol(name=name):
            return name
        case Tagged(tag=tag, value=inner):
            return f"#{tag} {written(inner)}"
        case Bag(elements=elements):
            return f"#{{{' '.join(elements)}}}"
        case tuple():
            return f"[{' '.join(map(written, value))}]"
        case dict():
            return f"{{{', '.join(f'{key} {written(item)}' for key, item in sorted(value.items()))}}}"
    return repr(value)
