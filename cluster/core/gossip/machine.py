"""Scuttlebutt gossip: SYN(digests) -> ACK(digests, deltas) -> ACK2(deltas), one round per interval.

Law 1: only the owner writes its state; everyone else relays it, version by version.
Law 2: hearing of a node for the first time says that it once lived, not that it lives: evidence is an *advance*.
Law 3: a message's deltas fit the MTU, its digests fit beside them, and what was left out comes in a later round.
Law 4: nothing is done per key unless that key is news; what did not change since it was last sent is sent from a cache.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil, log

from cluster.core.gossip.messages import Ack, Ack2, Delta, Digest, GossipMessage, KeyValue, Syn
from cluster.core.gossip.ready import DeleteKey, Forget, GossipInput, GossipReady, Heard, RumourHeard, SetKey
from cluster.core.gossip.state import Known
from cluster.core.policy import GossipPolicy
from cluster.core.types import DATAGRAM_BYTES_MAX, NODES_MAX, Dice, Micros, NodeId

NODE_ID_BYTES_MAX = 16
# Encoded upper bounds: a name, integers of nine bytes, and what frames them.
DIGEST_BYTES_MAX = NODE_ID_BYTES_MAX + 40
DELTA_HEAD_BYTES_MAX = NODE_ID_BYTES_MAX + 64
KEY_FRAME_BYTES_MAX = 24
ENVELOPE_BYTES_MAX = 256
# Cassandra refuses generations more than a year of seconds ahead: a corrupt one would outrank the true node for ever.
GENERATION_LEAP_MAX = 365 * 24 * 3_600
# Keys named so, or below it ("rumour/7"), are reported when they are learned.
RUMOUR = "rumour"


def expected_rounds(nodes: int, fanout: int) -> float:
    """Rounds until all of `nodes` know, push only: log₁₊f N + (1/f)·ln N (Pittel 1987). Push-pull needs fewer."""
    return 0.0 if nodes < 2 else log(nodes, 1 + fanout) + log(nodes) / fanout


def floor_rounds(nodes: int, fanout: int) -> int:
    """Fewest rounds possible: everyone who knows tells `fanout` who do not."""
    return 0 if nodes < 2 else ceil(log(nodes, 1 + fanout) - 1e-9)


class Gossip:
    """One node's gossip. `members` are the peers it is introduced to; others are learned from them.

    `generation` rises with every start of the node (an epoch, or seconds; never finer). `seeds` are contacted now and then
    even when nobody drew them, so that islands meet.
    """

    def __init__(
        self,
        node: NodeId,
        members: Iterable[NodeId],
        generation: int,
        policy: GossipPolicy,
        dice: Dice,
        seeds: Iterable[NodeId] = (),
    ) -> None:
        digests = NODES_MAX * DIGEST_BYTES_MAX
        assert policy.mtu_bytes + digests + ENVELOPE_BYTES_MAX <= DATAGRAM_BYTES_MAX, "deltas and digests share a datagram"
        self.node = node
        self.rounds = 0
        self.refused = 0  # generations, names and nodes not admitted
        self._policy = policy
        self._dice = dice
        self._own = Known(node, generation)
        self._known: dict[NodeId, Known] = {node: self._own}
        self._members = [member for member in dict.fromkeys(members) if member != node]
        self._seeds = [seed for seed in dict.fromkeys(seeds) if seed != node]
        self._unreachable: frozenset[NodeId] = frozenset()
        self._removed: dict[NodeId, tuple[int, Micros]] = {}  # forgotten node -> (generation, until)
        self._live: list[NodeId] = []
        self._dead: list[NodeId] = []
        self._sort_peers()
        self._next_us: Micros = 0

    # ---- read-only --------------------------------------------------------------------------------------------------

    def deadline(self) -> Micros:
        """When the next round is due."""
        return self._next_us

    def nodes(self) -> list[NodeId]:
        """Everyone ever heard of and not forgotten, this node first."""
        return list(self._known)

    def generation_of(self, node: NodeId) -> int:
        """0 while nothing is known."""
        known = self._known.get(node)
        return known.generation if known else 0

    def heartbeat_of(self, node: NodeId) -> int:
        known = self._known.get(node)
        return known.heartbeat if known else 0

    def version_of(self, node: NodeId) -> int:
        known = self._known.get(node)
        return known.max_version if known else 0

    def keys_of(self, node: NodeId) -> dict[str, str]:
        """Living keys of `node` as known here, in the order in which they were written."""
        known = self._known.get(node)
        return {entry.key: entry.value for entry in known.keys.values() if not entry.deleted} if known else {}

    # ---- the one mutator --------------------------------------------------------------------------------------------

    def step(self, input: GossipInput, now: Micros) -> GossipReady:
        """Advance by one input. `SetKey` raises `UsageError` past the bounds; nothing else raises."""
        ready = GossipReady()
        if isinstance(input, Heard):
            self._heard(input.sender, input.message, now, ready)
        elif isinstance(input, SetKey):
            self._learned(self.node, self.node, [self._own.put(input.key, input.value)], ready)
        elif isinstance(input, DeleteKey):
            self._own.bury(input.key, now + self._policy.tombstone_grace_us)
        elif isinstance(input, Forget):
            self._forget(input, now)
        else:
            self._tick(now, ready)
        return ready

    def introduce(self, nodes: Iterable[NodeId]) -> None:
        """More peers, as if they had been among `members` from the start."""
        self._members += [node for node in dict.fromkeys(nodes) if node != self.node and node not in self._members]
        self._sort_peers()

    def set_unreachable(self, nodes: Iterable[NodeId]) -> None:
        """Whom the failure detector has convicted: they are tried seldom instead of often."""
        unreachable = frozenset(nodes)
        if unreachable != self._unreachable:
            self._unreachable = unreachable
            self._sort_peers()

    # ---- a round ----------------------------------------------------------------------------------------------------

    def _tick(self, now: Micros, ready: GossipReady) -> None:
        if now < self._next_us:
            return
        interval = self._policy.interval_us
        if self.rounds == 0:
            # Nodes forked together would otherwise all speak in the same millisecond for ever.
            self._next_us = now + 1 + self._dice.randrange(interval)
        else:
            self._next_us = max(self._next_us + interval, now + interval // 2)
        self.rounds += 1
        self._own.beat(self._own.heartbeat + 1)
        for known in self._known.values():
            if known.graves:
                known.collect(now)
        if self._removed:
            self._removed = {node: entry for node, entry in self._removed.items() if entry[1] > now}
        syn = Syn(self._digests())
        ready.sends.extend((target, syn) for target in self._targets())

    def _targets(self) -> list[NodeId]:
        """Fan-out live nodes, perhaps one unreachable, perhaps a seed (Cassandra's Gossiper.run)."""
        live, dead, dice = self._live, self._dead, self._dice
        targets = dice.sample(live, min(self._policy.fanout, len(live)))
        if dead and dice.random() < len(dead) / (len(live) + 1):
            targets.append(dead[dice.randrange(len(dead))])
        seeds = self._seeds
        if seeds and not any(seed in targets for seed in seeds):
            peers = len(live) + len(dead)
            if not peers or dice.random() < len(seeds) / peers:
                targets.append(seeds[dice.randrange(len(seeds))])
        return targets

    def _sort_peers(self) -> None:
        peers = sorted({*self._members, *self._known} - {self.node})
        self._live = [peer for peer in peers if peer not in self._unreachable]
        self._dead = [peer for peer in peers if peer in self._unreachable]

    def _digests(self) -> tuple[Digest, ...]:
        return tuple([known.digest() for known in self._known.values()])

    # ---- the exchange -----------------------------------------------------------------------------------------------

    def _heard(self, sender: NodeId, message: GossipMessage, now: Micros, ready: GossipReady) -> None:
        if isinstance(message, Syn):
            asks, offers = self._compare(message.digests, now)
            deltas = self._pack(offers)
            if asks or deltas:
                ready.sends.append((sender, Ack(tuple(asks), deltas)))
        elif isinstance(message, Ack):
            self._merge(sender, message.deltas, now, ready)
            deltas = self._pack(self._asked(message.digests))
            if deltas:
                ready.sends.append((sender, Ack2(deltas)))
        else:
            self._merge(sender, message.deltas, now, ready)

    def _compare(self, digests: tuple[Digest, ...], now: Micros) -> tuple[list[Digest], list[tuple[Known, Digest | None]]]:
        """What to ask of the sender of `digests`, and what to offer: (state, where the sender stands; None: nowhere)."""
        known_of = self._known
        asks: list[Digest] = []
        offers: list[tuple[Known, Digest | None]] = []
        for digest in digests[:NODES_MAX]:
            known = known_of.get(digest.node)
            if known is None or digest.generation > known.generation:
                if self._admits(digest.node, digest.generation, now):
                    asks.append(Digest(digest.node, 0, 0, 0))
            elif digest.generation < known.generation:
                offers.append((known, None))
            else:
                ahead, behind = digest.heartbeat - known.heartbeat, digest.max_version - known.max_version
                if (ahead > 0 or behind > 0) and known is not self._own:
                    asks.append(known.digest())
                if ahead < 0 or behind < 0:
                    offers.append((known, digest))
        if len(digests) < len(known_of) or any(digest.node not in known_of for digest in digests):
            told = {digest.node for digest in digests}
            offers.extend((known, None) for node, known in known_of.items() if node not in told)
        return asks, offers

    def _asked(self, digests: tuple[Digest, ...]) -> list[tuple[Known, Digest | None]]:
        offers: list[tuple[Known, Digest | None]] = []
        for digest in digests[:NODES_MAX]:
            known = self._known.get(digest.node)
            if known is not None and digest.generation <= known.generation:
                offers.append((known, digest if digest.generation == known.generation else None))
        return offers

    def _pack(self, offers: list[tuple[Known, Digest | None]]) -> tuple[Delta, ...]:
        """Deltas within the MTU: every node's heartbeat first (evidence must not starve behind keys), then keys in rank order."""
        budget = self._policy.mtu_bytes
        room = max(1, budget // DELTA_HEAD_BYTES_MAX)
        if len(offers) > room or any(digest is None or digest.max_version < known.max_version for known, digest in offers):
            offers = sorted(offers, key=_rank)[:room]
        budget -= len(offers) * DELTA_HEAD_BYTES_MAX
        deltas: list[Delta] = []
        spent = False  # at least one key goes out in any case, so that a small MTU slows but never stops
        for known, receiver in offers:
            start = 0 if receiver is None else known.start_for(receiver)
            if start >= known.max_version:
                deltas.append(known.pulse())
                continue
            keys, cost = _cut(known.newer_than(start), budget, spent)
            budget, spent = budget - cost, spent or bool(keys)
            truncated = bool(known.keys) and (keys[-1].version if keys else start) < _last_version(known)
            deltas.append(Delta(known.node, known.generation, known.heartbeat, known.gc_version, keys, start, known.max_version, truncated))
        return tuple(deltas)

    def _merge(self, sender: NodeId, deltas: tuple[Delta, ...], now: Micros, ready: GossipReady) -> None:
        own, known_of = self._own, self._known
        for delta in deltas[:NODES_MAX]:
            known = known_of.get(delta.node)
            if known is own:
                continue  # Law 1
            if known is None or delta.generation > known.generation:
                if not self._admits(delta.node, delta.generation, now):
                    continue
                if known is not None:
                    ready.evidence.append(delta.node)
                known = self._replace(delta)
            elif delta.generation < known.generation:
                continue
            elif delta.heartbeat > known.heartbeat:
                known.beat(delta.heartbeat)
                ready.evidence.append(delta.node)
            if delta.keys or delta.max_version > known.max_version:
                self._learned(sender, delta.node, known.merge(delta, now + self._policy.tombstone_grace_us), ready)

    def _replace(self, delta: Delta) -> Known:
        newcomer = delta.node not in self._known
        known = self._known[delta.node] = Known(delta.node, delta.generation, delta.heartbeat)
        known.gc_version = delta.gc_version
        if newcomer:
            self._sort_peers()
        return known

    def _admits(self, node: NodeId, generation: int, now: Micros) -> bool:
        """Whether to take in an unknown node, or a new generation of a known one. Refusals are counted."""
        known = self._known.get(node)
        base = known.generation if known else self._own.generation
        removed = self._removed.get(node)
        zombie = removed is not None and generation <= removed[0] and now < removed[1]
        full = known is None and len(self._known) >= NODES_MAX
        named = 0 < len(node.encode()) <= NODE_ID_BYTES_MAX
        admitted = known is not self._own and named and not zombie and not full and generation <= base + GENERATION_LEAP_MAX
        self.refused += not admitted
        return admitted

    def _forget(self, input: Forget, now: Micros) -> None:
        known = self._known.get(input.node)
        if known is self._own:
            return
        self._members = [member for member in self._members if member != input.node]
        self._seeds = [seed for seed in self._seeds if seed != input.node]
        generation = known.generation if known else 0
        if len(self._removed) < NODES_MAX:
            self._removed[input.node] = (generation, now + self._policy.tombstone_grace_us)
        if known is not None:
            del self._known[input.node]
        self._sort_peers()

    def _learned(self, teller: NodeId, origin: NodeId, news: list[KeyValue], ready: GossipReady) -> None:
        for entry in news:
            if not entry.deleted and entry.key.partition("/")[0] == RUMOUR:
                ready.learned.append(RumourHeard(entry.key, origin, entry.version, teller, entry.value))


def _rank(offer: tuple[Known, Digest | None]) -> tuple[bool, int, int]:
    """Unknown nodes first, then the stalest keys, then the stalest heartbeats."""
    known, digest = offer
    if digest is None:
        return (False, -known.max_version, -known.heartbeat)
    return (True, digest.max_version - known.max_version, digest.heartbeat - known.heartbeat)


def _last_version(known: Known) -> int:
    return next(reversed(known.keys.values())).version


def _cut(entries: list[KeyValue], budget: int, spent: bool) -> tuple[tuple[KeyValue, ...], int]:
    """The head of `entries` that fits into `budget` bytes, and its cost; one entry always fits unless something was `spent`."""
    cost = 0
    for count, entry in enumerate(entries):
        size = len(entry.key.encode()) + len(entry.value.encode()) + KEY_FRAME_BYTES_MAX
        if cost + size > budget and (spent or count):
            return tuple(entries[:count]), cost
        cost += size
    return tuple(entries), cost
