"""Nodes as processes: how they end, and what a stop signal of the kernel does to them."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import msgspec
import pytest

from cluster import wal
from cluster.core.kv.ops import Get, Put
from cluster.core.types import MS, SECOND
from cluster.faults import FaultPlan, NodeFault
from cluster.workload.connection import Connection
from tests.cluster.node.lab import Processes, Supervisor, exit_of, specs

pytestmark = pytest.mark.processes


def flip(directory: Path, offset: int) -> Path:
    """Damage one byte of the only segment there."""
    (path,) = directory.glob("wal-*")
    data = bytearray(path.read_bytes())
    data[offset] ^= 1
    path.write_bytes(data)
    return path


async def test_the_end_of_the_control_line_is_the_end_of_the_process(run_dir: Path, supervisor: Supervisor, processes: Processes) -> None:
    process = processes.start(specs(run_dir, 1)["n1"])
    await supervisor.leader(["n1"])
    supervisor.hang_up("n1")
    began = asyncio.get_running_loop().time()
    assert await exit_of(process) == (0, "")
    assert asyncio.get_running_loop().time() - began < 0.5


async def test_the_end_does_not_wait_for_a_hanging_disk(run_dir: Path, supervisor: Supervisor, processes: Processes) -> None:
    process = processes.start(specs(run_dir, 1)["n1"])
    await supervisor.leader(["n1"])
    await supervisor.plan(FaultPlan(1, nodes=(NodeFault("n1", disk="hang"),)))
    supervisor.hang_up("n1")
    assert (await exit_of(process))[0] == 0


async def test_sigterm_ends_it_and_ctrl_c_does_not(run_dir: Path, supervisor: Supervisor, processes: Processes) -> None:
    process = processes.start(specs(run_dir, 1)["n1"])
    await supervisor.leader(["n1"])
    process.send_signal(signal.SIGINT)
    await supervisor.state(lambda s: s.node == "n1")
    process.send_signal(signal.SIGTERM)
    assert await exit_of(process) == (0, "")


async def test_a_damaged_log_is_refused_with_one_line(run_dir: Path, supervisor: Supervisor, processes: Processes) -> None:
    spec = specs(run_dir, 1)["n1"]
    process = processes.start(spec)
    await supervisor.leader(["n1"])
    client = Connection("c1", spec.members["n1"], spec.secret)
    for number in range(3):
        assert (await client.request(Put("k", str(number)), 5 * SECOND)).outcome == "ok"
    client.close()
    process.kill()
    await exit_of(process)
    path = flip(Path(spec.data_dir), wal.SEGMENT_HEADER_BYTES + wal.RECORD_HEADER_BYTES)
    code, line = await exit_of(processes.start(msgspec.structs.replace(spec, epoch=2)))
    assert code == 4
    assert line.count("\n") == 1
    assert f"{path}: corrupt record at offset {wal.SEGMENT_HEADER_BYTES}" in line
    complaint = await supervisor.heard("complaint")
    assert "corrupt record" in complaint.what


async def test_without_a_supervisor_there_is_no_node(run_dir: Path, processes: Processes) -> None:
    code, line = await exit_of(processes.start(specs(run_dir, 1)["n1"]))
    assert code == 4
    assert line.count("\n") == 1
    assert "control socket" in line


@pytest.mark.parametrize("spec", [b"", b"\xc1", b"\x80"])
async def test_a_malformed_spec_is_a_usage_error(processes: Processes, spec: bytes) -> None:
    code, line = await exit_of(processes.start_from("n1", spec))
    assert code == 2
    assert line.count("\n") == 1


async def test_a_frozen_follower_notices_and_disturbs_nobody(run_dir: Path, supervisor: Supervisor, processes: Processes) -> None:
    """Stopped for several election timeouts. What it must not do is campaign before it reads the heartbeats that queued."""
    for spec in specs(run_dir, 3).values():
        processes.start(spec)
    leader = await supervisor.leader(["n1", "n2", "n3"])
    frozen = next(node for node in processes.running if node != leader.node)
    await supervisor.state(lambda s: s.node == frozen and s.leader == leader.node)
    since = len(supervisor.events)
    os.kill(processes.running[frozen].pid, signal.SIGSTOP)
    convicted = await supervisor.heard("verdict", lambda e: e.node == leader.node and e.subject == frozen, since)
    assert convicted.convicted
    thawed = len(supervisor.events)
    os.kill(processes.running[frozen].pid, signal.SIGCONT)
    gap = await supervisor.heard("gap", lambda e: e.node == frozen, since)
    assert gap.gap_us >= 300 * MS
    await supervisor.heard("verdict", lambda e: e.node == leader.node and e.subject == frozen, thawed)
    await supervisor.state(lambda s: s.node == frozen and s.leader == leader.node and s.at_us > gap.at_us + 400 * MS)
    roles = [e for e in supervisor.events[since:] if type(e).__name__ == "RoleTaken"]
    assert roles == []


async def test_writes_acknowledged_before_sigkill_are_there_after_it(run_dir: Path, supervisor: Supervisor, processes: Processes) -> None:
    """One voter: nobody else could help it to remember."""
    spec = specs(run_dir, 1)["n1"]
    acked: dict[str, str] = {}
    for epoch in (1, 2, 3):
        process = processes.start(msgspec.structs.replace(spec, epoch=epoch))
        since = len(supervisor.events)
        await supervisor.heard("role", lambda e: e.role == "leader", since)
        client = Connection("c1", spec.members["n1"], spec.secret)
        for key, value in acked.items():
            assert (await client.request(Get(key), 5 * SECOND)).value == value
        batch = {f"{epoch}/{number}": f"{epoch}.{number}" for number in range(40)}
        writes = [asyncio.create_task(client.request(Put(key, value), 5 * SECOND)) for key, value in batch.items()]
        await asyncio.wait(writes, return_when=asyncio.FIRST_COMPLETED)
        process.kill()
        await exit_of(process)
        replies = await asyncio.gather(*writes)
        assert {reply.outcome for reply in replies} <= {"ok", "unknown"}
        acked |= {key: batch[key] for key, reply in zip(batch, replies, strict=True) if reply.outcome == "ok"}
        client.close()
    assert len(acked) >= 3


FORKING = """
import os, sys
from pathlib import Path
from cluster.node.process import run
children = []
for path in sys.argv[1:]:
    child = os.fork()
    if child == 0:
        run(Path(path).read_bytes())
    children.append(child)
sys.exit(max(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children))
"""


async def test_forked_from_a_parent_that_has_imported_everything(run_dir: Path, supervisor: Supervisor, processes: Processes) -> None:
    """As the zygote does it: no exec, one import, many nodes."""
    paths: list[str] = []
    for spec in specs(run_dir, 3).values():
        paths.append(str(run_dir / f"{spec.node}.spec"))
        (run_dir / f"{spec.node}.spec").write_bytes(msgspec.msgpack.encode(spec))
    parent = processes.start_command("parent", ["-c", FORKING, *paths])
    leader = await supervisor.leader(["n1", "n2", "n3"])
    for node in ("n1", "n2", "n3"):
        await supervisor.state(lambda s, n=node: s.node == n and s.leader == leader.node)
    for node in ("n1", "n2", "n3"):
        supervisor.hang_up(node)
    assert await exit_of(parent) == (0, "")
