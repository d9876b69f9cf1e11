"""etcd as the run's own servers: three members that find each other, and go on without one."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from cluster.backends.etcd.local import PORTS_EACH, Etcds, prepare
from cluster.backends.group import Ask
from cluster.core.errors import EnvironmentFailed
from cluster.supervisor import ports
from tests.cluster.backends.etcd.group import ROOT
from tests.cluster.backends.etcd.real import needs_etcd

pytestmark = [pytest.mark.processes, pytest.mark.timeout(120)]

NAMES = ("kv1", "kv2", "kv3")


class Members:
    """Started without a zygote."""

    def __init__(self, folder: Path) -> None:
        self._ports = ports.allocate(len(NAMES) * PORTS_EACH)
        self.group: Etcds = prepare(Ask(NAMES, self._ports.ports, folder, seed=1), lambda *_: None)
        self._log = (folder / "log").open("wb")
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str) -> None:
        argv = msgspec.msgpack.decode(self.group.launch(name).payload, type=tuple[str, ...])
        self.processes[name] = subprocess.Popen(argv, stdout=self._log, stderr=self._log)

    def kill(self, name: str) -> None:
        self.processes[name].kill()
        self.processes[name].wait()

    def answer(self, *names: str) -> None:
        async def all_of_them() -> None:
            async with asyncio.timeout(30):
                await asyncio.gather(*map(self.group.answers, names))

        asyncio.run(all_of_them())

    def close(self) -> None:
        for name in self.processes:
            self.kill(name)
        self._log.close()
        self._ports.close()


@pytest.fixture
def members(tmp_path: Path) -> Iterator[Members]:
    members = Members(tmp_path)
    yield members
    members.close()


@needs_etcd
def test_three_members_serve_as_one_and_without_one_of_them(members: Members) -> None:
    for name in NAMES:
        members.start(name)
    members.answer(*NAMES)
    members.kill("kv1")
    members.answer("kv2", "kv3")
    done = subprocess.run(
        [sys.executable, "-P", "-m", "tests.cluster.backends.etcd.checks", "put_get_delete", members.group.urls[1]],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    members.start("kv1")  # with what it has on disk
    members.answer("kv1")


def test_without_the_program_it_is_said_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EnvironmentFailed, match="no etcd on the path"):
        prepare(Ask(("kv1",), (1, 2), tmp_path, seed=1), lambda *_: None)
