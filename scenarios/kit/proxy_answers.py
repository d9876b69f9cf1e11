"""Which answers a proxy eats or holds: calls are looked at as they pass, and their answers known by the calls' numbers. Pure.

Law 1: the call passes whatever becomes of its answer: it has its effect.
Law 2: a hit is taken by the call, in the order in which calls come, and told when its answer is there: one whose answer never comes is
no hit that happened, but it is used up.
Law 3: what is remembered is bounded: a caller with more open calls than a server allows is no caller.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from cluster.core.errors import ProtocolError
from scenarios.kit.calls import IN_FLIGHT_MAX, Answer, Call
from scenarios.links import AnswerFault


class Caught(msgspec.Struct, frozen=True):
    """An answer that a step is after, and the value by which it knows it."""

    fault: AnswerFault
    value: str


class Snares:
    """Of one proxy, for all its connections."""

    def __init__(self) -> None:
        self._faults: tuple[AnswerFault, ...] = ()
        self._used: Counter[tuple[int, str]] = Counter()

    def obey(self, faults: Iterable[AnswerFault]) -> None:
        self._faults = tuple(faults)

    def claim(self, call: Call) -> Caught | None:
        """A hit of the first step that wants this call's answer."""
        for fault in self._faults:
            value = str(call.args.get(fault.field)) if fault.field else ""
            wanted = value in fault.values and fault.method in ("", call.method)
            if wanted and self._used[fault.step, value] < fault.hits:
                self._used[fault.step, value] += 1
                return Caught(fault, value)
        return None

    def stands(self, caught: Caught) -> bool:
        """Whether its step is still in force."""
        return caught.fault in self._faults


class OpenCalls:
    """Of one connection: the calls whose answers are wanted."""

    def __init__(self, snares: Snares) -> None:
        self._snares = snares
        self._caught: dict[int, Caught] = {}

    def passes(self, call: Call) -> None:
        """Raises `ProtocolError` beyond what any server allows."""
        caught = self._snares.claim(call)
        if caught is not None:
            if len(self._caught) == IN_FLIGHT_MAX:
                raise ProtocolError("too many calls in flight")
            self._caught[call.id] = caught

    def of(self, answer: Answer) -> Caught | None:
        """Who is after this answer; None lets it pass."""
        caught = self._caught.pop(answer.id, None)
        return caught if caught is not None and self._snares.stands(caught) else None
