"""The raw records of a run, read from byte 0: what an oracle judges by, and all that it may look at.

A run directory holds `params.json` and `truth.json` (what was asked for), `faults.jsonl` and `supervisor.jsonl` (what was done to
whom, by the parent that waits for them), `ledger/` (the protected resources, hash-chained), `history/` (what clients asked and heard)
and `trace/` (what processes said of themselves: for coverage and display, never for violations). `log/` is for people.

Law 1: a record that does not read as one, or a ledger line that does not follow from the one before it, is `RecordsBroken` with file
and line: a verdict over damaged records would be worth nothing.
Law 2: times are monotonic nanoseconds of one machine-wide clock, so they compare between processes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from cluster.core.errors import UNDECODABLE, FaultlineError
from scenarios.lines import GENESIS, LINE_BYTES_MAX, digest
from scenarios.outcome import Evidence as Evidence  # an oracle imports nothing but this file

FILE_BYTES_MAX = 64 * 1024 * 1024
_DONE = (("landed", False), ("hit", True))  # a delay at a failpoint lands nowhere but where it strikes
HAND = "hand"  # what a fault that no card asked for hangs upon
KILLED = -9  # the status of a process that a SIGKILL ended
AT_WORK = 409  # a server's "not yet": whoever hears it asks again
T = TypeVar("T")


class RecordsBroken(FaultlineError):
    """The records cannot be trusted; the text says which line of which file, and why."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"{where}: {reason}")
        self.where, self.reason = where, reason


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a run was asked to be. `scale` multiplies every duration of the incident alike."""

    slug: str
    variant: str
    toggles: dict[str, str]
    seed: int
    scale: float = 1.0


class Line(msgspec.Struct, frozen=True):
    """One record and where it stands (`ledger/payd.jsonl:12`)."""

    where: str
    data: dict[str, Any]

    def __getitem__(self, field: str) -> Any:
        try:
            return self.data[field]
        except KeyError:
            raise RecordsBroken(self.where, f"has no field {field!r}") from None

    def get(self, field: str) -> Any:
        return self.data.get(field)


class Judgement(msgspec.Struct, frozen=True):
    """What an oracle found. `coverage`: predicate -> whether the run really exercised it.

    `cured`: what a cure that works leaves behind (an answer from memory, a refusal). Without it a run without violations proves nothing;
    with violations its lack is no excuse: that is a cure that did not work.
    `finished`: that all came to its end. What is missing while it has not is late, and not yet wrong: an oracle counts what is certain,
    and a run without violations proves nothing then. What is certainly wrong stays so, however the run would have ended.
    """

    violations: tuple[Evidence, ...]
    coverage: dict[str, bool]
    metrics: dict[str, int | float]
    cured: dict[str, bool] = {}
    finished: dict[str, bool] = {}


class Pause(msgspec.Struct, frozen=True):
    """A time for which the kernel kept a process from running. `until_ns` is None when it was not continued."""

    from_ns: int
    until_ns: int | None


class Asked(msgspec.Struct, frozen=True):
    """What a client knows of each thing that it meant to have done, with the line that says so.

    `refused`: the answer was no, for good. `given_up`: the last of so many silences that it asks no more; it will never know.
    `unfinished`: none of these when the run ended.
    """

    told: dict[str, Line]
    refused: dict[str, Line]
    given_up: dict[str, Line]
    unfinished: tuple[str, ...]


class Records:
    """One run directory."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def params(self) -> Params:
        return self._document("params.json", Params)

    def truth(self) -> dict[str, Any]:
        """The workload as its generator made it, written before any of it was sent."""
        return self._document("truth.json", dict[str, Any])

    def faults(self) -> list[Line]:
        return list(self._lines("faults.jsonl"))

    def by_hand(self) -> tuple[str, ...]:
        """What somebody at a keyboard did to the run, in its order: "set fencing=on", "pause w1"; empty when it was left alone."""
        done = (line for line in self.faults() if line["on"] == HAND and (line["phase"], line["do"] == "delay") in _DONE)
        return tuple(f"{line['do']} {line['target']}" for line in done)

    def supervisor(self) -> list[Line]:
        return list(self._lines("supervisor.jsonl"))

    def all_done(self) -> bool:
        """Whether every client had done what it was to do when the run was ended, by the runner's word. Else its time ran out."""
        return any(line.get("done") for line in self._endings())

    def ended_ns(self) -> int:
        """When the runner ended the run; 0 when it did not say so."""
        return max((line["mono_ns"] for line in self._endings()), default=0)

    def _endings(self) -> list[Line]:
        return [line for line in self._lines("phases.jsonl") if line["phase"] == "ending"]

    def history(self, process: str) -> list[Line]:
        """Of one client; empty when it never asked for anything."""
        return list(self._lines(f"history/{process}.jsonl"))

    def trace(self, process: str, event: str = "") -> list[Line]:
        """Of one process, all of it or one kind of event."""
        return [line for line in self._lines(f"trace/{process}.jsonl") if event in ("", line["event"])]

    def ledger(self, name: str) -> list[Line]:
        """All lines of a protected resource, after its chain was checked. A ledger that is not there is broken records."""
        if not (self._root / "ledger" / f"{name}.jsonl").is_file():
            raise RecordsBroken(f"ledger/{name}.jsonl", "is missing")
        lines, before = [], GENESIS
        for number, (raw, line) in enumerate(self._raw(f"ledger/{name}.jsonl")):
            if line["seq"] != number or line["prev_sha"] != before:
                raise RecordsBroken(line.where, "does not follow from the line before it")
            before = digest(raw)
            lines.append(line)
        return lines

    def ledgers(self) -> list[str]:
        return sorted(path.stem for path in (self._root / "ledger").glob("*.jsonl"))

    def pauses(self, process: str) -> list[Pause]:
        """When the kernel stopped and continued it, by its parent's word."""
        found: list[Pause] = []
        for line in self.supervisor():
            if line["process"] != process:
                continue
            if line["event"] == "stopped":
                found.append(Pause(line["mono_ns"], None))
            elif line["event"] == "continued" and found:
                found[-1] = Pause(found[-1].from_ns, line["mono_ns"])
        return found

    def sent_after_pause(self, process: str) -> list[Line]:
        """What it asked for after it had stood still.

        Its parent stamped the stop while it could not run, so whatever it wrote later than that, it wrote after it woke. The stamp of the
        waking itself is no such bound: it may run before its parent hears that it does.
        """
        stops = [pause.from_ns for pause in self.pauses(process) if pause.until_ns is not None]
        return [line for line in self.history(process) if line["type"] == "invoke" and stops and line["time"] > stops[0]]

    def births(self, process: str) -> list[int]:
        """When its lives began, by its parent's word."""
        return [line["mono_ns"] for line in self.supervisor() if line["process"] == process and line["event"] == "started"]

    def deaths(self, process: str, *, killed: bool = False) -> list[int]:
        """When its lives ended; with `killed`, those that a SIGKILL ended."""
        ends = (line for line in self.supervisor() if line["process"] == process and line["event"] == "exited")
        return [line["mono_ns"] for line in ends if not killed or line["status"] == KILLED]

    def last_words(self, process: str, which: int = 0) -> Line | None:
        """What it traced last before it was killed for the first time, or for a later one; None when it never was, or said nothing."""
        deaths = self.deaths(process, killed=True)
        said = [line for line in self.trace(process) if len(deaths) > which and line["mono_ns"] < deaths[which]]
        return said[-1] if said else None

    def stranded(self, server: str, client: str, kind: str) -> list[Line]:
        """Effects of that kind that were the last thing in a life of the server, and of whose request the client heard nothing."""
        ledger = self.ledger(server)
        silent = {line["index"] for line in self.history(client) if line["type"] == "info"}
        lives = ([line for line in ledger if line["mono_ns"] < died_ns] for died_ns in self.deaths(server))
        last = [max(life, key=lambda line: line["seq"]) for life in lives if life]
        return [line for line in last if line["kind"] == kind and line["request"] in silent]

    def _document(self, name: str, kind: type[T]) -> T:
        try:
            return msgspec.json.decode(_read(self._root / name), type=kind)
        except FileNotFoundError:
            raise RecordsBroken(name, "is missing") from None
        except UNDECODABLE as error:
            raise RecordsBroken(name, str(error)) from None

    def _lines(self, name: str) -> Iterator[Line]:
        return (line for _, line in self._raw(name))

    def _raw(self, name: str) -> Iterator[tuple[bytes, Line]]:
        path = self._root / name
        content = _read(path) if path.is_file() else b""
        if content and not content.endswith(b"\n"):
            raise RecordsBroken(name, "ends in the middle of a line")
        for number, raw in enumerate(content.splitlines(), 1):
            yield raw, Line(f"{name}:{number}", _object(raw, f"{name}:{number}"))


def asked(wanted: Iterable[str], history: Iterable[Line], silences_max: int) -> Asked:
    """Of a client that asks for each `intent` until it is answered, or has met with more than `silences_max` silences."""
    told: dict[str, Line] = {}
    refused: dict[str, Line] = {}
    silences: dict[str, list[Line]] = {}
    intents: dict[int, str] = {}
    for line in history:
        # An outcome may carry no more than an error: then it is of what was asked for under its index.
        intent = intents.setdefault(line["index"], line["value"].get("intent", ""))
        if line["type"] == "ok":
            told[intent] = line
        elif line["type"] == "fail" and line["value"].get("status") not in (None, AT_WORK):
            refused[intent] = line
        elif line["type"] == "info":
            silences.setdefault(intent, []).append(line)
    answered = told.keys() | refused.keys()
    given_up = {of: lines[-1] for of, lines in silences.items() if of not in answered and len(lines) > silences_max}
    return Asked(told, refused, given_up, tuple(of for of in dict.fromkeys(wanted) if of not in answered | given_up.keys()))


_decoder = msgspec.json.Decoder(dict[str, Any])


def _object(raw: bytes, where: str) -> dict[str, Any]:
    if len(raw) > LINE_BYTES_MAX:
        raise RecordsBroken(where, f"is longer than {LINE_BYTES_MAX} bytes")
    try:
        return _decoder.decode(raw)
    except UNDECODABLE as error:
        raise RecordsBroken(where, f"is no JSON object: {error}") from None


def _read(path: Path) -> bytes:
    if path.stat().st_size > FILE_BYTES_MAX:
        raise RecordsBroken(path.name, f"is larger than {FILE_BYTES_MAX} bytes")
    return path.read_bytes()
