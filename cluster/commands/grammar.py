"""One line of the operators' grammar -> a `Command`.

Law 1: parsing knows no cluster: whether n7 exists, and who `leader` is, is asked when the command fires.
Law 2: whatever cannot be understood raises `UsageError` with one line that names the column and what was expected.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from cluster.commands import model
from cluster.commands.dialect import LAB, Dialect
from cluster.commands.line import Line, atoms_in, links_in, targets_in
from cluster.commands.quantities import read_duration, read_number, read_percent, read_rate
from cluster.commands.run_grammar import RUN_READERS
from cluster.commands.verbs import BY_NAME, CUT_SHAPES, DISK_MODES, READ_MODES
from cluster.commands.words import Word, did_you_mean, missing, split, wrong
from cluster.core.errors import UsageError
from cluster.core.types import KEY_BYTES_MAX, NODES_MAX, SECOND, VALUE_BYTES_MAX, Micros

_FAULT_ID = re.compile(r"#?([0-9]{1,9})\Z")
_NODE = re.compile(r"n[1-9]\d{0,3}\Z")
# What other tools call these verbs: nobody should have to guess ours.
_OTHER_NAMES = {
    "kill": "crash", "delay": "slow", "latency": "slow", "partition": "cut", "split": "cut", "stop": "pause", "sigstop": "pause",
    "start": "restart", "resume": "heal", "cont": "heal", "unpause": "heal", "drop": "loss", "duplicate": "dup", "clock": "skew",
    "write": "put", "read": "get", "rumor": "rumour", "erase": "wipe", "limit": "throttle", "unfreeze": "thaw",
}  # fmt: skip
# Their words are the user's own, in which `|` and `>` are letters like others.
_OF_DATA = ("put", "get", "rumour", "set")
_SIDES_MAX = 16
_RUMOUR_CHARS_MAX = 200
_RATE_MAX = 100_000
# More than loopback carries; what is larger is a slip of the keyboard.
_BYTES_PER_S_MAX = 10_000_000_000
_SKEW_MAX_US = 3_600 * SECOND


def parse(text: str, dialect: Dialect = LAB) -> model.Command:
    """One command, as a lab or as an incident's run understands it. Raises `UsageError`."""
    words = split(text)
    if not words:
        raise missing(text, "a verb, such as in 'pause leader 2s',")
    verb, *rest = words
    if verb.text in _OF_DATA:
        verb, *rest = split(text, signs=False)
    reader = _READERS.get(verb.text) or (RUN_READERS.get(verb.text) if dialect.of_run else None)
    if reader is None:
        raise UsageError(f"column {verb.column}: there is no verb {verb.text!r}{_hint(verb.text, dialect)}")
    line = Line(text, verb, rest, dialect)
    if verb.text in BY_NAME and BY_NAME[verb.text].lasts:
        _take_for(line)
    return reader(line)


def _hint(verb: str, dialect: Dialect) -> str:
    if verb in RUN_READERS:
        return " in a lab: only the runs of incidents have it"
    meant = _OTHER_NAMES.get(verb.lower())
    return f" (did you mean {meant!r}?)" if meant else did_you_mean(verb, (*BY_NAME, *(RUN_READERS if dialect.of_run else ())))


def _take_for(line: Line) -> None:
    """`for 3s` at the end of any fault, or a bare duration where the verb itself takes none."""
    words = line.words
    if len(words) >= 1 and words[-1].text == "for":
        raise missing(line.text, "a duration such as 3s")
    if len(words) >= 2 and words[-2].text == "for":
        line.for_us = _lease_length(words[-1])
        del words[-2:]
    elif words and line.verb.text not in ("slow", "skew", "disk") and read_duration(words[-1].text) is not None:
        line.for_us = _lease_length(words.pop())
    for word in words:
        if word.text == "for":
            raise wrong(word, "expected here: 'for 3s' stands at the end")


def _lease_length(word: Word) -> Micros:
    duration = read_duration(word.text)
    if duration is None or duration <= 0 or word.text[0] in "+-":
        raise wrong(word, "a duration such as 3s or 500ms")
    if duration > model.LEASE_MAX_US:
        raise wrong(word, "allowed: a fault lasts at most 1h")
    return duration


# ---- one reader per verb ------------------------------------------------------------------------------------------


def _cut(line: Line) -> model.Command:
    if len(line.words) == 1 and line.words[0].text in CUT_SHAPES:
        return model.CutShape(shape=line.words[0].text, for_us=line.for_us)
    if line.words and line.words[0].text not in ("|", ">") and not line.dialect.atom.match(line.words[0].text.split(",")[0]):
        raise wrong(line.words[0], f"{line.dialect.either}, ring or bridge", (*line.dialect.known, *CUT_SHAPES))
    sides = [targets_in(line)]
    between = line.take("'|' (two sides) or '>' (one way)")
    if between.text not in ("|", ">"):
        raise wrong(between, "'|' (two sides) or '>' (one way)")
    sides.append(targets_in(line))
    while line.words and between.text == "|":
        again = line.take("'|'")
        if again.text != "|":
            raise wrong(again, "'|' or the end of the line")
        sides.append(targets_in(line))
    line.end()
    if len(sides) > _SIDES_MAX:
        raise UsageError(f"a cut makes at most {_SIDES_MAX} sides, these are {len(sides)}")
    return model.Cut(sides=tuple(sides), one_way=between.text == ">", for_us=line.for_us)


def _isolate(line: Line) -> model.Command:
    return _only(line, model.Isolate(targets=targets_in(line), for_us=line.for_us))


def _pause(line: Line) -> model.Command:
    return _only(line, model.Pause(targets=targets_in(line), for_us=line.for_us))


def _crash(line: Line) -> model.Command:
    return _only(line, model.Crash(targets=targets_in(line), for_us=line.for_us))


def _restart(line: Line) -> model.Command:
    return _only(line, model.Restart(targets_in(line)))


def _wipe(line: Line) -> model.Command:
    return _only(line, model.Wipe(targets_in(line)))


def _transfer(line: Line) -> model.Command:
    return _only(line, model.Transfer(targets_in(line)))


def _add(line: Line) -> model.Command:
    nodes: list[str] = []
    while line.words and not (nodes and line.words[0].text == "learner"):
        nodes += [node for node in _nodes(line) if node not in nodes]
    if not nodes:
        raise missing(line.text, "a node such as n6")
    learner = bool(line.words) and line.words.pop(0).text == "learner"
    return _only(line, model.Add(tuple(nodes), learner))


def _nodes(line: Line) -> list[str]:
    """A comma list of nodes that need not exist yet."""
    word = line.take("a node such as n6")
    nodes = word.text.split(",")
    for node in nodes:
        if not _NODE.match(node):
            raise wrong(word, "a node such as n6")
        if int(node[1:]) > NODES_MAX:
            raise wrong(word, f"allowed: a lab has at most {NODES_MAX} nodes")
    return nodes


def _remove(line: Line) -> model.Command:
    return _only(line, model.Remove(targets_in(line)))


def _replace(line: Line) -> model.Command:
    old = atoms_in(line, line.take(line.dialect.one))
    new = _nodes(line)
    if len(new) > 1:
        raise UsageError(f"one node takes another's place, not {len(new)}")
    return _only(line, model.Replace(old, new[0]))


def _only(line: Line, command: model.Command) -> model.Command:
    line.end()
    return command


def _slow(line: Line) -> model.Command:
    links = links_in(line)
    delay_us = _positive(line, "a delay such as 80ms")
    jitter_us = 0
    if line.words:
        word = line.take("a jitter")
        bare = word.text.removeprefix("±").removeprefix("+-").removeprefix("+/-")
        jitter = read_duration(bare) if bare != word.text and bare[:1].isdigit() else None
        if jitter is None or jitter > delay_us:
            raise wrong(word, "a jitter such as ±20ms (no larger than the delay)")
        jitter_us = jitter
    return _only(line, model.Slow(links=links, delay_us=delay_us, jitter_us=jitter_us, for_us=line.for_us))


def _positive(line: Line, expected: str) -> Micros:
    word = line.take(expected)
    duration = read_duration(word.text)
    if duration is None or duration <= 0 or word.text[0] == "+" or duration > model.LEASE_MAX_US:
        raise wrong(word, expected)
    return duration


def _spoil(line: Line) -> model.Command:
    links = links_in(line)
    word = line.take("a share such as 20%")
    chance = read_percent(word.text)
    if chance is None or chance <= 0:
        raise wrong(word, "a share between 0% and 100%, such as 20%")
    return _only(line, model.Spoil(verb=line.verb.text, links=links, chance=chance, for_us=line.for_us))


def _throttle(line: Line) -> model.Command:
    links = links_in(line)
    word = line.take("a rate such as 64kB/s")
    rate = read_rate(word.text)
    if not rate or rate > _BYTES_PER_S_MAX:
        raise wrong(word, "a rate such as 64kB/s (at most 10000MB/s)" if rate else "a rate such as 64kB/s")
    return _only(line, model.Throttle(links=links, bytes_per_s=rate, for_us=line.for_us))


def _skew(line: Line) -> model.Command:
    targets = targets_in(line)
    word = line.take("a signed duration such as +500ms")
    skew = read_duration(word.text)
    if not skew or abs(skew) > _SKEW_MAX_US:
        raise wrong(word, "a signed duration such as +500ms (at most 1h)")
    return _only(line, model.Skew(targets=targets, skew_us=skew, for_us=line.for_us))


def _drift(line: Line) -> model.Command:
    targets = targets_in(line)
    word = line.take("a factor such as 1.02")
    factor = read_number(word.text)
    if factor is None or not 0.1 <= factor <= 10:
        raise wrong(word, "a factor between 0.1 and 10, such as 1.02")
    return _only(line, model.Drift(targets=targets, factor=factor, for_us=line.for_us))


def _disk(line: Line) -> model.Command:
    targets = targets_in(line)
    word = line.take("slow, hang or fail")
    if word.text not in DISK_MODES:
        raise wrong(word, "slow, hang or fail", DISK_MODES)
    delay_us = _positive(line, "a delay such as 200ms") if word.text == "slow" else 0
    return _only(line, model.Disk(targets=targets, mode=word.text, delay_us=delay_us, for_us=line.for_us))


def _heal(line: Line) -> model.Command:
    ids: list[int] = []
    while line.words and (number := _FAULT_ID.match(line.words[0].text)):
        line.words.pop(0)
        ids += [int(number.group(1))] if int(number.group(1)) not in ids else []
    if not line.words:
        return model.Heal(ids=tuple(ids))
    if not line.dialect.atom.match(line.words[0].text.split(",")[0]):
        raise wrong(line.words[0], f"a fault's number, {line.dialect.one}", line.dialect.known)
    return _only(line, model.Heal(ids=tuple(ids), targets=targets_in(line)))


def _put(line: Line) -> model.Command:
    key = _key(line)
    value = line.remainder()
    if not value:
        raise missing(line.text, "a value")
    if len(value.encode()) > VALUE_BYTES_MAX:
        raise UsageError(f"a value has at most {VALUE_BYTES_MAX} bytes")
    return model.Put(key, value)


def _key(line: Line) -> str:
    word = line.take("a key")
    if len(word.text.encode()) > KEY_BYTES_MAX:
        raise UsageError(f"column {word.column}: a key has at most {KEY_BYTES_MAX} bytes")
    return word.text


def _get(line: Line) -> model.Command:
    key = _key(line)
    if not line.words:
        return model.Get(key)
    word = line.take("a mode")
    if word.text not in READ_MODES:
        raise wrong(word, "linearizable, lease or serializable", READ_MODES)
    return _only(line, model.Get(key, word.text))


def _workload(line: Line) -> model.Command:
    word = line.take("on, off or a rate in operations per second")
    if word.text in ("on", "off"):
        return _only(line, model.Workload(None if word.text == "on" else 0))
    if not (word.text.isascii() and word.text.isdigit() and int(word.text) <= _RATE_MAX):
        raise wrong(word, f"on, off or a rate of at most {_RATE_MAX} operations per second", ("on", "off"))
    return _only(line, model.Workload(int(word.text)))


def _rumour(line: Line) -> model.Command:
    text = line.remainder()
    if len(text) > _RUMOUR_CHARS_MAX:
        raise UsageError(f"a rumour has at most {_RUMOUR_CHARS_MAX} characters, this one has {len(text)}")
    return model.Rumour(text)


def _set(line: Line) -> model.Command:
    toggle = line.take("a field of the policy")
    value = line.take("a value")
    line.dialect.check_setting(toggle, value)
    return _only(line, model.SetToggle(toggle.text, value.text))


def _bare(command: model.Command) -> Callable[[Line], model.Command]:
    return lambda line: _only(line, command)


_READERS: dict[str, Callable[[Line], model.Command]] = {
    "cut": _cut,
    "isolate": _isolate,
    "slow": _slow,
    "loss": _spoil,
    "dup": _spoil,
    "reorder": _spoil,
    "throttle": _throttle,
    "pause": _pause,
    "crash": _crash,
    "restart": _restart,
    "wipe": _wipe,
    "skew": _skew,
    "drift": _drift,
    "disk": _disk,
    "heal": _heal,
    "undo": _bare(model.Undo()),
    "reset": _bare(model.Reset()),
    "freeze": _bare(model.Freeze()),
    "thaw": _bare(model.Thaw()),
    "transfer": _transfer,
    "add": _add,
    "remove": _remove,
    "replace": _replace,
    "rumour": _rumour,
    "put": _put,
    "get": _get,
    "workload": _workload,
    "set": _set,
}
assert set(_READERS) == set(BY_NAME), "law 1 of verbs: the table and the grammar name the same verbs"
