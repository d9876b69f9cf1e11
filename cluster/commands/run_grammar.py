"""The verbs that only an incident's run has: what becomes of answers to calls, and failpoints of its card.

Law 1: as for all verbs: whatever cannot be understood is one line with the column and what was expected.
Law 2: `foretold` says in one sentence what will come of such a command, before it is given.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from cluster.commands import model
from cluster.commands.line import Line, atoms_in
from cluster.commands.quantities import read_duration, write_duration
from cluster.commands.verbs import Verb
from cluster.commands.words import Word, missing, wrong
from cluster.core.types import Micros

HITS_MAX = 1_000
ACTIONS = ("pause", "crash", "term", "delay")
_NEED_TIME = ("pause", "delay")
_COUNT = re.compile(r"[1-9][0-9]{0,3}\Z")
_FIELD = re.compile(r"([a-z][a-z_]*)=([^=]+)\Z")

RUN_VERBS: tuple[Verb, ...] = (
    Verb(
        verb="drop-response", usage="drop-response A > B [N] [FIELD=V,V]", group="network",
        help="Lose the answers to the next N calls from A to B; the calls have their effect.",
        undo="answers come again", example="drop-response checkout > payd 3", words=("T", ">"),
    ),
    Verb(
        verb="hold-response", usage="hold-response A > B 800ms [N] [FIELD=V,V]", group="network",
        help="Let the answers to the next N calls from A to B come so much later.",
        undo="answers come at once again", example="hold-response checkout > payd 800ms", words=("T", ">"),
    ),
    Verb(
        verb="arm", usage="arm FAILPOINT@P pause 2s | crash [8s] | term [8s] | delay 80ms", group="process", danger="residue",
        help="What P does to itself when it next comes to a failpoint of the card.",
        undo="it goes on, or is started again", example="arm pay.before_charge@w1 pause 2s", words=("FAILPOINT", *ACTIONS),
    ),
)  # fmt: skip
RUN_BY_NAME: dict[str, Verb] = {verb.verb: verb for verb in RUN_VERBS}


def _link(line: Line) -> tuple[str, str]:
    caller = _one(line)
    between = line.take("'>' and the process that is called")
    if between.text != ">":
        raise wrong(between, "'>' and the process that is called")
    return caller, _one(line)


def _one(line: Line) -> str:
    word = line.take(line.dialect.one)
    atoms = atoms_in(line, word)
    if len(atoms) > 1:
        raise wrong(word, f"{line.dialect.one}: one that calls, and one that is called")
    return atoms[0]


def _which(line: Line) -> tuple[int, str, tuple[str, ...]]:
    """`[N] [FIELD=V,V]`, which end the line."""
    hits = 1
    if line.words and line.words[0].text.isdigit():
        word = line.words.pop(0)
        if not _COUNT.match(word.text) or int(word.text) > HITS_MAX:
            raise wrong(word, f"a number of calls, 1 to {HITS_MAX}")
        hits = int(word.text)
    if not line.words:
        return hits, "", ()
    word = line.words.pop(0)
    found = _FIELD.match(word.text)
    if found is None or not all(found[2].split(",")):
        raise wrong(word, "a number of calls, or FIELD=VALUE such as payment=p-01")
    line.end()
    return hits, found[1], tuple(found[2].split(","))


def _drop(line: Line) -> model.Command:
    caller, called = _link(line)
    return model.DropResponse(caller, called, *_which(line))


def _hold(line: Line) -> model.Command:
    caller, called = _link(line)
    expected = "how much later, such as 800ms"
    hold_us = _length(line.take(expected), expected)
    return model.HoldResponse(caller, called, hold_us, *_which(line))


def _length(word: Word, expected: str) -> Micros:
    length = read_duration(word.text)
    if length is None or length <= 0 or word.text[0] == "+" or length > model.LEASE_MAX_US:
        raise wrong(word, expected)
    return length


def _arm(line: Line) -> model.Command:
    known = line.dialect.failpoints
    where = line.take("a failpoint of the card")
    if where.text not in known:
        raise wrong(where, f"a failpoint of this card ({', '.join(known) or 'it has none'})", known)
    action = line.take(" or ".join(ACTIONS))
    if action.text not in ACTIONS:
        raise wrong(action, ", ".join(ACTIONS), ACTIONS)
    for_us = 0
    if line.words:
        for_us = _length(line.words.pop(0), "a duration such as 2s")
    elif action.text in _NEED_TIME:
        raise missing(line.text, "a duration such as 2s")
    line.end()
    failpoint, _, process = where.text.partition("@")
    return model.Arm(failpoint, process, action.text, for_us)


RUN_READERS: dict[str, Callable[[Line], model.Command]] = {"drop-response": _drop, "hold-response": _hold, "arm": _arm}
assert set(RUN_READERS) == set(RUN_BY_NAME)


# ------------------------------------------------------------------------------------------------------------ in words


def run_text(command: model.RunCommand) -> str:
    """One line of the grammar."""
    match command:
        case model.DropResponse():
            return f"drop-response {command.caller} > {command.called}{_which_text(command)}"
        case model.HoldResponse():
            return f"hold-response {command.caller} > {command.called} {write_duration(command.hold_us)}{_which_text(command)}"
        case model.Arm():
            lasts = f" {write_duration(command.for_us)}" if command.for_us else ""
            return f"arm {command.failpoint}@{command.process} {command.action}{lasts}"


def _which_text(command: model.DropResponse | model.HoldResponse) -> str:
    count = f" {command.hits}" if command.hits > 1 else ""
    return f"{count} {command.field}={','.join(command.values)}" if command.field else count


def foretold(command: model.Command) -> str:
    """Law 2; "" for all others."""
    match command:
        case model.DropResponse(caller=caller, called=called):
            return f"{called} does what {caller} asks, and {caller} never hears of it: {_which_said(command)}."
        case model.HoldResponse(caller=caller, called=called, hold_us=hold_us):
            late = write_duration(hold_us)
            return f"{called} does what {caller} asks, and {caller} hears of it {late} late: {_which_said(command)}."
        case model.Arm(failpoint=failpoint, process=process, action=action, for_us=for_us):
            return f"When {process} next comes to {failpoint}, it {_deed(action, write_duration(for_us) if for_us else '')}."
    return ""


def _which_said(command: model.DropResponse | model.HoldResponse) -> str:
    calls = "the next call" if command.hits == 1 else f"the next {command.hits} calls"
    each = " each" if len(command.values) > 1 else ""
    return f"{calls}{each} with {command.field}={','.join(command.values)}" if command.field else calls


def _deed(action: str, length: str) -> str:
    back = f", and is started again after {length}" if length else ", and stays down"
    return {
        "pause": f"stops itself on that very line (SIGSTOP) for {length}",
        "delay": f"is held up there for {length}; its other tasks go on",
        "crash": f"kills itself on that very line (SIGKILL){back}",
        "term": f"is asked to leave on that very line (SIGTERM){back}",
    }[action]
