"""Two hundred labs one after the other: the machine is as it was before the first one."""

from __future__ import annotations

import os
import time

import pytest

from cluster.telemetry.control import LabSpec
from tests.cluster.supervisor.labs import Labs, Watched, children_of, parent_of
from tests.e2e.fronts import sockets_of

pytestmark = [pytest.mark.processes, pytest.mark.slow]

CYCLES = 200


async def _cycle(labs: Labs) -> None:
    lab = await labs.open(LabSpec(nodes=3))
    zygote = parent_of(lab.node_pids[0])
    family = Watched([lab.session.supervisor_pid or 0, zygote, *children_of(zygote)])
    await lab.session.close()
    await lab.over()
    assert lab.view.clean
    await family.all_gone()
    family.close()
    labs.forget(lab)


def _open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.timeout(1_800)
async def test_two_hundred_labs_leave_nothing(labs: Labs, capsys: pytest.CaptureFixture[str]) -> None:
    await _cycle(labs)  # executor threads and caches of this process come with the first
    before, threads = _open_files(), len(os.listdir("/proc/self/task"))
    began = time.monotonic()
    for _ in range(CYCLES):
        await _cycle(labs)
    took_s = time.monotonic() - began
    assert _open_files() == before
    # asyncio's executor keeps what it started, up to a bound of its own.
    assert len(os.listdir("/proc/self/task")) <= threads + 32
    assert children_of(os.getpid()) == []
    assert labs.run_dirs == []
    assert sockets_of(labs.base) == []
    with capsys.disabled():
        print(f"\n{CYCLES} labs of 3 nodes, from nothing to a leader and back: {took_s:.0f} s, {1e3 * took_s / CYCLES:.0f} ms each")  # noqa: T201
