"""A node's whole stack with snapshots: the store goes with the log, and comes back with it."""

from __future__ import annotations

from itertools import pairwise

from cluster.core.effects import Persist, Persisted
from cluster.core.kv.ops import Delete, Get, Put
from cluster.core.policy import Policy, RaftPolicy
from cluster.core.raft.compaction import Compaction
from cluster.core.raft.membership import Membership
from cluster.core.raft.messages import Entry, Snapshot
from cluster.core.raft.ready import SnapshotInstalled, SnapshotTaken
from cluster.core.types import SECOND, NodeId
from tests.cluster.core.test_replica import Lab, follower

OFTEN = Policy(raft=RaftPolicy(snapshot_every=20, snapshot_trailing=4))


class Disks(Lab):
    """Replicas whose disks keep snapshots, too."""

    def __init__(self) -> None:
        self.snapshots: dict[NodeId, Snapshot] = {}
        super().__init__(3, 3, OFTEN)

    def _persist(self, name: NodeId, write: Persist) -> None:
        if write.snapshot is not None:
            self.snapshots[name] = write.snapshot
        self.handle(name, Persisted(write.token))


def written(count: int) -> Disks:
    """A cluster in which one follower missed `count` writes."""
    lab = Disks()
    lab.run(1 * SECOND)
    lab.cut = {follower(lab)}
    for number in range(count):
        assert lab.asked(lab.leader, Put(f"k{number % 7}", str(number))).outcome == "ok"
    lab.asked(lab.leader, Delete("k3"))
    return lab


def test_a_log_is_compacted_as_it_grows_and_the_trailing_entries_stay() -> None:
    lab = written(70)
    taken = [event.index for event in lab.said(lab.leader, SnapshotTaken) if isinstance(event, SnapshotTaken)]
    assert taken[0] == 20
    assert all(later - earlier >= 20 for earlier, later in pairwise(taken))
    raft = lab.replicas[lab.leader].raft
    assert raft is not None
    assert raft.log.first_index == taken[-1] - 4 + 1
    assert lab.asked(lab.leader, Get("k0")).value == "63"


def test_a_follower_far_behind_gets_the_store_and_agrees_in_every_digest() -> None:
    lab = written(70)
    (behind,) = lab.cut
    lab.cut = set()
    lab.run(1 * SECOND)
    assert lab.said(behind, SnapshotInstalled)
    stores = [replica.store for replica in lab.replicas.values()]
    assert len({(store.applied, store.digest, store.dump()) for store in stores}) == 1


def test_a_restarted_node_begins_with_its_snapshot() -> None:
    lab = written(70)
    name, before = lab.leader, lab.replicas[lab.leader].store
    snapshot = lab.snapshots[name]
    again = type(lab.replicas[name])(
        name, lab.names, lab.voters, OFTEN, lab.replicas[name].gossip._dice, 2, snapshot=snapshot, base=(snapshot.index, snapshot.term)
    )
    assert (again.store.applied, again.raft and again.raft.commit) == (snapshot.index, snapshot.index)
    assert again.store.dump() == snapshot.data
    assert before.applied > snapshot.index >= 20


def test_a_snapshot_waits_until_the_log_weighs_as_much_as_the_last_one() -> None:
    snapshot = Snapshot(10, 1, Membership(), bytes(1_000))
    light, heavy = Compaction(5, snapshot), Compaction(5, snapshot)
    light.applied([Entry(1, 1, bytes(10))] * 80, 90)
    assert not light.due
    heavy.applied([Entry(1, 1, bytes(300))] * 4, 14)
    assert not heavy.due  # it is few entries
    heavy.applied([Entry(1, 1, b"")], 15)
    assert heavy.due
    heavy.made(15, 10)
    assert not heavy.due
    heavy.applied([Entry(1, 1, bytes(300))] * 4, 19)
    assert not heavy.due
