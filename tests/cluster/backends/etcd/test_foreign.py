"""The port over a real etcd, on loopback ports in a directory of its own. Each check in a process of its own (grpc)."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.cluster.backends.etcd.checks import CHECKS
from tests.cluster.backends.etcd.group import ROOT
from tests.cluster.backends.etcd.real import etcd_running, needs_etcd

pytestmark = [pytest.mark.processes, pytest.mark.timeout(120), needs_etcd]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with etcd_running(tmp_path_factory.mktemp("etcd")) as url:
        yield url


def checked(name: str, url: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "tests.cluster.backends.etcd.checks", name, url],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize("name", CHECKS)
def test_it_does_what_the_port_says(name: str, url: str) -> None:
    done = checked(name, url)
    assert done.returncode == 0, done.stderr


def test_nobody_there_is_said_in_one_line() -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-c", _NOBODY], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == "no etcd serves at 127.0.0.1:1\n"


_NOBODY = """
import asyncio
from cluster.backends.etcd import foreign
from cluster.core.errors import EnvironmentFailed
foreign.CONNECT_TIMEOUT_S = 0.5
try:
    asyncio.run(foreign.EtcdKv.open(["etcd://localhost:1"], 200))
except EnvironmentFailed as error:
    print(error)
"""
