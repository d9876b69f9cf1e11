"""Reads are fresh (linearizability, its most often broken half): no read returns what a write had replaced before the read began.

Judged from client histories: write V was acknowledged before write W was asked for, W was acknowledged before the read was asked
for, and the read returned V. Values are written once, which is what tells V from W. Keys begin absent.
"""

from __future__ import annotations

from collections.abc import Mapping

from cluster.check.invariants.monitor import Handler, Monitor, bound, told
from cluster.check.violation import Violation
from cluster.core.types import Micros
from cluster.telemetry.control import HistoryLine

KEYS_MAX = 256  # the newest: clients leave hot keys behind
VALUES_MAX = 256  # per key
OPEN_MAX = 4_096


class _Write:
    """`acked_us` 0: no answer yet, or none that says it happened."""

    __slots__ = ("acked_us", "asked_us", "node", "value")

    def __init__(self, value: str | None, asked_us: Micros) -> None:
        self.value, self.asked_us = value, asked_us
        self.acked_us: Micros = 0
        self.node = ""


class _Key:
    """`newest`: of the acknowledged writes the one that was asked for last. `forgot`: not all values are known any more."""

    __slots__ = ("forgot", "newest", "writes")

    def __init__(self) -> None:
        self.writes: dict[str | None, _Write] = {}
        self.newest: _Write | None = None
        self.forgot = False


class ReadsAreFresh(Monitor):
    name = "reads are fresh"
    needs_every_event = False  # of nodes: it reads none of theirs

    def __init__(self) -> None:
        super().__init__()
        self._keys: dict[str, _Key] = {}
        self._open: dict[int, tuple[HistoryLine, _Write | None]] = {}  # process -> what it asked, the newest write then

    def handlers(self) -> Mapping[type, Handler]:
        return {HistoryLine: self._line}

    def _line(self, line: HistoryLine) -> Violation | None:
        if line.kind == "invoke":
            self._asked(line)
            return None
        asked, newest = self._open.pop(line.process, (None, None))
        if line.kind != "ok" or asked is None or asked.key != line.key:
            return None
        if line.f == "read":
            return self._read(line, asked, newest)
        self._acked(line)
        return None

    def _asked(self, line: HistoryLine) -> None:
        key = self._keys.get(line.key)
        if key is None:
            key = self._keys[line.key] = _Key()
            bound(self._keys, KEYS_MAX)
        if line.f != "read":
            value = line.value[-1] if line.value else None
            key.writes[value] = _Write(value, line.at_us)
            if len(key.writes) > VALUES_MAX:
                bound(key.writes, VALUES_MAX)
                key.forgot = True
        self._open[line.process] = (line, key.newest)
        if len(self._open) > OPEN_MAX:
            bound(self._open, OPEN_MAX)

    def _acked(self, line: HistoryLine) -> None:
        key = self._keys.get(line.key)
        write = key.writes.get(line.value[-1] if line.value else None) if key else None
        if key is None or write is None:
            return
        write.acked_us, write.node = line.at_us, line.node
        if key.newest is None or write.asked_us > key.newest.asked_us:
            key.newest = write

    def _read(self, line: HistoryLine, asked: HistoryLine, newest: _Write | None) -> Violation | None:
        self.checked += 1
        value = line.value[0] if line.value else None
        key = self._keys.get(line.key)
        if key is None or newest is None or value == newest.value:
            return None
        seen = key.writes.get(value)
        if value is not None and (seen is None or not seen.acked_us or seen.acked_us >= newest.asked_us):
            return None  # as new, or nobody can say how old
        return self._violated(
            line.at_us,
            f"{line.key}: {line.node} answered {value!r}, which {newest.value!r} had replaced before the read began",
            *([told(seen.node, seen.acked_us, f"acknowledged {value!r}")] if seen else []),
            told(newest.node, newest.asked_us, f"was asked to write {newest.value!r}"),
            told(newest.node, newest.acked_us, f"acknowledged {newest.value!r}"),
            told(line.node, asked.at_us, "was asked to read"),
            told(line.node, line.at_us, f"answered {value!r}"),
        )
