"""A real etcd of the test's own, on loopback ports in a directory of its own."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cluster.supervisor import ports

ETCD = shutil.which("etcd")
needs_etcd = pytest.mark.skipif(ETCD is None, reason="no etcd on the path")


@contextmanager
def etcd_running(folder: Path) -> Iterator[str]:
    """Its URL, at once: who opens it waits until it serves. The least life of a lease is one second, by the short timeout."""
    allocated = ports.allocate(2)
    client, peer = (f"http://127.0.0.1:{port}" for port in allocated.ports)
    assert ETCD is not None
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                ETCD, "--data-dir", str(folder / "data"), "--name", "e1", "--listen-client-urls", client,
                "--advertise-client-urls", client, "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                "--initial-cluster", f"e1={peer}", "--heartbeat-interval", "20", "--election-timeout", "200",
            ],
            stdout=log, stderr=log,
        )  # fmt: skip
        try:
            yield client.replace("http://", "etcd://")
        finally:
            process.kill()
            process.wait()
            allocated.close()
