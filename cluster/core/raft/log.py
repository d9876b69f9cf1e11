"""The replicated log in memory (§5.3).

Law 1: indexes have no gaps: the entry at list position `i` has index `first_index + i`.
Law 2: terms never fall along the log.
Law 3: work is done by slices and term runs, never entry by entry over the log.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate
from operator import attrgetter

from cluster.core.errors import LawBroken
from cluster.core.raft.messages import Entry
from cluster.core.types import APPEND_BYTES_MAX, APPEND_ENTRIES_MAX

_data = attrgetter("data")


class Log:
    """Entries `first_index..last_index`; what lies before them ends with `base_term` (0 for an empty beginning)."""

    __slots__ = ("_entries", "_run_starts", "_run_terms", "_shown", "_shown_limit", "base_term", "first_index", "last_index", "last_term")

    def __init__(self, entries: Sequence[Entry] = (), first_index: int = 1, base_term: int = 0) -> None:
        self.first_index, self.base_term = first_index, base_term
        self.last_index, self.last_term = first_index - 1, base_term
        self._entries: list[Entry] = []
        # Term runs: run k has term `_run_terms[k]` and begins at `_run_starts[k]`.
        self._run_starts: list[int] = []
        self._run_terms: list[int] = []
        # The newest runs as they were asked for last; None when there may be others. Asked for by every look at a state, and seldom new.
        self._shown: tuple[tuple[int, int], ...] | None = None
        self._shown_limit = 0
        self.append(entries)

    def append(self, entries: Sequence[Entry]) -> None:
        """Add `entries` after `last_index`."""
        if not entries:
            return
        if not (entries[0].term == self.last_term == entries[-1].term and self._run_starts):
            self._extend_runs(entries)
        self._entries.extend(entries)
        self.last_index += len(entries)
        self.last_term = entries[-1].term

    def _extend_runs(self, entries: Sequence[Entry]) -> None:
        self._shown = None
        term = self.last_term if self._run_starts else None
        for index, entry in enumerate(entries, self.last_index + 1):
            if entry.term != term:
                term = entry.term
                self._run_starts.append(index)
                self._run_terms.append(term)

    def truncate(self, from_index: int) -> None:
        """Drop `from_index` and all after it."""
        if not self.first_index <= from_index <= self.last_index:
            held = f"{self.first_index}..{self.last_index}"
            raise LawBroken("truncation stays inside the log", f"from {from_index}, but the log is {held}")
        self._shown = None
        del self._entries[from_index - self.first_index :]
        runs = bisect_left(self._run_starts, from_index)
        del self._run_starts[runs:], self._run_terms[runs:]
        self.last_index = from_index - 1
        self.last_term = self._entries[-1].term if self._entries else self.base_term

    def compact(self, to_index: int) -> None:
        """Drop everything up to `to_index`, which stays known by its term."""
        if not self.first_index <= to_index <= self.last_index:
            return
        self._shown = None
        term = self.term_at(to_index)
        del self._entries[: to_index + 1 - self.first_index]
        gone = bisect_right(self._run_starts, to_index) - 1
        del self._run_starts[:gone], self._run_terms[:gone]
        self.first_index, self.base_term = to_index + 1, term
        if not self._entries:
            self._run_starts, self._run_terms = [], []
        elif len(self._run_starts) > 1 and self._run_starts[1] == self.first_index:
            del self._run_starts[0], self._run_terms[0]
        else:
            self._run_starts[0] = self.first_index

    def reset(self, index: int, term: int) -> None:
        """Hold nothing; go on after entry `index` of `term`, which a snapshot holds."""
        self._shown = None
        self._entries, self._run_starts, self._run_terms = [], [], []
        self.first_index, self.base_term = index + 1, term
        self.last_index, self.last_term = index, term

    def term_at(self, index: int) -> int:
        """The term of entry `index`, which may also be the one just before the first."""
        if index == self.last_index:
            return self.last_term
        if index == self.first_index - 1:
            return self.base_term
        if not self.first_index <= index < self.last_index:
            raise LawBroken("only held entries have terms", f"{index} is not in {self.first_index}..{self.last_index}")
        return self._entries[index - self.first_index].term

    def holds(self, index: int, term: int) -> bool:
        """The consistency check of AppendEntries: an entry with this index and term is here (§5.3)."""
        if index == self.last_index:
            return term == self.last_term
        return self.first_index - 1 <= index < self.last_index and self.term_at(index) == term

    def first_conflict(self, prev_index: int, entries: Sequence[Entry]) -> int:
        """Position in `entries` (which follow `prev_index`) of the first that is missing here or differs in term."""
        if prev_index >= self.last_index:
            return 0  # by far the most frequent: they come after all that is here
        overlap = min(len(entries), self.last_index - prev_index)
        start = prev_index + 1 - self.first_index
        for position in range(overlap):
            if self._entries[start + position].term != entries[position].term:
                return position
        return overlap

    def conflict_hint(self, prev_index: int) -> tuple[int, int]:
        """Where a leader should look after this log refused `prev_index`: (index, term), §5.3.

        The first index held of the conflicting term; or last index + 1 and term 0 when the log is short.
        """
        if prev_index > self.last_index:
            return self.last_index + 1, 0
        run = bisect_right(self._run_starts, prev_index) - 1
        return self._run_starts[run], self._run_terms[run]

    def last_of_term(self, term: int) -> int:
        """The last index with `term`, 0 if there is none."""
        run = bisect_left(self._run_terms, term)
        if run == len(self._run_terms) or self._run_terms[run] != term:
            return 0
        return self._run_starts[run + 1] - 1 if run + 1 < len(self._run_starts) else self.last_index

    def slice(self, first: int, last: int) -> list[Entry]:
        """Entries `first..last`, both included."""
        return self._entries[first - self.first_index : last + 1 - self.first_index]

    def sendable(self, first: int) -> tuple[Entry, ...]:
        """Entries from `first` on, as many as one Append may carry; always at least one if there is one."""
        start = first - self.first_index
        chunk = self._entries[start : start + APPEND_ENTRIES_MAX]
        sizes = list(accumulate(map(len, map(_data, chunk))))
        if sizes and sizes[-1] > APPEND_BYTES_MAX:
            del chunk[max(1, bisect_right(sizes, APPEND_BYTES_MAX)) :]
        return tuple(chunk)

    def newer_than(self, last_index: int, last_term: int) -> bool:
        """True when this log is more up to date than one that ends at (`last_index`, `last_term`): §5.4.1."""
        return (self.last_term, self.last_index) > (last_term, last_index)

    def runs(self, limit: int) -> tuple[tuple[int, int], ...]:
        """The last `limit` term runs as (first index, term), oldest first."""
        if self._shown is None or self._shown_limit != limit:
            self._shown_limit, self._shown = limit, tuple(zip(self._run_starts[-limit:], self._run_terms[-limit:], strict=True))
        return self._shown
