"""The same entries make the same store: byte for byte, in every process and under every hash seed."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import pytest

from cluster.core.kv.store import Store
from tests.cluster.core.kv.entries import mixture

SEED, COUNT = 7, 3_000
PROGRAM = "from tests.cluster.core.kv.test_determinism import account; print(account())"


def run(seed: int, count: int) -> tuple[Store, list[object]]:
    store = Store()
    replies = [store.apply(index, 1, 1, data) for index, data in enumerate(mixture(seed, count), 1)]
    return store, list(replies)


def account() -> str:
    """Everything that could differ: each reply, the digest and the image."""
    store, replies = run(SEED, COUNT)
    told = hashlib.sha256(repr(replies).encode() + store.dump()).hexdigest()
    return f"{store.digest:08x} {store.revision} {told}"


@pytest.mark.processes
def test_another_hash_seed_changes_nothing() -> None:
    outputs = []
    for hash_seed in ("0", "1", "4242"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        run = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True, timeout=50)
        outputs.append(run.stdout.strip())
    assert outputs == [account()] * 3


def test_the_mixture_uses_everything() -> None:
    store, _ = run(SEED, COUNT)
    assert min(store.history.compacted, len(store.leases), len(store.sessions), len(store)) > 0
    assert any(held.replies for _, held in store.sessions.items())


@pytest.mark.parametrize("seed", range(5))
def test_a_replica_that_begins_from_an_image_ends_like_the_others(seed: int) -> None:
    """The image is taken in the middle; from there on every reply is the same, and so is the image at the end."""
    entries = list(mixture(seed, 600))
    one = Store()
    for index, data in enumerate(entries[:300], 1):
        one.apply(index, 1, 1, data)
    other = Store.load(one.dump())
    for index, data in enumerate(entries[300:], 301):
        assert one.apply(index, 1, 1, data) == other.apply(index, 1, 1, data)
    assert one.dump() == other.dump()
