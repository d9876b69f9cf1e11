"""Snapshots larger than one piece, and what a leader concludes from the answers."""

from __future__ import annotations

import random

import pytest

from cluster.core.errors import LawBroken
from cluster.core.policy import RaftPolicy
from cluster.core.raft.machine import Raft
from cluster.core.raft.membership import Membership
from cluster.core.raft.messages import Append, Appended, HardState, Install, Installing, Snapshot
from cluster.core.raft.ready import Compact, Persisted, Propose, Received
from cluster.core.raft.underway import Stream
from cluster.core.types import MS, SNAPSHOT_BYTES_MAX, SNAPSHOT_PIECE_BYTES, SNAPSHOT_PIECES_MAX
from tests.cluster.core.raft.transcript import Luck
from tests.cluster.core.raft.world import World

PIECE = SNAPSHOT_PIECE_BYTES
GROUP = Membership(("n1", "n2", "n3"))


def behind(pieces: float) -> World:
    """n3 lacks what n1 has compacted away; the snapshot has that many pieces."""
    world = World(3, RaftPolicy(snapshot_trailing=0), {f"n{number}": Luck(number / 10) for number in range(1, 4)})
    world.run(1_000 * MS)
    world.cut |= {link for link in world.links if "n3" in link}
    world.step("n1", Propose((b"x" * round(pieces * PIECE),)))
    world.deliver()
    world.tick("n1", 50 * MS)
    world.deliver()
    world.compact("n1")
    world.cut.clear()
    return world


@pytest.mark.parametrize("pieces", [0.001, 1, 2.5, 9.3])
def test_a_large_snapshot_arrives_in_pieces(pieces: float) -> None:
    world = behind(pieces)
    world.run(200 * MS)
    assert world.members["n3"].state == world.members["n1"].state
    assert world.raft("n3").snapshot_index == world.raft("n1").snapshot_index == 2
    assert {state for _, _, _, state, _ in world.raft("n1").progress(world.now)} == {"replicate"}


@pytest.mark.parametrize("seed", range(20))
def test_lost_doubled_and_reordered_pieces_are_made_good(seed: int) -> None:
    world, rng = behind(6.5), random.Random(seed)
    for _ in range(400):
        if rng.random() < 0.1:
            world.tick("n1", 50 * MS)
        for link in world.busy_links():
            queue = world.links[link]
            luck = rng.random()
            if luck < 0.15:
                queue.popleft()
            elif luck < 0.3:
                queue.append(queue[0])
            else:
                world.deliver_one(link, rng.randrange(min(3, len(queue))))
    world.run(500 * MS)
    assert world.members["n3"].state == world.members["n1"].state


def test_so_many_pieces_are_unanswered_and_a_silent_follower_gets_none() -> None:
    world = behind(9)
    world.tick("n1", 50 * MS)
    world.deliver(("n1", "n3"))
    world.deliver(("n3", "n1"))
    for _ in range(3):
        world.tick("n1", 50 * MS)
    asked = list(world.links["n1", "n3"])
    assert [len(message.data) for message in asked if isinstance(message, Install)] == [0, 0, 0]
    world.deliver(("n1", "n3"))
    world.deliver(("n3", "n1"))
    pieces = [message for message in world.links["n1", "n3"] if isinstance(message, Install) and message.data]
    assert [piece.offset for piece in pieces] == [number * PIECE for number in range(SNAPSHOT_PIECES_MAX)]


def test_a_heartbeat_finds_out_what_was_lost() -> None:
    stream = Stream(Snapshot(9, 1, GROUP, bytes(3 * PIECE)))
    assert [stream.next_piece() is not None for _ in range(4)] == [True, True, True, False]
    stream.asked(seq=7)
    stream.answered(held=PIECE, seq=6)  # answers an older question: the rest may still be on its way
    assert stream.next_piece() is None
    stream.answered(held=PIECE, seq=7)
    assert stream.next_piece() == (PIECE, bytes(PIECE))


def follower() -> Raft:
    return Raft("n1", GROUP.voters, RaftPolicy(), random.Random(1), hard=HardState(1))


def install(index: int, data: bytes, offset: int = 0, total: int = 0, term: int = 1) -> Received:
    return Received("n2", Install(term, index, 1, GROUP, total or len(data), offset, data, 1))


def test_a_piece_of_another_snapshot_begins_anew() -> None:
    machine = follower()
    machine.step(install(5, b"aa", total=4), 0)
    assert machine.step(install(6, b"bb", total=4), 0).sends == [("n2", Installing(1, 6, 2, 1))]
    assert machine.step(install(5, b"aa", offset=2, total=4), 0).sends == [("n2", Installing(1, 5, 0, 1))]
    machine.step(install(5, b"aa", total=4), 0)
    ready = machine.step(install(5, b"cc", offset=2, total=4), 0)
    assert ready.snapshot == Snapshot(5, 1, GROUP, b"aacc")


def test_a_new_leader_begins_anew_and_an_old_one_hears_the_term() -> None:
    machine = follower()
    machine.step(install(5, b"aa", total=4), 0)
    ready = machine.step(install(5, b"cc", offset=2, total=4, term=2), 0)
    assert ready.snapshot is None
    ready = machine.step(Persisted(ready.persist.token if ready.persist else 0), 0)
    assert ready.sends == [("n2", Installing(2, 5, 0, 1))]
    assert machine.step(install(5, b"cc", offset=2, total=4, term=1), 0).sends == [("n2", Appended(2, False, 5, 0, 0, 1))]


def test_a_snapshot_is_bounded() -> None:
    with pytest.raises(LawBroken, match="snapshots are bounded"):
        follower().step(install(5, b"", total=SNAPSHOT_BYTES_MAX + 1), 0)


def test_a_snapshot_covers_only_what_is_applied() -> None:
    machine = follower()
    machine.step(Received("n2", Append(1, 0, 0, (), 0, 1)), 0)
    with pytest.raises(LawBroken, match="covers what is applied"):
        machine.step(Compact(1, b""), 0)
