"""An answer is caught by its call's field, as often as its step says for each value, and while its step stands."""

from __future__ import annotations

import pytest

from cluster.core.errors import ProtocolError
from scenarios.kit.calls import IN_FLIGHT_MAX, Answer, Call
from scenarios.kit.proxy_answers import OpenCalls, Snares
from scenarios.links import AnswerFault

EATS = AnswerFault(0, "payment", ("p-1", "p-2"), hits=1)
HOLDS = AnswerFault(1, "payment", ("p-1",), hits=2, method="charge", hold_ms=5.0)


def caught(snares: Snares, *calls: tuple[str, str]) -> list[int | None]:
    """The step after each call's answer; each call on a connection of its own."""
    found = []
    for number, (method, payment) in enumerate(calls):
        open_calls = OpenCalls(snares)
        open_calls.passes(Call(number, method, {"payment": payment}))
        by = open_calls.of(Answer(number, 200, {}))
        found.append(None if by is None else by.fault.step)
    return found


def test_hits_count_for_each_value_over_all_connections() -> None:
    snares = Snares()
    snares.obey((EATS,))
    assert caught(snares, ("charge", "p-1"), ("charge", "p-1"), ("charge", "p-2"), ("charge", "p-3")) == [0, None, 0, None]


def test_steps_come_in_their_order_and_a_method_is_another_condition() -> None:
    snares = Snares()
    snares.obey((EATS, HOLDS))
    assert caught(snares, *[("charge", "p-1")] * 4) == [0, 1, 1, None]
    snares = Snares()
    snares.obey((HOLDS,))
    assert caught(snares, ("status", "p-1"), ("charge", "p-1")) == [None, 1]


def test_a_hit_is_the_calls_that_came_first_whichever_answer_does() -> None:
    snares = Snares()
    snares.obey((EATS,))
    open_calls = OpenCalls(snares)
    for number in (1, 2):
        open_calls.passes(Call(number, "charge", {"payment": "p-1"}))
    assert open_calls.of(Answer(2, 200, {})) is None
    by = open_calls.of(Answer(1, 200, {}))
    assert by is not None
    assert by.value == "p-1"
    assert open_calls.of(Answer(1, 200, {})) is None


def test_a_step_that_is_over_lets_answers_pass() -> None:
    snares = Snares()
    snares.obey((EATS,))
    open_calls = OpenCalls(snares)
    open_calls.passes(Call(1, "charge", {"payment": "p-1"}))
    snares.obey(())
    assert open_calls.of(Answer(1, 200, {})) is None


def test_numbers_of_a_field_are_compared_as_they_are_written() -> None:
    snares = Snares()
    snares.obey((AnswerFault(0, "order", ("7",), hits=1),))
    open_calls = OpenCalls(snares)
    open_calls.passes(Call(1, "charge", {"order": 7}))
    assert open_calls.of(Answer(1, 200, {})) is not None


def test_open_calls_are_bounded() -> None:
    snares = Snares()
    snares.obey((AnswerFault(0, "payment", ("p-1",), hits=IN_FLIGHT_MAX + 1),))
    open_calls = OpenCalls(snares)
    for number in range(IN_FLIGHT_MAX):
        open_calls.passes(Call(number, "charge", {"payment": "p-1"}))
    with pytest.raises(ProtocolError):
        open_calls.passes(Call(IN_FLIGHT_MAX, "charge", {"payment": "p-1"}))
