"""Disaster recovery: a new cluster from one survivor's directory, when the quorum is lost for good.

Law 1: it is a new cluster. All of its nodes begin with the same snapshot of everything that the survivor holds, and a log that is
       empty behind it; they elect among themselves, and the dead have no say if they come back.
Law 2: whatever the survivor's log holds counts as committed: nobody is left who could tell. So a write may appear whose client
       heard nothing, and one may be missing that only others held. That is the loss, and it is told.
Law 3: the survivor's directory is left as a restart would leave it, and must not be in use.
Law 4: a new cluster that cannot be made whole is not there at all, so that the next attempt finds the place empty.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

import msgspec

from cluster.core.errors import UsageError
from cluster.core.kv.store import Store
from cluster.core.raft.membership import Membership
from cluster.core.raft.messages import HardState, Snapshot
from cluster.core.raft.ready import Persist
from cluster.node.recovered import Recovered
from cluster.node.segments import Segments


class Recovery(msgspec.Struct, frozen=True):
    """What was saved: the state up to `index`, of `term`; `entries` of it came from the log, `cut_bytes` of an unfinished write not."""

    index: int
    term: int
    entries: int
    keys: int
    cut_bytes: int
    nodes: tuple[str, ...]


def recover(survivor: Path, target: Path, count: int) -> Recovery:
    """Make node directories `target/n1` … from `survivor`. Raises `UsageError`, `CorruptLog` or `StorageFailed`."""
    if not any(survivor.glob("wal-*.log")):
        raise UsageError(f"{survivor} is no node's directory: there is no log in it")
    if target.exists() and any(target.iterdir()):
        raise UsageError(f"{target} is not empty: a new cluster needs a new place")
    log = Segments(survivor)
    log.close()
    held = log.recovered
    store, entries = _state_of(held)
    if not store.applied:
        raise UsageError(f"{survivor} holds no entry: there is nothing to recover")
    nodes = tuple(f"n{number}" for number in range(1, count + 1))
    term = held.entries[-1].term if held.entries else held.snapshot.term if held.snapshot else 0
    snapshot = Snapshot(store.applied, term, Membership(nodes), store.dump())
    fresh = not target.exists()
    try:
        for node in nodes:
            _found(target / node, snapshot, held.hard.term)
    except BaseException:
        _take_back(target, nodes, fresh)
        raise
    return Recovery(store.applied, term, entries, len(store), held.cut_bytes, nodes)


def _state_of(held: Recovered) -> tuple[Store, int]:
    """The state machine after everything held, and how many entries beyond the snapshot that took."""
    store = Store() if held.snapshot is None else Store.load(held.snapshot.data)
    first = store.applied + 1
    for index, entry in enumerate(held.entries, held.base[0] + 1):
        if index >= first:
            store.apply(index, entry.term, entry.kind, entry.data)
    return store, store.applied + 1 - first


def _take_back(target: Path, nodes: tuple[str, ...], fresh: bool) -> None:
    """Law 4."""
    for node in nodes:
        shutil.rmtree(target / node, ignore_errors=True)
    if fresh:
        with suppress(OSError):
            target.rmdir()


def _found(directory: Path, snapshot: Snapshot, term: int) -> None:
    log = Segments(directory)
    log.append([Persist(1, HardState(term), None, snapshot.index + 1, (), snapshot, installed=True, keep_from=snapshot.index + 1)])
    log.close()
