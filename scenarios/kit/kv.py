"""The key-value store of a run, whichever it is: our own Raft group, or the etcd that was given in its place."""

from __future__ import annotations

from cluster.backends.etcd.port import Kv
from cluster.backends.etcd.raft import RaftKv
from scenarios.kit.process import Process


async def open_kv(process: Process, backend: str, *, timeout_ms: float = 5_000.0) -> Kv:
    """`timeout_ms`: how long an operation may take, elections included. Raises `EnvironmentFailed` when an etcd does not answer."""
    urls = process.backends[backend]
    if urls[0].startswith("etcd://"):
        # Imported here, in the process that needs it: what grpc keeps does not survive a fork.
        from cluster.backends.etcd.foreign import EtcdKv

        return await EtcdKv.open(urls, timeout_ms)
    return RaftKv(urls, process.name, process.rng, timeout_ms=timeout_ms)
