"""What could stand next on the command line.

Law 1: everything offered comes from the table of verbs and from the roster; nothing is listed twice.
Law 2: nothing is offered that the grammar would refuse at that place.
"""

from __future__ import annotations

import re

from cluster.commands.grammar import parse
from cluster.commands.roster import Roster
from cluster.commands.toggles import toggles, values
from cluster.commands.verbs import BY_NAME, ROLES, VERBS
from cluster.commands.words import LineEnds
from cluster.core.errors import UsageError

OFFERS_MAX = 30
_LAST = re.compile(r"[^\s,|>]*\Z")


def complete(text: str, roster: Roster) -> list[str]:
    """Whole lines that begin with `text`, most useful first, at most `OFFERS_MAX`."""
    if len(text) > 500:
        return []
    partial = _LAST.search(text)
    assert partial is not None, "the pattern also matches the empty end"
    stem, begun = text[: partial.start()], partial.group()
    words = stem.split()
    if not words:
        return [stem + verb.verb for verb in VERBS if verb.verb.startswith(begun)]
    verb = BY_NAME.get(words[0])
    if verb is None:
        return []
    if verb.verb == "get" and len(words) == 1:
        return []  # a key, which only the user knows
    offers = _offers(verb.words, words, roster) if verb.verb != "set" else _fields(words)
    if verb.lasts and "for" not in words and stem[-1].isspace():
        offers.append("for")
    lines = [stem + offer for offer in dict.fromkeys(offers) if offer.startswith(begun) and offer != begun]
    return [line for line in lines if _may_stand(line)][:OFFERS_MAX]


def _may_stand(line: str) -> bool:
    """Law 2: a command, or the beginning of one."""
    try:
        parse(f"{line} 3s" if line.endswith(" for") else line)
    except LineEnds:
        return not line.endswith(" for")
    except UsageError:
        return False
    return True


def _offers(slots: tuple[str, ...], words: list[str], roster: Roster) -> list[str]:
    if words[-1] == "for":
        return ["1s", "3s", "5s", "10s", "30s"]
    offers: list[str] = []
    for slot in slots:
        if slot == "T":
            named = {atom for word in words[1:] for atom in re.split(r"[,|>]", word)}
            offers += [atom for atom in (*ROLES, *roster.nodes) if atom not in named]
        elif slot == "N":
            offers += [node for node in (*roster.nodes, roster.next_node) if node not in roster.voters and node not in words]
        elif slot == "ID":
            offers += [str(fault) for fault in roster.faults]
        else:
            offers.append(slot)
    return offers


def _fields(words: list[str]) -> list[str]:
    """Which field, then what it may be."""
    if len(words) == 1:
        return sorted(toggles())
    return list(values(words[1])) if words[1] in toggles() else []
