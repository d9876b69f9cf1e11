"""`fold_all(scene, news) -> scene`: how what a run tells becomes what a seat knows.

Law 1: the laws of `scene`; and a record that lacks what a line of its kind has is passed over: judging it is not done here.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable
from typing import Any

from msgspec.structs import replace

from scenarios import scene as s
from scenarios.feed import Answered, Clock, Judged, News, Opened, Told
from scenarios.links import STANDS
from scenarios.viewing import KINDS, Column, field, kind_of, meant, read_source, shown, takes_back, tells

_STATES = {"started": "up", "continued": "up", "stopped": "paused", "exited": "gone"}
_UNTOLD = frozenset({"mono_ns", "process", "event"})


def fold_all(scene: s.Scene, news: Iterable[News]) -> s.Scene:
    """The scene after all of them."""
    for one in news:
        match one:
            case Opened():
                scene = _opened(scene, one)
            case Told():
                scene = _told(scene, one)
            case Clock(mono_ns=now_ns, behind=behind):
                scene = replace(scene, now_ns=max(scene.now_ns, now_ns), behind=behind)
            case Answered(request=request, ok=ok, text=text):
                scene = replace(scene, answer=s.Answer(request, ok, text))
            case Judged(outcome=outcome):
                scene = replace(scene, outcome=outcome)
    return scene


def _opened(scene: s.Scene, opened: Opened) -> s.Scene:
    empty = tuple(s.Cell(0 if shown(counter)[0] != "newest" else None, 0) for counter in opened.view.counter)
    players = {member.name: s.Player(member.name) for member in opened.cast}
    rows: dict[str, dict[int, s.Cell]] = {row: {} for row in opened.rows[: s.ROWS_MAX]}
    return replace(scene, opened=opened, toggles=opened.toggles, players=players, rows=rows, counters=empty)


def _told(scene: s.Scene, told: Told) -> s.Scene:
    match told.file:
        case "phases.jsonl":
            return _each(scene, told, _phase)
        case "supervisor.jsonl":
            return _each(scene, told, _fate)
        case "faults.jsonl":
            return _each(scene, told, _fault)
    return _records(scene, told) if told.file.partition("/")[0] in KINDS else scene


def _each(scene: s.Scene, told: Told, take: Callable[[s.Scene, dict[str, Any]], s.Scene]) -> s.Scene:
    for line in told.lines:
        if isinstance(line.get("mono_ns"), int):
            scene = take(scene, line)
            scene = replace(scene, now_ns=max(scene.now_ns, line["mono_ns"]))
    return scene


def _phase(scene: s.Scene, line: dict[str, Any]) -> s.Scene:
    phase = str(line.get("phase", ""))
    times = {"running": "went_ns", "ending": "ended_ns"}
    scene = replace(scene, phase=phase)
    return replace(scene, **{times[phase]: line["mono_ns"]}) if phase in times else scene


def _fate(scene: s.Scene, line: dict[str, Any]) -> s.Scene:
    name, state = str(line.get("process", "")), _STATES.get(str(line.get("event", "")))
    if state is None:
        return scene
    before = scene.players.get(name, s.Player(name))
    spans = (*before.spans, s.Span(line["mono_ns"], state))[-s.SPANS_MAX :]
    after = replace(before, state=state, pid=line.get("pid", before.pid), status=line.get("status", 0), spans=spans)
    if line["event"] == "started":
        after = replace(after, lives=before.lives + 1)
    return replace(scene, players={**scene.players, name: after})


def _fault(scene: s.Scene, line: dict[str, Any]) -> s.Scene:
    step, do, target, at_ns = line.get("step", -1), str(line.get("do", "")), str(line.get("target", "")), line["mono_ns"]
    if line.get("phase") == "ended":
        return replace(scene, faults=_last(scene.faults, (step, do, target), lambda fault: replace(fault, ended_ns=at_ns)))
    if line.get("phase") == "hit":
        return replace(scene, faults=_last(scene.faults, (step, do, target), lambda fault: replace(fault, hits=fault.hits + 1)))
    if do == "set" and "=" in target:
        toggle, _, value = target.partition("=")
        scene = replace(scene, toggles={**scene.toggles, toggle: value})
    seen = s.FaultSeen(step, do, target, str(line.get("on", "")), line.get("ms"), at_ns, at_ns if do == "set" else 0)
    return replace(scene, faults=(*scene.faults, seen)[-s.FAULTS_MAX :])


def _last(
    faults: tuple[s.FaultSeen, ...], which: tuple[int, str, str], become: Callable[[s.FaultSeen], s.FaultSeen]
) -> tuple[s.FaultSeen, ...]:
    """What becomes of the last one of the kind that has not ended."""
    lasting = [i for i, fault in enumerate(faults) if (fault.step, fault.do, fault.target) == which and not fault.ended_ns]
    if not lasting:
        return faults
    place = lasting[-1]
    return (*faults[:place], become(faults[place]), *faults[place + 1 :])


# ---- ledgers, histories, traces --------------------------------------------------------------------------------------


def _records(scene: s.Scene, told: Told) -> s.Scene:
    view = scene.view
    columns = [(i, column) for i, column in enumerate(view.column) if tells(column, told.file)]
    counters = [(i, counter) for i, counter in enumerate(view.counter) if read_source(counter.of).is_of(told.file)]
    rows, counted, left_out = dict(scene.rows), list(scene.counters), scene.rows_left_out
    counts, beats, now_ns = dict(scene.counts), dict(scene.beats), scene.now_ns
    asked = dict(scene.asked.get(told.file, {}))
    touched: set[str] = set()
    for line in told.lines:
        kind, at_ns = kind_of(told.file, line), time_of(line)
        key = f"{told.file}:{kind}"
        now_ns = max(now_ns, at_ns)
        counts[key] = counts.get(key, 0) + 1
        beats[key] = _with_beat(beats.get(key, ()), at_ns // s.BEAT_NS)
        for i, counter in counters:
            if read_source(counter.of).kind == kind and meant(counter, line):
                counted[i] = _cell(counter, counted[i], line, at_ns)
        outcome_of = _asked(asked, line, kind, view.rows) if told.file.startswith("history/") else None
        for i, column in columns:
            back = takes_back(column, kind)
            if (back or read_source(column.of).kind == kind) and meant(column, line):
                found = field(line, column.row or view.rows)
                name = str(found if found is not None else outcome_of)
                if found is None and outcome_of is None:  # it is of no row
                    continue
                if name not in rows and len(rows) >= s.ROWS_MAX:
                    left_out += 1
                    continue
                if name not in touched:  # copied once a batch: the scene before must stay as it is
                    rows[name] = dict(rows.get(name, {}))
                    touched.add(name)
                rows[name][i] = (_without if back else _cell)(column, rows[name].get(i), line, at_ns)
    scene = replace(
        scene, rows=rows, rows_left_out=left_out, counters=tuple(counted), counts=counts, beats=beats, now_ns=now_ns,
        asked={**scene.asked, told.file: asked} if asked or told.file in scene.asked else scene.asked,
    )  # fmt: skip
    return _windowed(_traced(scene, told) if told.file.startswith("trace/") else scene, told)


def _asked(asked: dict[int, str], line: dict[str, Any], kind: str, rows: str) -> str | None:
    """An outcome may carry no more than an error: then it is of the row that was asked for under its index."""
    index = line.get("index")
    if not isinstance(index, int):
        return None
    if kind == "invoke":
        name = field(line, rows)
        if name is not None and len(asked) < s.ROWS_MAX:
            asked[index] = str(name)
        return None
    return asked.pop(index, None)


def time_of(line: dict[str, Any]) -> int:
    """Ledgers and traces call it `mono_ns`, histories `time`: one clock."""
    at_ns = line.get("mono_ns", line.get("time", 0))
    return at_ns if isinstance(at_ns, int) else 0


def _with_beat(beats: tuple[int, ...], beat: int) -> tuple[int, ...]:
    if beats and beats[-1] == beat:
        return beats
    place = bisect_left(beats, beat)
    if place < len(beats) and beats[place] == beat:
        return beats
    return (*beats[:place], beat, *beats[place:])[-s.BEATS_MAX :]


def _cell(column: Column, before: s.Cell | None, line: dict[str, Any], at_ns: int) -> s.Cell:
    how, name = shown(column)
    newest_ns = max(at_ns, before.at_ns if before is not None else 0)
    old = before.value if before is not None else None
    if how == "count":
        return s.Cell((old or 0) + 1, newest_ns)
    value = field(line, name)
    if how == "sum":
        return s.Cell((old or 0) + (value if isinstance(value, int | float) else 0), newest_ns)
    return s.Cell(value, at_ns) if before is None or at_ns >= before.at_ns else before


def _without(column: Column, before: s.Cell | None, line: dict[str, Any], at_ns: int) -> s.Cell:
    """What it names is over; of another one that stands there it says nothing."""
    if before is None or before.value == field(line, shown(column)[1]):
        return s.Cell(None, at_ns)
    return before


def _traced(scene: s.Scene, told: Told) -> s.Scene:
    name = told.file.partition("/")[2].removesuffix(".jsonl")
    marks = [s.Mark(time_of(line), name, str(line["event"]), _said(line)) for line in told.lines if "event" in line]
    if not marks:
        return scene
    scene = _standing_between(scene, name, told)
    newest = sorted((*scene.marks, *marks), key=lambda mark: (mark.at_ns, mark.process))[-s.MARKS_MAX :]
    return replace(scene, marks=tuple(newest))


def _standing_between(scene: s.Scene, name: str, told: Told) -> s.Scene:
    """A proxy says whose link it is on."""
    ends = [(str(line.get("src", "")), str(line.get("dst", ""))) for line in told.lines if line.get("event") == STANDS]
    if not ends:
        return scene
    return replace(scene, players={**scene.players, name: replace(scene.players.get(name, s.Player(name)), between=ends[-1])})


def _said(line: dict[str, Any]) -> str:
    return " ".join(f"{name}={value}" for name, value in line.items() if name not in _UNTOLD)


def _windowed(scene: s.Scene, told: Told) -> s.Scene:
    window = scene.opened.window if scene.opened is not None else None
    if window is None or told.file.partition("/")[2] != f"{window.process}.jsonl":
        return scene
    found: dict[str, tuple[int, ...]] = {}
    for name in ("opens", "closes"):
        source = read_source(getattr(window, name))
        if source.is_of(told.file):
            times = [time_of(line) for line in told.lines if kind_of(told.file, line) == source.kind]
            found[name] = (*getattr(scene, name), *times)
    return _first_window(replace(scene, **found)) if found else scene


def _first_window(scene: s.Scene) -> s.Scene:
    """All that matters is when it first opened and when it closed after that: it may open a thousand times."""
    opens = (min(scene.opens),) if scene.opens else ()
    after = [at for at in scene.closes if not opens or at > opens[0]]
    closes = (min(after),) if opens and after else tuple(sorted(after)[-s.MARKS_MAX :])
    return replace(scene, opens=opens, closes=closes)
