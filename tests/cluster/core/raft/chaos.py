"""Seeded random schedules: messages lost, doubled, reordered and late; disks slow; nodes crashing; links cut.

Law 1: one seed is one schedule; a violation is reported with its seed and can be played again.
"""

from __future__ import annotations

import random

import msgspec

from cluster.core.errors import LawBroken
from cluster.core.policy import RaftPolicy
from cluster.core.raft.ready import AskRead, Change, Froze, Propose, Transfer
from cluster.core.types import MS, SECOND, NodeId, Role
from tests.cluster.core.raft.monitors import (
    AckedWritesSurvive,
    ElectionSafety,
    LeaderCompleteness,
    LogMatching,
    QuorumsOverlap,
    ReadsAreFresh,
    StateMachineSafety,
    Violation,
    VotesAreKept,
)
from tests.cluster.core.raft.world import Watcher, World


class Chances(msgspec.Struct, frozen=True):
    """Weights of what may happen next."""

    deliver: float = 60
    late: float = 4  # a message overtakes those before it
    lose: float = 3
    double: float = 3
    tick: float = 16
    persist: float = 30
    propose: float = 8
    read: float = 4
    crash: float = 1
    restart: float = 3
    cut: float = 0.7
    heal: float = 1.5
    freeze: float = 0.5
    transfer: float = 0.5
    compact: float = 2
    change: float = 1.5
    usurp: float = 0.3  # a leader is cut off, another is elected and written to, and the old one is asked
    reign: float = 0  # one whole reign of figure 8: elected by some, replicates to others, is cut off


USUAL = Chances()


class Exercised(msgspec.Struct):
    """What a schedule really did: a test that exercised nothing proves nothing."""

    acked: int = 0
    reads: int = 0
    crashes: int = 0
    truncations: int = 0
    snapshots: int = 0
    installs: int = 0
    changes: int = 0
    joint: int = 0
    leaders: int = 0
    steps: int = 0


class Chaos:
    """One schedule over `count` voters."""

    def __init__(self, seed: int, policy: RaftPolicy, chances: Chances = USUAL) -> None:
        self.rng = random.Random(seed)
        founders = self.rng.choice((3, 3, 5))
        count = founders + (2 if chances.change else 0)
        self.acked, self.election = AckedWritesSurvive(), ElectionSafety()
        self.fresh = ReadsAreFresh(self.acked)
        policy = msgspec.structs.replace(policy, snapshot_trailing=self.rng.choice((0, 2, 5)))
        voters = [f"n{number}" for number in range(1, count + 1)]
        self.overlap = QuorumsOverlap()
        watchers: list[Watcher] = [self.election, StateMachineSafety(), LeaderCompleteness(), LogMatching(), self.overlap]
        self.world = World(count, policy, {node: random.Random(f"{seed}{node}") for node in voters}, watchers, founders)
        watchers += [self.acked, self.fresh, VotesAreKept(self.world)]
        self.serial = 0
        self.done = Exercised()
        self.verbs = {name: getattr(self, name) for name in msgspec.structs.asdict(chances)}
        self.weights = list(msgspec.structs.asdict(chances).values())

    def run(self, steps: int) -> Exercised:
        """`steps` random happenings, then peace. Raises `Violation` or `LawBroken`."""
        for node in self.world.voters:
            self.world.members[node].disk.auto = False
        choices = self.rng.choices(list(self.verbs.values()), self.weights, k=steps)
        for happen in choices:
            happen()
        self.peace()
        members = self.world.members.values()
        self.done.steps, self.done.acked = steps, len(self.acked.acked)
        self.done.leaders = len(self.election.leaders)
        self.done.truncations = sum("Truncated" in type(e).__name__ for m in members for e in m.events)
        self.done.installs = sum("Installed" in type(e).__name__ for m in members for e in m.events)
        self.done.snapshots = sum("SnapshotTaken" in type(e).__name__ for m in members for e in m.events)
        self.done.changes, self.done.joint = self.overlap.changes, self.overlap.joint
        self.done.reads = sum(len(m.reads) for m in members)
        return self.done

    def peace(self) -> None:
        """Everything heals: the cluster must elect, agree and hold every acknowledged write."""
        world = self.world
        world.cut.clear()
        for node in world.voters:
            if world.members[node].raft is None:
                world.start(node)
            disk = world.members[node].disk
            disk.auto = True
            world.persist(node, len(disk.waiting))
        if not self.world.policy.check_quorum:
            self.turn_off_strangers()
        world.run(4 * SECOND)
        leaders = [node for node in world.up() if world.raft(node).role is Role.LEADER]
        if len(leaders) != 1:
            raise Violation("a healthy cluster elects a leader", f"leaders: {leaders}")
        self.acked.verify(world, world.raft(leaders[0]).config.everyone)

    def turn_off_strangers(self) -> None:
        """Without pre-vote and check-quorum, who was removed and not told deposes every leader: operators have to stop it."""
        world = self.world
        newest = max(world.up(), key=lambda node: (world.raft(node).log.last_term, world.raft(node).last_index))
        group = {newest, *world.raft(newest).config.everyone}
        for node in world.voters:
            if node not in group:
                world.crash(node)

    # ---- happenings ------------------------------------------------------------------------------------------

    def _node(self) -> NodeId | None:
        up = self.world.up()
        return self.rng.choice(up) if up else None

    def _leader(self) -> NodeId | None:
        leaders = [node for node in self.world.up() if self.world.raft(node).role is Role.LEADER]
        return self.rng.choice(leaders) if leaders else None

    def deliver(self) -> None:
        busy = self.world.busy_links()
        for link in self.rng.sample(busy, min(len(busy), 3)):
            self.world.deliver_one(link)

    def late(self) -> None:
        if busy := self.world.busy_links():
            link = self.rng.choice(busy)
            self.world.deliver_one(link, self.rng.randrange(len(self.world.links[link])))

    def lose(self) -> None:
        if busy := self.world.busy_links():
            self.world.links[self.rng.choice(busy)].popleft()

    def double(self) -> None:
        if busy := self.world.busy_links():
            queue = self.world.links[self.rng.choice(busy)]
            queue.append(queue[0])

    def tick(self) -> None:
        if node := self._node():
            self.world.tick(node, self.rng.randrange(40) * MS)

    def persist(self) -> None:
        for node in self.world.up():
            if self.rng.random() < 0.7:
                self.world.persist(node, self.rng.randrange(1, 4))

    def propose(self) -> None:
        if node := self._leader():
            self.serial += 1
            data = f"w{self.serial}".encode()
            self.acked.propose(node, self.world.step(node, Propose((data,))), data)

    def read(self) -> None:
        if node := self._leader():
            self.serial += 1
            self.fresh.ask(self.serial)
            self.world.step(node, AskRead(self.serial, lease=self.rng.random() < 0.5))

    def crash(self) -> None:
        if node := self._node():
            self.done.crashes += 1
            self.world.crash(node)

    def restart(self) -> None:
        down = [node for node in self.world.voters if self.world.members[node].raft is None]
        if down:
            self.world.start(self.rng.choice(down))

    def cut(self) -> None:
        links = sorted(self.world.links)
        if self.rng.random() < 0.5:
            self.world.cut.add(self.rng.choice(links))
        else:
            node = self.rng.choice(self.world.voters)
            self.world.cut.update(link for link in links if node in link)

    def heal(self) -> None:
        self.world.cut.clear()

    def freeze(self) -> None:
        if node := self._node():
            gap_us = self.rng.randrange(600) * MS
            self.world.now += gap_us
            self.world.step(node, Froze(gap_us))

    def transfer(self) -> None:
        if node := self._leader():
            self.world.step(node, Transfer(self.rng.choice(self.world.voters)))

    def compact(self) -> None:
        if node := self._node():
            raft = self.world.raft(node)
            if raft.may_compact(raft.applied_index):
                self.world.compact(node)

    def change(self) -> None:
        """One node to vote, learn or leave, or a whole new group."""
        if node := self._leader():
            nodes, config = self.world.voters, self.world.raft(node).config
            one = (self.rng.choice(nodes),)
            wanted = tuple(self.rng.sample(nodes, self.rng.choice((1, 3, 3, 4))))
            rest = tuple(other for other in config.voters if other not in wanted)
            change = self.rng.choice((Change(add=one), Change(remove=one), Change(learn=one), Change(add=wanted, remove=rest)))
            self.world.step(node, change)

    def usurp(self) -> None:
        world = self.world
        old = self._leader()
        others = [node for node in world.up() if node != old]
        if old is None or not others:
            return
        world.cut = {link for link in world.links if old in link}
        for _ in range(self.rng.randrange(1, 4)):
            world.tick(self.rng.choice(others), self.rng.randrange(60, 200) * MS)
            world.deliver()
        if (node := self._leader()) and node != old:
            self.serial += 1
            data = f"w{self.serial}".encode()
            self.acked.propose(node, world.step(node, Propose((data,))), data)
            for other in others:
                world.persist(other, 9)
            world.deliver()
        self.serial += 1
        self.fresh.ask(self.serial)
        world.step(old, AskRead(self.serial, lease=True))

    def reign(self) -> None:
        """A node is elected with the help of some, and what it writes reaches few or none: figure 8 is made of these."""
        world, rng = self.world, self.rng
        for member in world.members.values():
            member.disk.auto = True
        node = rng.choice(world.voters)
        if world.members[node].raft is None:
            world.start(node)
        self._connect(node, rng.randrange(len(world.voters)))
        world.tick(node, world.policy.election_max_us)
        world.deliver()
        self._connect(node, rng.choice((0, 0, 1, 2)))
        if world.raft(node).role is Role.LEADER and rng.random() < 0.7:
            self.serial += 1
            data = f"w{self.serial}".encode()
            self.acked.propose(node, world.step(node, Propose((data,))), data)
        world.deliver()
        for _ in range(rng.randrange(3)):
            world.tick(node, world.policy.heartbeat_us)
            world.deliver()

    def _connect(self, node: NodeId, count: int) -> None:
        """Only `node` and `count` others reach each other; what was under way is lost."""
        others = self.rng.sample([other for other in self.world.voters if other != node], count)
        self.world.cut = {link for link in self.world.links if not {*link} <= {node, *others} or node not in link}
        for link in self.world.cut:
            self.world.links[link].clear()


def first_violation(policy: RaftPolicy, seeds: range, steps: int, chances: Chances = USUAL) -> tuple[int, str] | None:
    """(seed, law) of the first schedule in `seeds` that breaks a law, None when all keep them."""
    for seed in seeds:
        try:
            Chaos(seed, policy, chances).run(steps)
        except (Violation, LawBroken) as error:
            return seed, str(error)
    return None
