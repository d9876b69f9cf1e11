"""Gossip machines on a virtual network: one seed, integer time, messages that may be lost, doubled, late or cut."""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterable

from cluster.core.gossip.machine import Gossip
from cluster.core.gossip.messages import GossipMessage
from cluster.core.gossip.ready import GossipInput, GossipReady, Heard, RumourHeard, Tick
from cluster.core.policy import GossipPolicy
from cluster.core.types import MS, Micros, NodeId


class World:
    """`count` nodes n1…; every one is introduced to all others unless `members` says otherwise."""

    def __init__(
        self,
        count: int,
        policy: GossipPolicy,
        seed: int = 1,
        members: dict[NodeId, list[NodeId]] | None = None,
        loss: float = 0.0,
        duplicate: float = 0.0,
        delay_us: tuple[Micros, Micros] = (100, 1_000),
        seeds: Iterable[NodeId] = (),
    ) -> None:
        self.names = [f"n{number}" for number in range(1, count + 1)]
        self.policy, self.dice, self.now = policy, random.Random(seed), 0
        self.members, self.seeds = members or {}, tuple(seeds)
        self.loss, self.duplicate, self.delay_us = loss, duplicate, delay_us
        self.sides: list[set[NodeId]] = []  # a cut: messages pass only within a side
        self.evidence: dict[NodeId, list[NodeId]] = {name: [] for name in self.names}
        self.learned: dict[NodeId, list[RumourHeard]] = {name: [] for name in self.names}
        self.delivered: list[tuple[NodeId, NodeId, GossipMessage]] = []
        self._wire: list[tuple[Micros, int, NodeId, NodeId, GossipMessage]] = []
        self._sent = 0
        self.nodes = {name: self._machine(name, 1) for name in self.names}

    def _machine(self, name: NodeId, generation: int) -> Gossip:
        members = self.members.get(name, self.names)
        dice = random.Random(self.dice.randrange(1 << 30))
        return Gossip(name, members, generation, self.policy, dice, self.seeds)

    def restart(self, name: NodeId, generation: int) -> None:
        """A new process for this node: it knows nothing."""
        self.nodes[name] = self._machine(name, generation)

    def cut(self, *sides: Iterable[NodeId]) -> None:
        self.sides = [set(side) for side in sides]

    def heal(self) -> None:
        self.sides = []

    def do(self, name: NodeId, input: GossipInput) -> GossipReady:
        ready = self.nodes[name].step(input, self.now)
        self.evidence[name] += ready.evidence
        self.learned[name] += ready.learned
        for target, message in ready.sends:
            self._send(name, target, message)
        return ready

    def run_ms(self, ms: int) -> None:
        """Advance virtual time, one event at a time."""
        end = self.now + ms * MS
        while True:
            due = min(machine.deadline() for machine in self.nodes.values())
            arrival = self._wire[0][0] if self._wire else end + 1
            if min(due, arrival) > end:
                break
            self.now = max(self.now, min(due, arrival))
            if arrival <= due:
                _, _, sender, target, message = heapq.heappop(self._wire)
                self.delivered.append((sender, target, message))
                self.do(target, Heard(sender, message))
            else:
                for name in self.names:
                    if self.nodes[name].deadline() <= self.now:
                        self.do(name, Tick())
        self.now = end

    def knowing(self, origin: NodeId, key: str) -> int:
        return sum(key in machine.keys_of(origin) for machine in self.nodes.values())

    def rounds_until_all_know(self, origin: NodeId, key: str, limit: int) -> float:
        """Rounds from now until every node knows `key`; the limit when that is not enough."""
        began, step_ms = self.now, max(1, self.policy.interval_us // MS // 10)
        while self.knowing(origin, key) < len(self.names):
            if self.now - began >= limit * self.policy.interval_us:
                return limit
            self.run_ms(step_ms)
        return (self.now - began) / self.policy.interval_us

    def _send(self, sender: NodeId, target: NodeId, message: GossipMessage) -> None:
        if target not in self.nodes or self._is_cut(sender, target) or self.dice.random() < self.loss:
            return
        for _ in range(2 if self.dice.random() < self.duplicate else 1):
            self._sent += 1
            arrival = self.now + self.dice.randint(*self.delay_us)
            heapq.heappush(self._wire, (arrival, self._sent, sender, target, message))

    def _is_cut(self, one: NodeId, other: NodeId) -> bool:
        return bool(self.sides) and not any(one in side and other in side for side in self.sides)
