"""One node's log as cells, and where it contradicts the present leader's.

Law 1: entries are known only as runs of one term; what is older than the oldest run reported is drawn as unknown.
Law 2: terms are coloured `term.0` … `term.5`, by term modulo six.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from cluster.telemetry.events import NodeState, TermRun
from tui.state import Span

TERM_STYLES = 6
COMMIT_MARK = ("┃", "|")


def term_style(term: int) -> str:
    return f"term.{term % TERM_STYLES}"


def term_at(runs: Sequence[TermRun], index: int) -> int | None:
    """The term of the entry at `index`; None when it is older than what the runs tell."""
    place = bisect_right(runs, index, key=lambda run: run.first_index)
    return runs[place - 1].term if place else None


def doomed_from(state: NodeState, leader: NodeState | None) -> int | None:
    """The first of a node's entries that the leader will make it overwrite, None if there is none (§5.3).

    It lies beyond the node's commit index and differs in term from the leader's entry there, or stands where the leader has
    no entry yet and is of an older term: what the leader will put there is of its own term. From the first such entry on
    everything goes (log matching).
    """
    if leader is None or leader.node == state.node or leader.term < state.term:
        return None
    edges = {state.commit + 1, leader.last_index + 1}
    edges.update(run.first_index for runs in (state.log, leader.log) for run in runs)
    for index in sorted(edge for edge in edges if state.commit < edge <= state.last_index):
        own = term_at(state.log, index)
        if own is None:
            continue
        theirs = term_at(leader.log, index) if index <= leader.last_index else None
        if (own != theirs) if theirs is not None else (index > leader.last_index and own < leader.term):
            return index
    return None


def entry_spans(state: NodeState, first: int, cells: int, doomed: int | None, *, ascii: bool = False) -> list[Span]:
    """The entries from `first` on, one cell each and one for the commit mark, `cells` cells at most."""
    last = min(state.last_index, first + cells - 1)
    edges = {first, last + 1, state.commit + 1}
    edges.update(run.first_index for run in state.log)
    if doomed is not None:
        edges.add(doomed)
    starts = sorted(edge for edge in edges if first <= edge <= last + 1)
    spans: list[Span] = []
    for place, start in enumerate(starts):
        if start == state.commit + 1:
            spans.append((COMMIT_MARK[ascii], "commit"))
        if start > last:
            break
        length = starts[place + 1] - start
        spans.append(_run(state, start, length, doomed))
    return spans


def _run(state: NodeState, start: int, length: int, doomed: int | None) -> Span:
    if doomed is not None and start >= doomed:
        return ("!" * length, "bad")
    term = term_at(state.log, start)
    if term is None:
        return ("·" * length, "dim")
    return (str(term % 10) * length, term_style(term))
