"""What somebody at a keyboard does to the links of a run: the operators' verbs upon its edges, logged like the card's own steps.

Law 1: only what can be broken is: where no proxy stands and no peers talk, one clear line says so.
Law 2: several at once compose with each other and with the card's, and each ends by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from cluster.commands.model import Command, Cut, DropResponse, Heal, HoldResponse, Isolate, Links, Slow, Spoil
from cluster.core.errors import UsageError
from scenarios.edges import Edges
from scenarios.fault_log import Step
from scenarios.faults import Fault, Verb
from scenarios.links import Pair, Sides, pairs_of
from scenarios.records import HAND

Adopt = Callable[..., Step]


class _Meant(msgspec.Struct, frozen=True):
    """A fault, and the links that it is meant for."""

    do: Verb
    target: str
    pairs: frozenset[Pair]
    for_us: int
    delay_us: int = 0
    jitter_us: int = 0
    chance: float = 0.0
    hits: int = 1  # of answers: how many
    where: dict[str, tuple[str, ...]] = {}  # and of which calls


class LinkHand:
    """`adopt`: a step with a number of its own; `members`: who is meant by a name; `streams`: links that carry bytes, of which none can
    be lost; `calls`: (caller, called) of links whose answers a proxy knows."""

    def __init__(
        self, edges: Edges, adopt: Adopt, members: Callable[[str], Iterable[str]], streams: frozenset[Pair], calls: frozenset[Pair]
    ) -> None:
        self._edges = edges
        self._adopt = adopt
        self._calls = calls
        self._members = members
        self._streams = streams
        self._begun: list[tuple[Step, frozenset[Pair]]] = []

    def obey(self, command: Command) -> str:
        """What is being done; "" when it is no matter of links. Raises `UsageError`."""
        if isinstance(command, Heal):
            return self._heal(command.targets)
        meant = self._meant(command)
        if meant is None:
            return ""
        if meant.pairs.isdisjoint(self._edges.pairs):
            raise UsageError(f"{meant.do} {meant.target}: nothing that can be broken runs there")
        if meant.chance and meant.pairs & self._edges.pairs & self._streams:
            raise UsageError(f"{meant.do} {meant.target}: a stream of bytes loses nothing; cut it or slow it")
        step = self._step(meant)
        self._begun.append((step, meant.pairs))
        self._edges.begin(step, meant.pairs)
        return f"{meant.do.replace('_', '-')} {meant.target}"

    def _meant(self, command: Command) -> _Meant | None:
        match command:
            case Cut(sides=sides, one_way=one_way, for_us=for_us):
                joined = (" > " if one_way else " | ").join(" ".join(side) for side in sides)
                return _Meant("cut", joined, pairs_of(Sides(sides, one_way), self._members), for_us)
            case Isolate(targets=targets, for_us=for_us):
                return _Meant("cut", f"{' '.join(targets)} | all others", self._around(targets), for_us)
            case Slow(links=links, for_us=for_us, delay_us=delay_us, jitter_us=jitter_us):
                return _Meant("slow", _said(links), self._along(links), for_us, delay_us, jitter_us)
            case DropResponse(caller=caller, called=called):
                return self._of_answers(command, "drop_response", caller, called)
            case HoldResponse(caller=caller, called=called, hold_us=hold_us):
                return self._of_answers(command, "hold_response", caller, called, hold_us)
            case Spoil(verb="loss", links=links, for_us=for_us, chance=chance):
                return _Meant("loss", _said(links), self._along(links), for_us, chance=chance)
        return None

    def _of_answers(self, command: DropResponse | HoldResponse, do: Verb, caller: str, called: str, hold_us: int = 0) -> _Meant:
        if (caller, called) not in self._calls:
            known = ", ".join(f"{a} > {b}" for a, b in sorted(self._calls)) or "nobody"
            raise UsageError(f"{do.replace('_', '-')} {caller} > {called}: no proxy knows the answers there; known are those of {known}")
        where = {command.field: command.values} if command.field else {}
        target = f"{caller} > {called}"
        return _Meant(do, target, frozenset({(caller, called)}), hold_us, hits=command.hits, where=where)

    def _along(self, links: Links) -> frozenset[Pair]:
        if not links.target:
            return self._around(links.source)
        return pairs_of(Sides((links.source, links.target), one_way=True), self._members)

    def _around(self, words: Iterable[str]) -> frozenset[Pair]:
        """Every link from and to them."""
        names = {name for word in words for name in self._members(word)}
        return frozenset(pair for pair in self._edges.pairs if names & {*pair})

    def _step(self, meant: _Meant) -> Step:
        fault = Fault(do=meant.do, target=meant.target, on=HAND, percent=meant.chance * 100, hits=meant.hits, where=meant.where)
        ms = meant.for_us / 1_000 if meant.for_us else None
        return self._adopt(fault, ms=ms, delay_ms=meant.delay_us / 1_000, jitter_ms=meant.jitter_us / 1_000)

    def _heal(self, targets: tuple[str, ...]) -> str:
        names = {name for word in targets for name in self._members(word)}
        over = [step for step, pairs in self._begun if not names or any(names & {*pair} for pair in pairs)]
        healed = [step for step in over if self._edges.end(step)]
        self._begun = [(step, pairs) for step, pairs in self._begun if step not in over]
        return f"heal {', '.join(step.fault.target for step in healed)}" if healed else ""


def _said(links: Links) -> str:
    return " > ".join(" ".join(side) for side in (links.source, links.target) if side)
