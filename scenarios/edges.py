"""Faults of links: rules out to every edge of the network that they concern, and its word that it acts by them back in.

An edge is a proxy, or the servers of one Raft group, which break their links themselves.

Law 1: a step has landed when every edge that it concerns acts by it, and is over when every one of them acts without it. Where a
variant has none of those edges, that is at once: it has the same faults as the other one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Protocol

from scenarios.fault_log import FaultLog, Later, Step
from scenarios.faults import ON_ANSWERS, Fault
from scenarios.lines import now_ns
from scenarios.links import AnswerFault, Pair, Rule, Standing, in_force


class Edge(Protocol):
    """`apply` is answered by `Timeline.applied(name, version, …)` sooner or later; of several versions the last counts."""

    @property
    def name(self) -> str: ...

    @property
    def pairs(self) -> frozenset[Pair]:
        """The links that it can break."""

    def apply(self, version: int, rules: Mapping[Pair, Rule]) -> None:
        """From now on these, and no others. `rules` are of its own pairs; one that is missing is healthy."""


class Edges:
    """All edges of a run, and the steps that stand."""

    def __init__(self, log: FaultLog, edges: Iterable[Edge], later: Later) -> None:
        self._log = log
        self._edges = tuple(edges)
        self._later = later
        self._standing: dict[Step, Standing] = {}
        self._resets: Counter[Pair] = Counter()
        self._version = 0
        self._asked: dict[str, list[tuple[int, Step, bool]]] = {}  # edge -> version, step, whether it lands or ends with it

    @property
    def pairs(self) -> frozenset[Pair]:
        """Every link that can be broken."""
        return frozenset(pair for edge in self._edges for pair in edge.pairs)

    @property
    def rules(self) -> dict[Pair, Rule]:
        """What is in force: for an edge that comes back from a restart and knows nothing of it."""
        return in_force(self._standing.values(), self._resets)

    def begin(self, step: Step, pairs: frozenset[Pair]) -> None:
        if step.fault.do == "reset":
            self._resets.update(pairs)
        if step.has_end:
            self._standing[step] = _standing(step, pairs)
        self._log.begin(step, [edge.name for edge in self._edges if edge.pairs & pairs])
        self._apply(step, pairs, lands=True)

    def _apply(self, step: Step, pairs: frozenset[Pair], *, lands: bool) -> None:
        self._version += 1
        rules = self.rules
        concerned = [edge for edge in self._edges if edge.pairs & pairs]
        if not concerned:
            self._settled(step, "", now_ns() // 1_000, lands=lands)
        for edge in concerned:
            self._asked.setdefault(edge.name, []).append((self._version, step, lands))
            edge.apply(self._version, {pair: rule for pair, rule in rules.items() if pair in edge.pairs})

    def applied(self, edge: str, version: int, at_us: int) -> None:
        asked = self._asked.get(edge, [])
        self._asked[edge] = [ask for ask in asked if ask[0] > version]
        for _, step, lands in (ask for ask in asked if ask[0] <= version):
            self._settled(step, edge, at_us, lands=lands)

    def _settled(self, step: Step, edge: str, at_us: int, *, lands: bool) -> None:
        if not lands:
            self._log.ended(step, edge, at_us)
        elif self._log.landed(step, edge, at_us) and step.undone_after_ms is not None:
            self._later(step.undone_after_ms, lambda: self._undo(step))

    def _undo(self, step: Step) -> None:
        self.end(step)

    def end(self, step: Step) -> bool:
        """False when it is over already."""
        standing = self._standing.pop(step, None)
        if standing is not None:
            self._apply(step, standing.pairs, lands=False)
        return standing is not None


def values_of(fault: Fault) -> tuple[str, ...]:
    """By which the calls are known whose answers are meant: of any call it is ""."""
    return next(iter(fault.where.values()), ("",))


def _standing(step: Step, pairs: frozenset[Pair]) -> Standing:
    fault = step.fault
    answers = None
    if fault.do in ON_ANSWERS:
        hold_ms = step.ms if fault.do == "hold_response" else None
        answers = AnswerFault(step.index, next(iter(fault.where), ""), values_of(fault), fault.hits, fault.method, hold_ms)
    return Standing(step.index, fault.do, pairs, step.delay_ms, step.jitter_ms, fault.percent, answers)
