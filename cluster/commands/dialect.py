"""Whom the grammar may name, and what `set` may set: nodes and roles of a lab, or the processes of an incident's run.

Law 1: a dialect changes names only; durations and the shape of a line are everybody's, and so are verbs, but that a run has some besides
(`run_grammar`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import msgspec

from cluster.commands.toggles import check_toggle
from cluster.commands.verbs import ROLES
from cluster.commands.words import Word, wrong


class Dialect(msgspec.Struct, frozen=True):
    """`atom`: what one target looks like; `one`, `either`, `named`: how errors call it; `known`: what a misspelt one may have meant."""

    atom: re.Pattern[str]
    one: str
    either: str
    named: str
    known: tuple[str, ...]
    check_setting: Callable[[Word, Word], None]  # raises `UsageError`
    of_run: bool = False
    failpoints: tuple[str, ...] = ()  # "pay.before_charge@w1": what `arm` may name


LAB = Dialect(
    re.compile(r"n[1-9][0-9]{0,3}\Z|leader(\+[0-9]{1,3})?\Z|followers(\.[1-9][0-9]{0,2})?\Z|any\Z|minority\Z|majority\Z|rest\Z|all\Z"),
    "a node or a role",
    "a node, a role",
    "a node (n1, n2 …) or a role (leader, followers, rest …)",
    ROLES,
    check_toggle,
)


def of_run(processes: tuple[str, ...], settings: Mapping[str, tuple[str, ...]], failpoints: tuple[str, ...] = ()) -> Dialect:
    """Of a run with these processes, these toggles (name -> values that can be set while it goes on) and these failpoints of its card."""

    def check(toggle: Word, value: Word) -> None:
        if toggle.text not in settings:
            raise wrong(toggle, f"a toggle that can be changed now ({', '.join(settings) or 'there is none'})", settings)
        if value.text not in settings[toggle.text]:
            raise wrong(value, f"a value of {toggle.text}: {', '.join(settings[toggle.text])}", settings[toggle.text])

    names = "|".join(map(re.escape, processes)) or r"(?!)"
    named = f"a process of this run ({', '.join(processes)})" if processes else "a process: nothing runs here"
    return Dialect(re.compile(rf"(?:{names})\Z"), "a process", "a process", named, processes, check, True, failpoints)
