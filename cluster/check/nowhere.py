"""Values from nowhere: what was seen although nothing that had begun can have made it. No search is needed to find that.

Law 1: never a wrong accusation: where pieces fit in several ways, the value is taken to be made of them; and what failed in the end
may have been seen before it did.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence

from cluster.check.models import SIGHTING_CHARS_MAX, State, flesh
from cluster.check.operations import Operation

Form = Callable[[State], str]


class _Made:
    """What writes, swaps and appends of one key can have made, and when the earliest of each kind began."""

    def __init__(self, operations: Sequence[Operation], form: Form) -> None:
        self._whole: dict[str, int] = {"": -1}
        self._pieces: dict[str, list[int]] = {}
        for operation in operations:
            text = form(operation.value)
            if operation.f == "append":
                self._pieces.setdefault(text, []).append(operation.begun)
            elif operation.f != "read":
                self._whole[text] = min(operation.begun, self._whole.get(text, operation.begun))
        self._base_lengths = sorted({len(text) for text in self._whole})
        self._lengths = sorted({len(text) for text in self._pieces} - {0})

    def can_be(self, text: str, before: int) -> bool:
        """Whether `text` can have come about from what began before that place."""
        for length in self._base_lengths:
            base = text[:length]
            if len(base) == length and self._whole.get(base, before) < before and self._can_follow(text, length, before):
                return True
        return False

    def _can_follow(self, text: str, at: int, before: int) -> bool:
        used: Counter[str] = Counter()
        while at < len(text):
            fitting = [text[at : at + length] for length in self._lengths if text[at : at + length] in self._pieces]
            if len(set(fitting)) != 1:
                return bool(fitting)
            used[fitting[0]] += 1
            if used[fitting[0]] > bisect_left(self._pieces[fitting[0]], before):
                return False
            at += len(fitting[0])
        return True


def first_from_nowhere(operations: Sequence[Operation]) -> Operation | None:
    """Of the operations of one key that saw what cannot be, the one that returned first."""
    form = flesh if any(o.f == "append" for o in operations) else _whole
    made = _Made(sorted(operations, key=lambda o: o.begun), form)
    seeing = sorted((o for o in operations if o.outcome == "ok" and o.f in ("read", "cas")), key=lambda o: o.ended)
    texts = [form(o.value if o.f == "read" else o.expect) for o in seeing]
    if sum(map(len, texts)) > SIGHTING_CHARS_MAX:
        return None
    return next((o for o, text in zip(seeing, texts, strict=True) if not made.can_be(text, o.ended)), None)


def _whole(state: State) -> str:
    """Where nothing grows, a value is seen as it was written or not at all."""
    return state or ""
