"""The server's side of `Session`: who sits where, and what each has still to hear.

Law 1: a seat that reads too slowly loses periodic states (only the newest of each kind is kept), never a fact.
Law 2: a seat that is too slow even for facts is sent away, which it notices; nobody's memory grows with it.
Law 3: observers hear everything and command nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from cluster.commands.words import LINE_CHARS_MAX
from cluster.core.errors import ProtocolError
from cluster.monotonic import now_us
from cluster.supervisor.chronicle import Chronicle
from cluster.supervisor.parties import Guest, Party
from cluster.telemetry.control import Ask, ControlMessage, Goodbye, Hello, Welcome
from cluster.telemetry.events import (
    AppliedMark,
    Event,
    FaultHeard,
    Heartbeat,
    LeaderCommit,
    NodeState,
    OpsCounted,
    SeatChanged,
    Shadow,
)
from cluster.wire import heard_frames

SEATS_MAX = 16
_PENDING_MAX = 20_000
_BATCH_MAX = 500
# Leading edge: a lone event leaves at once, a burst is sent together. What nobody waits for gathers longer, half a frame of the
# dashboard: fifty nodes send two hundred states a second, and every wake-up of a front costs more than the state in it.
_GATHER_S = 0.005
_GATHER_UNHURRIED_S = 0.04
_UNHURRIED = (NodeState, OpsCounted, Heartbeat, AppliedMark, LeaderCommit, FaultHeard, Shadow)

Commanded = Callable[[str, int, str], None]


class Pending:
    """Events that a seat has not been sent yet, in order; of periodic ones only the newest, once the seat is slow."""

    def __init__(self, bound: int = _PENDING_MAX) -> None:
        self._bound = bound
        self._events: dict[int, Event] = {}  # place -> event, in order
        self._periodic: dict[tuple[str, ...], int] = {}
        self._next = 0

    def __len__(self) -> int:
        return len(self._events)

    def add(self, event: Event, coalesce: bool) -> bool:
        """False when it is full of facts."""
        kind = _periodic_kind(event)
        if kind is not None:
            older = self._periodic.get(kind)
            if coalesce and older is not None:
                self._events.pop(older, None)
            self._periodic[kind] = self._next
        elif len(self._events) >= self._bound:
            return False
        self._events[self._next] = event
        self._next += 1
        return True

    def take(self, count: int) -> tuple[Event, ...]:
        places = list(self._events)[:count]
        return tuple(self._events.pop(place) for place in places)


def _periodic_kind(event: Event) -> tuple[str, ...] | None:
    match event:
        case NodeState(node=node):
            return ("state", node)
        case OpsCounted():
            return ("ops",)
        case Heartbeat():
            return ("tick",)
    return None


class Seat:
    """One seat: a guest of the control socket."""

    def __init__(self, seats: Seats, party: Party, name: str, observer: bool) -> None:
        self._seats = seats
        self._party = party
        self.name = name
        self.observer = observer
        self._pending = Pending()
        self._flush: asyncio.TimerHandle | None = None
        self._flushed_at = 0.0
        self.risen = False  # said goodbye; stays only to hear the end

    def offer(self, event: Event) -> None:
        if not self._pending.add(event, coalesce=self._party.busy):
            self._party.abort()
            return
        if not self._party.busy:
            self._flush_by(self._flushed_at + (_GATHER_UNHURRIED_S if isinstance(event, _UNHURRIED) else _GATHER_S))

    def _flush_by(self, due_s: float) -> None:
        if self._flush is not None:
            if self._flush.when() <= due_s:
                return
            self._flush.cancel()
        loop = asyncio.get_running_loop()
        self._flush = loop.call_at(max(loop.time(), due_s), self.flush)

    def flush(self, *, force: bool = False) -> None:
        """Send what waits, as far as the seat reads (`force`: all of it)."""
        if self._flush is not None:
            self._flush.cancel()
            self._flush = None
        self._flushed_at = asyncio.get_running_loop().time()
        while len(self._pending) and (force or not self._party.busy):
            for frame in heard_frames(self._pending.take(_BATCH_MAX)):
                self._party.write(frame)

    # ---- Guest --------------------------------------------------------------------------------------------------

    def heard(self, message: ControlMessage) -> None:
        match message:
            case Ask(request=request, text=text):
                self._seats.asked(self, request, text)
            case Goodbye(end=end):
                self._seats.goodbye(self, end)
            case _:
                raise ProtocolError(f"a seat may not say {type(message).__name__}")

    def writable(self) -> None:
        self.flush()

    def left(self) -> None:
        if self._flush is not None:
            self._flush.cancel()
        self._seats.left(self)

    def close(self) -> None:
        self._party.close()

    def abort(self) -> None:
        self._party.abort()


class Seats:
    """All seats. `commanded(seat, request, text)` carries orders on.

    `deserted(end)` is called when no operator is left, or one asked for the end; True: the lab ends with that.
    """

    def __init__(self, chronicle: Chronicle, commanded: Commanded, deserted: Callable[[bool], bool]) -> None:
        self._chronicle = chronicle
        self._commanded = commanded
        self._deserted = deserted
        self._seats: dict[str, Seat] = {}
        self._gone = asyncio.Event()
        self.operator_came = False
        chronicle.listen(self._pass_on)

    def _pass_on(self, event: Event) -> None:
        for seat in list(self._seats.values()):
            seat.offer(event)

    def greet(self, party: Party, hello: Hello) -> Guest:
        if len(self._seats) >= SEATS_MAX:
            raise ProtocolError(f"all {SEATS_MAX} seats are taken")
        name = self._free_name(hello.name[:40] or "seat")
        seat = Seat(self, party, name, hello.observer)
        self.operator_came |= not hello.observer
        # Welcome first, then the seat is told of itself like everyone else: the view and the events after it have no gap.
        party.send(Welcome(name, self._chronicle.view))
        self._seats[name] = seat
        self._chronicle.tell(SeatChanged(now_us(), name, joined=True, observer=hello.observer))
        return seat

    def _free_name(self, wanted: str) -> str:
        if wanted not in self._seats:
            return wanted
        return next(f"{wanted}{n}" for n in range(2, SEATS_MAX + 3) if f"{wanted}{n}" not in self._seats)

    def asked(self, seat: Seat, request: int, text: str) -> None:
        if len(text) > LINE_CHARS_MAX:  # the answer repeats it to every seat and to the recording
            raise ProtocolError(f"a command of {len(text)} characters")
        self._commanded(seat.name, request, text)

    def observes(self, name: str) -> bool:
        return name in self._seats and self._seats[name].observer

    def goodbye(self, seat: Seat, end: bool) -> None:
        """A seat that leaves a lab that ends with it still hears the end."""
        if not self._rise(seat, end):
            self._seats.pop(seat.name, None)
            seat.close()

    def left(self, seat: Seat) -> None:
        self._rise(seat, end=False)
        if self._seats.get(seat.name) is seat:
            del self._seats[seat.name]
            self._gone.set()

    def _rise(self, seat: Seat, end: bool) -> bool:
        """Nobody sits there any more. True when the lab ends with that."""
        if seat.risen or self._seats.get(seat.name) is not seat:
            return False
        seat.risen = True
        self._chronicle.tell(SeatChanged(now_us(), seat.name, joined=False, observer=seat.observer))
        if seat.observer:
            return False
        if end or all(other.observer or other.risen for other in self._seats.values()):
            return self._deserted(end)
        return False

    async def close(self) -> None:
        """Send everybody what is left to hear, hang up, and wait until that has happened."""
        for seat in list(self._seats.values()):
            seat.flush(force=True)
            seat.close()
        while self._seats:
            self._gone.clear()
            await self._gone.wait()

    def abort(self) -> None:
        """Whoever still does not read."""
        for seat in list(self._seats.values()):
            seat.abort()
