"""Seats: a slow one loses states and no fact, a lost one is noticed, and the last operator's leaving is the end."""

from __future__ import annotations

from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.core.errors import ProtocolError
from cluster.core.types import FRAME_BYTES_MAX
from cluster.faults import FaultPlan, LinkFault
from cluster.framing import FrameSplitter
from cluster.supervisor.chronicle import Chronicle
from cluster.supervisor.parties import Party
from cluster.supervisor.seats import SEATS_MAX, Pending, Seat, Seats
from cluster.telemetry.control import Ask, Batch, ControlMessage, Goodbye, Heard, Hello, Welcome
from cluster.telemetry.events import CommandDone, Event, Heartbeat, PlanChanged, SeatChanged
from cluster.wire import CONTROL
from tests.cluster.telemetry.happened import opened, ops, process, state


class PretendParty:
    """A connection that remembers what was sent."""

    def __init__(self) -> None:
        self.busy = False
        self.sent: list[ControlMessage] = []
        self.closed = self.aborted = False

    def send(self, message: ControlMessage) -> None:
        self.write(CONTROL.encode(message))

    def write(self, frame: bytes) -> None:
        self.sent += [CONTROL.decode_body(body) for body in FrameSplitter().feed(frame)]

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.aborted = True

    @property
    def heard(self) -> list[Event]:
        return [event for message in self.sent if isinstance(message, Heard) for event in message.events]


class Room:
    """Seats over pretended connections."""

    def __init__(self, *, ends: bool = True) -> None:
        self.chronicle = Chronicle()
        self.chronicle.tell(opened())
        self.asked: list[tuple[str, int, str]] = []
        self.deserted: list[bool] = []
        self.seats = Seats(self.chronicle, lambda *asked: self.asked.append(asked), lambda end: bool(self.deserted.append(end)) or ends)

    def sit(self, name: str = "", *, observer: bool = False) -> tuple[Seat, PretendParty]:
        party = PretendParty()
        seat = self.seats.greet(cast(Party, party), Hello("seat", name, observer=observer))
        assert isinstance(seat, Seat)
        return seat, party


# ---- what waits for a slow seat -----------------------------------------------------------------------------------


def _fact(number: int) -> CommandDone:
    return CommandDone(number, "ada", number, "heal", True, "")


def test_facts_and_states_keep_their_order() -> None:
    pending = Pending()
    events: list[Event] = [_fact(1), state("n1", 2), state("n1", 3), _fact(4), ops(5)]
    assert all(pending.add(event, coalesce=False) for event in events)
    assert pending.take(2) == tuple(events[:2])
    assert pending.take(9) == tuple(events[2:])
    assert len(pending) == 0


def test_of_what_is_periodic_a_slow_seat_keeps_the_newest() -> None:
    pending = Pending()
    events: list[Event] = [state("n1", 1), state("n2", 2), Heartbeat(3, 0), _fact(4), state("n1", 5), ops(6), Heartbeat(7, 0), ops(8)]
    for event in events:
        pending.add(event, coalesce=True)
    assert pending.take(99) == (events[1], events[3], events[4], events[6], events[7])


def test_what_was_sent_is_not_taken_back_by_what_is_newer() -> None:
    pending = Pending()
    pending.add(state("n1", 1), coalesce=True)
    assert pending.take(1) == (state("n1", 1),)
    pending.add(state("n1", 2), coalesce=True)
    assert pending.take(9) == (state("n1", 2),)


def test_too_many_facts_are_refused_and_states_are_not() -> None:
    pending = Pending(bound=3)
    assert [pending.add(_fact(number), coalesce=True) for number in range(5)] == [True, True, True, False, False]
    assert pending.add(state("n1", 9), coalesce=True)
    assert len(pending.take(99)) == 4


@given(st.lists(st.integers(0, 5), max_size=300))
def test_memory_is_bounded_whatever_comes(kinds: list[int]) -> None:
    pending = Pending(bound=10)
    for at, kind in enumerate(kinds):
        event = (_fact(at), state("n1", at), state("n2", at), Heartbeat(at, 0), ops(at), _fact(at))[kind]
        pending.add(event, coalesce=True)
    assert len(pending) <= 10 + 4
    told = [event.at_us for event in pending.take(999)]
    assert told == sorted(told)


# ---- sitting down -------------------------------------------------------------------------------------------------


async def test_a_seat_is_told_all_that_is_known_and_then_everything_that_happens() -> None:
    room = Room()
    seat, party = room.sit("ada")
    welcome = party.sent[0]
    assert isinstance(welcome, Welcome)
    assert (welcome.seat, welcome.view.lab) == ("ada", opened())
    room.chronicle.tell(process("n1", "up", 5))
    seat.flush()
    assert [type(event) for event in party.heard] == [SeatChanged, type(process("n1", "up", 5))]
    assert room.seats.operator_came


async def test_names_are_unique_and_bounded() -> None:
    room = Room()
    names = [room.sit(name)[0].name for name in ("ada", "ada", "ada", "", "x" * 99)]
    assert names == ["ada", "ada2", "ada3", "seat", "x" * 40]


async def test_seats_are_bounded() -> None:
    room = Room()
    for _ in range(SEATS_MAX):
        room.sit("ada")
    with pytest.raises(ProtocolError, match=f"all {SEATS_MAX} seats are taken"):
        room.sit("ada")


async def test_an_order_is_carried_on_with_its_seat_and_number() -> None:
    room = Room()
    seat, _ = room.sit("ada")
    seat.heard(Ask(7, "heal"))
    assert room.asked == [("ada", 7, "heal")]
    with pytest.raises(ProtocolError, match="a seat may not say Batch"):
        seat.heard(Batch(()))


async def test_an_observer_is_known_as_one() -> None:
    room = Room()
    room.sit("ada")
    room.sit("eve", observer=True)
    assert (room.seats.observes("eve"), room.seats.observes("ada"), room.seats.observes("nobody")) == (True, False, False)


# ---- reading slowly -----------------------------------------------------------------------------------------------


async def test_a_seat_that_does_not_read_is_sent_nothing_until_it_does() -> None:
    room = Room()
    seat, party = room.sit("ada")
    seat.flush()
    party.busy = True
    told = len(party.heard)
    for at in range(1_000):
        room.chronicle.tell(state("n1", at), Heartbeat(at, 0))
    room.chronicle.tell(_fact(1_000))
    seat.flush()
    assert len(party.heard) == told
    party.busy = False
    seat.writable()
    assert party.heard[told:] == [state("n1", 999), Heartbeat(999, 0), _fact(1_000)]


async def test_a_seat_that_is_too_slow_for_facts_is_sent_away() -> None:
    room = Room()
    seat, party = room.sit("ada")
    seat._pending = Pending(bound=5)
    party.busy = True
    room.chronicle.tell(*map(_fact, range(6)))
    assert party.aborted


async def test_plans_of_many_links_reach_a_seat_in_several_frames() -> None:
    """A script that breaks fifty nodes forty times in one breath."""
    room = Room()
    seat, party = room.sit("ada")
    nodes = [f"n{number}" for number in range(1, 51)]
    links = tuple(LinkFault(a, b, loss=0.1, lease=1) for a in nodes for b in nodes if a != b)
    plans = [PlanChanged(version, FaultPlan(version, links), ()) for version in range(1, 51)]
    assert sum(len(CONTROL.encode(Heard((plan,)))) for plan in plans) > FRAME_BYTES_MAX
    room.chronicle.tell(*plans)
    seat.flush()
    assert [event for event in party.heard if isinstance(event, PlanChanged)] == plans


# ---- leaving ------------------------------------------------------------------------------------------------------


async def test_the_last_operator_ends_the_lab_and_still_hears_the_end() -> None:
    room = Room()
    (ada, at_ada), (bob, at_bob) = room.sit("ada"), room.sit("bob")
    room.sit("eve", observer=True)
    ada.heard(Goodbye())
    assert room.deserted == []
    assert at_ada.closed
    bob.heard(Goodbye())
    assert room.deserted == [False]
    assert not at_bob.closed  # it waits to hear how the lab ended
    bob.heard(Goodbye())  # said twice, counted once
    assert room.deserted == [False]


async def test_an_observer_ends_nothing_by_leaving() -> None:
    room = Room()
    room.sit("ada")
    eve, at_eve = room.sit("eve", observer=True)
    eve.heard(Goodbye(end=True))
    assert room.deserted == []
    assert at_eve.closed


async def test_an_operator_may_end_the_lab_for_everyone() -> None:
    room = Room()
    ada, _ = room.sit("ada")
    room.sit("bob")
    ada.heard(Goodbye(end=True))
    assert room.deserted == [True]


async def test_a_broken_connection_is_a_leaving_told_once() -> None:
    room = Room(ends=False)
    ada, _ = room.sit("ada")
    room.sit("bob")
    ada.left()
    ada.left()
    assert room.chronicle.view.seats == ("bob",)
    assert room.deserted == []
    again, _ = room.sit("ada")
    assert again.name == "ada"


async def test_at_the_end_everyone_is_sent_what_is_left_and_hung_up_on() -> None:
    room = Room()
    ada, at_ada = room.sit("ada")
    at_ada.busy = True
    room.chronicle.tell(_fact(5))

    def hang_up() -> None:
        at_ada.closed = True
        ada.left()

    at_ada.close = hang_up  # type: ignore[method-assign]
    await room.seats.close()
    assert at_ada.closed
    assert _fact(5) in at_ada.heard
