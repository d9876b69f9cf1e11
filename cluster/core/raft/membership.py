"""Who belongs to a Raft group, and the steps from one configuration to another (§6; dissertation chapter 4).

A configuration takes effect when it is *appended* (§6), not when it is committed or applied as in etcd. Then a leader and
its log always agree on who counts, a log that is cut off takes its configurations with it, and the rule "an entry commits
by the majorities of the newest configuration in the leader's log" needs no second state. The price: a node may have to go
back to the configuration before, so each is kept with its index (`History`) until a snapshot has swallowed it.

Law 1: one change at a time: the next is appended only when the newest configuration is committed, and never before the
       leader's own first entry is (without that, two leaders could each append one that does not know the other's).
Law 2: a change of one voter goes in one step, since old and new majorities meet. Any other goes through a joint
       configuration, in which both majorities decide.
Law 3: a node that joins learns first: it gets a vote when it holds what is committed.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

import msgspec

from cluster.core.types import NodeId, by_number


class Membership(msgspec.Struct, frozen=True, array_like=True):
    """One configuration. `outgoing`: the voters of the one being left, while joint. `learners` get the log and have no vote.

    `goal`: voters that are wanted and wait for their learners to catch up. It stands in the log, so that whoever leads next
    goes on with it.
    """

    voters: tuple[NodeId, ...] = ()
    outgoing: tuple[NodeId, ...] = ()
    learners: tuple[NodeId, ...] = ()
    goal: tuple[NodeId, ...] = ()

    @property
    def joint(self) -> bool:
        return bool(self.outgoing)

    @property
    def settled(self) -> bool:
        """Nothing more is to follow by itself."""
        return not (self.outgoing or self.goal)

    @property
    def halves(self) -> tuple[tuple[NodeId, ...], ...]:
        return (self.voters, self.outgoing) if self.outgoing else (self.voters,)

    @property
    def everyone(self) -> tuple[NodeId, ...]:
        """Whom a leader replicates to, in reading order, each once."""
        return tuple(by_number({*self.voters, *self.outgoing, *self.learners}))

    def votes(self, node: NodeId) -> bool:
        return node in self.voters or node in self.outgoing

    def __str__(self) -> str:
        parts = [" ".join(self.voters) or "nobody"]
        parts += [f"leaving {' '.join(self.outgoing)}"] if self.outgoing else []
        parts += [f"learning {' '.join(self.learners)}"] if self.learners else []
        parts += [f"to be {' '.join(self.goal)}"] if self.goal else []
        return ", ".join(parts)


_encode = msgspec.msgpack.Encoder().encode
_decode: msgspec.msgpack.Decoder[Membership] = msgspec.msgpack.Decoder(Membership)


def encode_membership(membership: Membership) -> bytes:
    """A configuration as the data of a log entry."""
    return _encode(membership)


def decode_membership(data: bytes) -> Membership:
    """Raises `msgspec.DecodeError`: only leaders write these entries, so anything else is damage."""
    return _decode.decode(data)


class History:
    """The configurations in a log, oldest first; before all of them stands the one the log begins with."""

    __slots__ = ("_configurations", "_indexes")

    def __init__(self, index: int, membership: Membership) -> None:
        self._indexes = [index]
        self._configurations = [membership]

    @property
    def newest(self) -> Membership:
        return self._configurations[-1]

    @property
    def newest_index(self) -> int:
        return self._indexes[-1]

    def add(self, index: int, membership: Membership) -> None:
        """An entry with a configuration was appended at `index`."""
        self._indexes.append(index)
        self._configurations.append(membership)

    def truncate(self, from_index: int) -> None:
        """The log lost `from_index` and all after it: what they configured was never so."""
        keep = max(1, bisect_left(self._indexes, from_index))
        del self._indexes[keep:], self._configurations[keep:]

    def at(self, index: int) -> Membership:
        """The newest configuration at or before `index`."""
        return self._configurations[max(0, bisect_right(self._indexes, index) - 1)]

    def has_voice(self, node: NodeId, commit: int) -> bool:
        """Whether `node` votes by any configuration that may turn out to be the committed one."""
        return any(each.votes(node) for each in self._configurations[max(0, bisect_right(self._indexes, commit) - 1) :])

    def compact(self, to_index: int) -> None:
        """Forget what a snapshot up to `to_index` has swallowed; the configuration in force there stays."""
        drop = bisect_right(self._indexes, to_index) - 1
        if drop > 0:
            del self._indexes[:drop], self._configurations[:drop]


def first_step(now: Membership, voters: Iterable[NodeId], learners: Iterable[NodeId], caught_up: Sequence[NodeId]) -> Membership:
    """The next configuration on the way from the settled `now` to `voters` and `learners` (Laws 2 and 3).

    `caught_up`: those of its learners who hold what is committed.
    """
    wanted = tuple(by_number(set(voters)))
    new = [node for node in wanted if not now.votes(node) and node not in caught_up]
    if new:
        # A voter that is to become a learner stands here already, and votes until then.
        kept = {*learners, *new, *(node for node in wanted if node in now.learners)}
        return Membership(now.voters, (), tuple(by_number(kept)), wanted)
    left = tuple(by_number({*learners} - set(wanted)))
    if len({*wanted} ^ {*now.voters}) <= 1:
        return Membership(wanted, (), left)
    return Membership(wanted, now.voters, left)
