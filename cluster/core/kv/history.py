"""Every change since the last compaction, in order, each beside what it replaced: past views and watches are read from it.

Law 1: one change of a key per revision, revisions never fall; a change is known for ever by its number, which starts at 0.
Law 2: the value of a key at revision r is what its first change after r replaced, or its present one if there is none.
Law 3: after `compact(r)` views from r on and changes after r are still exact; what is older is gone, never half there.

Nothing is indexed: a write costs two appends, and whoever asks for the past walks through what happened since.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import filterfalse
from operator import attrgetter

from cluster.core.kv import span
from cluster.core.kv.ops import KeyValue

# Characters that a change is reckoned at besides its value: its key, its numbers and what Python needs to hold them.
CHANGE_CHARS = 160
_revision = attrgetter("mod_revision")
_key, _value, _version = attrgetter("key"), attrgetter("value"), attrgetter("version")


class History:
    """`changes[i]` has number `dropped + i`, and replaced `replaced[i]` (None: the key did not exist)."""

    __slots__ = ("changes", "compacted", "dropped", "replaced")

    def __init__(self) -> None:
        self.changes: list[KeyValue] = []
        self.replaced: list[KeyValue | None] = []
        self.compacted = 0
        self.dropped = 0

    @property
    def end(self) -> int:
        """The number that the next change will have."""
        return self.dropped + len(self.changes)

    def number_after(self, revision: int) -> int:
        """The number of the first change after `revision`."""
        return self.dropped + bisect_right(self.changes, revision, key=_revision)

    def replaced_since(self, revision: int, first: str, end: str | None) -> dict[str, KeyValue | None]:
        """What the keys of a range that changed after `revision` were then (Law 2)."""
        then: dict[str, KeyValue | None] = {}
        for position in range(self.number_after(revision) - self.dropped, len(self.changes)):
            key = self.changes[position].key
            if span.holds(first, end, key) and key not in then:
                then[key] = self.replaced[position]
        return then

    def replaced_at_all(self) -> dict[str, KeyValue | None]:
        """What every key that changed at all was before. Of many changes the first counts, so it is set last."""
        return dict(zip(map(_key, reversed(self.changes)), reversed(self.replaced), strict=True))

    def compact(self, revision: int) -> int:
        """Drop what happened up to `revision`; the weight of what nobody can read any more."""
        count = self.number_after(revision) - self.dropped
        freed = weights(list(filter(None, self.replaced[:count])))
        freed += weights(list(filterfalse(_version, self.changes[:count])))
        del self.changes[:count], self.replaced[:count]
        self.dropped += count
        self.compacted = max(self.compacted, revision)
        return freed

    def middle(self) -> int:
        """The revision up to which one half of the changes happened."""
        return self.changes[len(self.changes) // 2].mod_revision if self.changes else self.compacted


def weights(some: Sequence[KeyValue]) -> int:
    """What these take together."""
    return sum(map(len, map(_value, some))) + CHANGE_CHARS * len(some)
