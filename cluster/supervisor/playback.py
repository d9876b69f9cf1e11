"""A recording behind the same door as a living lab: `Session` with pause, step, seek and speed.

Law 1: a file that was cut is played up to its last whole frame; a damaged frame is left out, also one whose events cannot have
       happened, and what follows it is played. One line says what is missing.
Law 2: the position is the number of events told; the view there is always the fold of exactly those events.
Law 3: memory is bounded: events stay in the file; views are kept at a bounded number of places.
"""

from __future__ import annotations

import asyncio
import bisect
import re
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from cluster.core.errors import ProtocolError, UsageError
from cluster.core.types import FRAME_BYTES_MAX, Micros, NodeId
from cluster.framing import HEADER_BYTES
from cluster.supervisor.journal import MAGIC
from cluster.telemetry.control import Heard, History, HistoryLine
from cluster.telemetry.events import Event, LabOpened
from cluster.telemetry.fold import fold
from cluster.telemetry.soundness import known_after
from cluster.telemetry.view import EMPTY, ClusterView
from cluster.wire import CONTROL

SPEEDS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 10.0)
_CHECKPOINTS_MAX = 256
_BATCH_MAX = 500


class Frame(msgspec.Struct, frozen=True):
    """Where a frame of events lies, how many came before it, and the newest time up to its end."""

    offset: int
    length: int
    first_event: int
    events: int
    until_us: Micros


class Recording:
    """An opened file: its index of frames, and events by number."""

    def __init__(self, path: str) -> None:
        """Raises `UsageError` when this is no recording, or one of another version."""
        self.path = path
        try:
            self._file: BinaryIO = Path(path).open("rb")
        except OSError as error:
            raise UsageError(f"cannot read {path}: {error.strerror}") from error
        self.note = ""  # one line when the file was cut or damaged
        self.frames: list[Frame] = []
        self.damaged = 0  # frames that are lost
        self._histories: list[int] = []  # where frames of client history lie
        self._cached: tuple[int, tuple[Event, ...]] = (-1, ())
        try:
            self._read_index()
        except UsageError:
            self._file.close()
            raise

    def _read_index(self) -> None:
        head = self._file.read(len(MAGIC))
        if head != MAGIC:
            kind = "a recording of another version" if head.startswith(b"FAULTLINE-RECORDING") else "not a recording"
            raise UsageError(f"{self.path} is {kind}")
        size = Path(self.path).stat().st_size
        offset, events, until_us = len(MAGIC), 0, 0
        damaged, first_damaged, cut, known = 0, 0, "", frozenset[NodeId]()
        while offset < size:
            try:
                body = self._body_at(offset)
            except ProtocolError as error:
                cut = f"{error}: played up to there"
                break
            batch = _events_in(body)
            after = None if batch is None else known_after(batch, known)
            if batch is None or after is None:
                damaged, first_damaged, batch = damaged + 1, first_damaged or offset, None
            elif not batch:
                self._histories.append(offset)
            else:
                known = after
                until_us = max(until_us, *(event.at_us for event in batch))
                self.frames.append(Frame(offset, len(body), events, len(batch), until_us))
            offset, events = offset + HEADER_BYTES + len(body), events + len(batch or ())
        self.damaged = damaged
        lost = f"damaged frames left out: {damaged}, the first at offset {first_damaged}" if damaged else ""
        if lost or cut:
            self.note = f"{self.path}: {'; '.join(filter(None, (lost, cut)))} ({events} events)"
        if not self.frames:
            raise UsageError(self.note or f"{self.path} holds no events")
        if not isinstance(self.event(0), LabOpened):
            raise UsageError(f"{self.path} does not begin with the opening of a lab{f' ({lost})' if lost else ''}: nothing can be shown")

    def _body_at(self, offset: int) -> bytes:
        """Raises `ProtocolError` where no frame can be told apart from what follows it."""
        self._file.seek(offset)
        header = self._file.read(HEADER_BYTES)
        length = int.from_bytes(header, "big")
        if len(header) < HEADER_BYTES:
            raise ProtocolError(f"cut in the header at offset {offset}")
        if length > FRAME_BYTES_MAX:
            raise ProtocolError(f"damaged at offset {offset}")
        body = self._file.read(length)
        if len(body) < length:
            raise ProtocolError(f"cut within a frame at offset {offset}")
        return body

    @property
    def count(self) -> int:
        """Events in all."""
        return self.frames[-1].first_event + self.frames[-1].events

    @property
    def began_us(self) -> Micros:
        return self.event(0).at_us

    @property
    def ended_us(self) -> Micros:
        return self.frames[-1].until_us

    def event(self, number: int) -> Event:
        place = bisect.bisect_right(self.frames, number, key=lambda frame: frame.first_event) - 1
        if self._cached[0] != place:
            self._cached = (place, _events_in(self._body_at(self.frames[place].offset)) or ())
        return self._cached[1][number - self.frames[place].first_event]

    def events(self, first: int, last: int) -> Iterator[Event]:
        """Events `first` … `last - 1`."""
        return (self.event(number) for number in range(first, last))

    def number_at(self, at_us: Micros) -> int:
        """How many events have been told by the time `at_us`."""
        place = bisect.bisect_right(self.frames, at_us, key=lambda frame: frame.until_us)
        if place == len(self.frames):
            return self.count
        frame = self.frames[place]
        newest = self.frames[place - 1].until_us if place else 0
        for number in range(frame.first_event, frame.first_event + frame.events):
            newest = max(newest, self.event(number).at_us)
            if newest > at_us:
                return number
        raise AssertionError("the frame's newest time is later than `at_us`")

    def history(self) -> Iterator[HistoryLine]:
        """What the clients asked and heard, in the order in which the supervisor heard of it."""
        for offset in self._histories:
            message = CONTROL.decode_body(self._body_at(offset))
            if isinstance(message, History):
                yield from message.lines

    def close(self) -> None:
        self._file.close()


def _events_in(body: bytes) -> tuple[Event, ...] | None:
    """Nothing for what a recording may hold beside events; None when the body is no frame of a recording."""
    try:
        message = CONTROL.decode_body(body)
    except ProtocolError:
        return None
    return message.events if isinstance(message, Heard) else () if isinstance(message, History) else None


class Playback:
    """`Session` over a recording. It starts paused at its beginning; `resume()` lets it run.

    `seek` and `step` return the view at the new position: the caller replaces its own with it. `events()` goes on from there.
    """

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.note = recording.note
        self.speed = 1.0
        self.playing = False
        self._next = 1  # the first event opens the lab: nothing can be shown before it
        self._view = fold(EMPTY, recording.event(0))
        self.initial = self._view
        self._views: dict[int, ClusterView] = {1: self._view}
        self._stride = max(500, -(-recording.count // _CHECKPOINTS_MAX))
        self._anchor = (time.monotonic(), recording.began_us)
        self._changed = asyncio.Event()
        self._closed = False

    @classmethod
    def open(cls, path: str) -> Playback:
        """Raises `UsageError`."""
        return cls(Recording(path))

    # ---- Session ------------------------------------------------------------------------------------------------

    @property
    def observer(self) -> bool:
        return True

    async def submit(self, text: str) -> int:
        raise UsageError("this is a recording: what happened cannot be changed")

    async def events(self) -> AsyncIterator[tuple[Event, ...]]:
        """Batches in their own time, scaled by the speed; ends when the playback is closed."""
        while not self._closed:
            batch = self._due()
            if batch:
                yield batch
                continue
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), self._until_next_s())
            except TimeoutError:
                continue

    async def close(self) -> None:
        self._closed = True
        self._changed.set()
        self.recording.close()

    # ---- the tape -----------------------------------------------------------------------------------------------

    @property
    def position_us(self) -> Micros:
        """Time since the beginning."""
        return self._clock_us() - self.recording.began_us

    @property
    def length_us(self) -> Micros:
        return self.recording.ended_us - self.recording.began_us

    @property
    def at_end(self) -> bool:
        return self._next >= self.recording.count

    def pause(self) -> None:
        self._move_anchor()
        self.playing = False
        self._changed.set()

    def resume(self) -> None:
        self._move_anchor()
        self.playing = True
        self._changed.set()

    def set_speed(self, speed: float) -> None:
        """Between a tenth and ten times."""
        self._move_anchor()
        self.speed = min(max(speed, SPEEDS[0]), SPEEDS[-1])
        self._changed.set()

    def seek(self, position_us: Micros) -> ClusterView:
        """Go to a time since the beginning."""
        at_us = self.recording.began_us + min(max(position_us, 0), self.length_us)
        return self._go(max(1, self.recording.number_at(at_us)), at_us)

    def step(self, events: int = 1) -> ClusterView:
        """Go on (or, with a negative number, back) by so many events, and stand still there."""
        number = min(max(self._next + events, 1), self.recording.count)
        view = self._go(number, None)
        self.playing = False
        return view

    def step_line(self, lines: int = 1) -> ClusterView:
        """Go on or back to the next event that adds a line to the log, and stand still there; to an end when there is none."""
        view = self._go(self._line_after() if lines > 0 else self._line_before(), None)
        self.playing = False
        return view

    @property
    def told(self) -> str:
        """The newest event that is part of the view, in words: `event 312 of 2044: vote given, n3`."""
        event = self.recording.event(self._next - 1)
        name = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(event).__name__).lower()
        node = getattr(event, "node", "")
        return f"event {self._next} of {self.recording.count}: {name}" + (f", {node}" if node else "")

    def _line_after(self) -> int:
        view = self._view
        for place, event in enumerate(self.recording.events(self._next, self.recording.count), self._next + 1):
            total, view = view.log_total, fold(view, event)
            if view.log_total > total:
                return place
        return self.recording.count

    def _line_before(self) -> int:
        """From the nearest view kept on: what an event adds can only be known by folding it."""
        until = self._next - 1
        for known in sorted((place for place in self._views if place <= until), reverse=True):
            view, found = self._views[known], 0
            for place, event in enumerate(self.recording.events(known, until), known + 1):
                total, view = view.log_total, fold(view, event)
                found = place if view.log_total > total else found
            if found:
                return found
            until = known
        return 1

    def _go(self, number: int, at_us: Micros | None) -> ClusterView:
        known = max(place for place in self._views if place <= number)
        start, view = known, self._views[known]
        if start <= self._next <= number:
            start, view = self._next, self._view
        for place, event in enumerate(self.recording.events(start, number), start + 1):
            view = fold(view, event)
            self._keep(place, view)
        self._next, self._view = number, view
        self._anchor = (time.monotonic(), view.now_us if at_us is None else at_us)
        self._changed.set()
        return view

    def _keep(self, place: int, view: ClusterView) -> None:
        """Law 3: a view every so many events; folding from the nearest one reaches any place quickly."""
        if place % self._stride == 0:
            self._views[place] = view

    def _due(self) -> tuple[Event, ...]:
        """Events whose time has come."""
        if not self.playing:
            return ()
        now = self._clock_us()
        batch: list[Event] = []
        while self._next < self.recording.count and len(batch) < _BATCH_MAX:
            event = self.recording.event(self._next)
            if event.at_us > now:
                break
            batch.append(event)
            self._next += 1
            self._view = fold(self._view, event)
            self._keep(self._next, self._view)
        return tuple(batch)

    def _until_next_s(self) -> float | None:
        """Wall seconds until the next event is due; None: only a key can change anything."""
        if not self.playing or self.at_end:
            return None
        return max(0.0, (self.recording.event(self._next).at_us - self._clock_us()) / 1e6 / self.speed)

    def _clock_us(self) -> Micros:
        wall_s, at_us = self._anchor
        if not self.playing:
            return at_us
        return min(at_us + round((time.monotonic() - wall_s) * 1e6 * self.speed), self.recording.ended_us)

    def _move_anchor(self) -> None:
        self._anchor = (time.monotonic(), self._clock_us())
