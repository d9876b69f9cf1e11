"""What an operator may ask, and the one text grammar for it: used by `:` in the dashboard, scripts, headless runs and remote seats.

`parse(text) -> Command` · `canonical(command) -> text` · `resolve(targets, roster) -> nodes` · `consequence(command, roster)` ·
`complete(text, roster) -> lines` · `parse_script(text, name) -> [(at_us, Command)]` · `VERBS`, the table that help is made from.
"""

from __future__ import annotations

from cluster.commands.canonical import canonical, verb_of
from cluster.commands.completion import complete
from cluster.commands.consequence import consequence
from cluster.commands.grammar import parse
from cluster.commands.meaning import pairs_of, resolved, targets_of
from cluster.commands.model import Command, Fault, lasting
from cluster.commands.roster import Roster, resolve
from cluster.commands.script import parse_script
from cluster.commands.verbs import BY_NAME, VERBS, Verb

__all__ = [
    "BY_NAME",
    "VERBS",
    "Command",
    "Fault",
    "Roster",
    "Verb",
    "canonical",
    "complete",
    "consequence",
    "lasting",
    "pairs_of",
    "parse",
    "parse_script",
    "resolve",
    "resolved",
    "targets_of",
    "verb_of",
]
