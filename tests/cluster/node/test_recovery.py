"""A new cluster from one survivor's directory."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from cluster.core.errors import CorruptLog, UsageError
from cluster.core.kv.ops import Put, encode_write
from cluster.core.kv.store import Store
from cluster.core.raft.membership import Membership, encode_membership
from cluster.core.raft.messages import Entry, EntryKind, HardState, Snapshot
from cluster.core.raft.ready import Persist
from cluster.node import snapfiles
from cluster.node.failures import StorageFailed
from cluster.node.recovery import Recovery, recover
from cluster.node.segments import Segments

GROUP = Membership(("n1", "n2", "n3"))


def survivor(path: Path, *, snapshot_at: int = 0) -> Path:
    """A node that holds a no-op, four writes and a configuration, with a snapshot of some of it perhaps."""
    writes = [Entry(2, EntryKind.COMMAND, encode_write(Put(f"k{number}", str(number)))) for number in range(4)]
    entries = (Entry(1, EntryKind.NOOP, b""), *writes, Entry(2, EntryKind.CONFIG, encode_membership(GROUP)))
    log = Segments(path)
    log.append([Persist(1, HardState(3, "n2"), None, 1, entries)])
    if snapshot_at:
        store = Store()
        for index, entry in enumerate(entries[:snapshot_at], 1):
            store.apply(index, entry.term, entry.kind, entry.data)
        snapshot = Snapshot(snapshot_at, 2, GROUP, store.dump())
        log.append([Persist(2, None, None, 7, (), snapshot, keep_from=2)])
    log.close()
    return path


@pytest.mark.parametrize("snapshot_at", [0, 3])
def test_every_new_node_begins_with_all_that_the_survivor_holds(tmp_path: Path, snapshot_at: int) -> None:
    done = recover(survivor(tmp_path / "n3", snapshot_at=snapshot_at), tmp_path / "new", 3)
    assert done == Recovery(6, 2, 6 - snapshot_at, 4, 0, ("n1", "n2", "n3"))
    images = set()
    for node in done.nodes:
        log = Segments(tmp_path / "new" / node)
        log.close()
        held = log.recovered
        assert held.snapshot is not None
        assert (held.hard, held.entries, held.base) == (HardState(3), [], (6, 2))
        assert held.snapshot.membership == GROUP
        images.add(held.snapshot.data)
    (image,) = images
    assert Store.load(image).scan("", 9).items == tuple((f"k{number}", str(number)) for number in range(4))


def test_a_survivor_is_left_as_a_restart_would_leave_it(tmp_path: Path) -> None:
    directory = survivor(tmp_path / "n3")
    before = {path.name: path.read_bytes() for path in directory.iterdir()}
    recover(directory, tmp_path / "new", 1)
    assert {path.name: path.read_bytes() for path in directory.iterdir()} == before


def test_what_cannot_be_recovered_is_refused_and_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no log in it"):
        recover(tmp_path / "nowhere", tmp_path / "new", 3)
    assert not (tmp_path / "nowhere").exists()
    Segments(tmp_path / "empty").close()
    with pytest.raises(UsageError, match="nothing to recover"):
        recover(tmp_path / "empty", tmp_path / "new", 3)
    held = survivor(tmp_path / "n3")
    with pytest.raises(UsageError, match="is not empty"):
        recover(held, tmp_path, 3)
    running = Segments(held)
    with pytest.raises(StorageFailed, match="another process holds this log"):
        recover(held, tmp_path / "new", 3)
    running.close()
    (path,) = held.glob("wal-*")
    path.write_bytes(b"garbage")
    with pytest.raises(CorruptLog):
        recover(held, tmp_path / "new", 3)
    assert not (tmp_path / "new").exists()


def test_a_new_cluster_that_cannot_be_made_whole_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full at the second node: nothing is left of the first, and the next attempt finds the place empty."""
    held, save, made = survivor(tmp_path / "n3"), snapfiles.save, list[Path]()

    def full(directory: Path, directory_fd: int, snapshot: Snapshot) -> None:
        made.append(directory)
        if len(made) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        save(directory, directory_fd, snapshot)

    monkeypatch.setattr(snapfiles, "save", full)
    with pytest.raises(OSError, match="No space left"):
        recover(held, tmp_path / "new", 3)
    assert len(made) == 2
    assert not (tmp_path / "new").exists()
    assert recover(held, tmp_path / "new", 3).nodes == ("n1", "n2", "n3")
