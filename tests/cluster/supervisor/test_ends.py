"""Nothing of a lab outlives it, whichever of its processes dies first: with a node paused and the network cut."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cluster.core.errors import UsageError
from cluster.supervisor import rundir
from cluster.supervisor.seat import LiveSession
from cluster.telemetry.control import LabSpec
from cluster.telemetry.events import FaultEnded, LabClosed
from tests.cluster.supervisor.labs import DEADLINE_S, Labs, Listener, Watched, children_of, parent_of, state_of

pytestmark = pytest.mark.processes

ROOT = Path(__file__).resolve().parents[3]


async def _broken(labs: Labs) -> tuple[Listener, Watched]:
    """A lab with a paused node and a cut, and a watch on all its processes."""
    lab = await labs.open()
    await lab.order("cut leader | rest")
    paused = await lab.fault("pause n2 60s")
    view = await lab.until(lambda view: view.nodes["n2"].process == "paused")
    assert paused.targets == ("n2",)
    assert state_of(view.nodes["n2"].pid) == "T"
    return lab, Watched(_family(lab))


def _family(lab: Listener) -> list[int]:
    """Supervisor, zygote, nodes and clients."""
    supervisor = lab.session.supervisor_pid
    assert supervisor is not None
    zygote = parent_of(lab.node_pids[0])
    assert parent_of(zygote) == supervisor
    return [supervisor, zygote, *children_of(zygote)]


async def test_leaving_the_last_seat_ends_everything(labs: Labs) -> None:
    lab, family = await _broken(labs)
    run_dir = lab.session.run_dir
    await lab.session.close()
    await family.all_gone()
    await lab.over()
    closed = lab.heard[-1]
    assert isinstance(closed, LabClosed)
    assert closed.clean
    assert lab.session.exit_code == 0
    assert [ended.why for ended in lab.all_of(FaultEnded)] == ["the lab ended"] * 2
    assert not run_dir.exists()


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_to_the_supervisor_is_a_clean_end(labs: Labs, signum: signal.Signals) -> None:
    lab, family = await _broken(labs)
    os.kill(_pid(lab), signum)
    await lab.over()
    await family.all_gone()
    assert lab.view.clean
    assert signum.name in lab.view.closed
    assert labs.run_dirs == []


async def test_the_supervisor_is_killed(labs: Labs) -> None:
    lab, family = await _broken(labs)
    os.kill(_pid(lab), signal.SIGKILL)
    await family.all_gone()
    await lab.over()
    assert lab.lost is not None
    assert not lab.view.clean
    assert labs.run_dirs == []  # this seat survived, and removed it


async def test_the_zygote_is_killed(labs: Labs) -> None:
    lab, family = await _broken(labs)
    os.kill(parent_of(lab.node_pids[0]), signal.SIGKILL)
    await family.all_gone()
    await lab.over()
    assert lab.view.closed == "the zygote is gone"
    assert not lab.view.clean
    assert labs.run_dirs == []


async def test_a_stopped_zygote_is_killed_with_all_it_holds(labs: Labs) -> None:
    lab, family = await _broken(labs)
    os.kill(parent_of(lab.node_pids[0]), signal.SIGSTOP)
    await lab.session.close()
    await family.all_gone()
    assert lab.session.exit_code == 1  # not clean, and it says so
    assert labs.run_dirs == []


async def test_a_stopped_supervisor_is_killed_by_the_seat_that_leaves(labs: Labs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cluster.supervisor.seat._END_WITHIN_S", 0.5)
    lab, family = await _broken(labs)
    os.kill(_pid(lab), signal.SIGSTOP)
    await lab.session.close()
    await family.all_gone()
    assert lab.session.exit_code == -signal.SIGKILL
    assert labs.run_dirs == []


_FRONT = """
import asyncio, json, sys
from cluster.supervisor.seat import LiveSession
from cluster.telemetry.control import LabSpec
from cluster.telemetry.fold import fold
from tests.cluster.supervisor.labs import Listener, standing

async def front():
    lab = Listener(await LiveSession.open(LabSpec(nodes=3, run_base=sys.argv[1], keep=sys.argv[2] == "keep")))
    await lab.until(standing)
    await lab.order("cut leader | rest")
    await lab.order("pause n2 60s")
    await lab.until(lambda view: view.nodes["n2"].process == "paused")
    print(json.dumps({"supervisor": lab.session.supervisor_pid, "node": lab.node_pids[0]}), flush=True)
    await lab.over()

asyncio.run(front())
"""


async def _front(labs: Labs, keep: str = "") -> tuple[subprocess.Popen[bytes], dict[str, int]]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    front = subprocess.Popen(  # noqa: ASYNC220 - starting takes a moment, and the deadlines here are seconds
        [sys.executable, "-c", _FRONT, str(labs.base), keep], stdout=subprocess.PIPE, env=environment, cwd=ROOT
    )
    assert front.stdout is not None
    line = await asyncio.wait_for(asyncio.to_thread(front.stdout.readline), DEADLINE_S)
    return front, json.loads(line)


async def test_the_front_is_killed(labs: Labs) -> None:
    front, pids = await _front(labs)
    zygote = parent_of(pids["node"])
    family = Watched([pids["supervisor"], zygote, *children_of(zygote)])
    front.kill()
    front.communicate()
    await family.all_gone()
    assert labs.run_dirs == []


async def test_a_kept_lab_outlives_its_front_until_somebody_ends_it(labs: Labs) -> None:
    front, pids = await _front(labs, "keep")
    front.kill()
    front.communicate()
    run_dir = rundir.find(labs.base)
    seat = Listener(await LiveSession.attach(run_dir, "second"))
    assert seat.view.nodes["n2"].process == "paused"  # all that is known comes with the welcome
    assert len(seat.view.faults) == 2
    zygote = parent_of(pids["node"])
    family = Watched([pids["supervisor"], zygote, *children_of(zygote)])
    await seat.session.close(end=True)
    await family.all_gone()
    assert labs.run_dirs == []


async def test_a_front_that_dies_before_it_sat_down_leaves_nothing(labs: Labs) -> None:
    """Only the pipe ties them then."""
    front = subprocess.Popen(  # noqa: ASYNC220 - starting takes a moment, and the deadlines here are seconds
        [sys.executable, "-m", "cluster.supervisor"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=ROOT,
    )  # fmt: skip
    assert front.stdin is not None
    assert front.stdout is not None
    import msgspec

    body = msgspec.msgpack.encode(LabSpec(nodes=3, run_base=str(labs.base)))
    front.stdin.write(len(body).to_bytes(4, "big") + body)
    front.stdin.flush()
    assert await asyncio.to_thread(front.stdout.read)  # Opened
    family = Watched([front.pid, *children_of(front.pid)])
    front.stdin.close()
    await family.all_gone(3.0)
    assert front.wait() == 0
    front.stdout.close()
    assert labs.run_dirs == []


async def test_what_a_dead_supervisor_left_is_swept_by_the_next(labs: Labs) -> None:
    stale = labs.base / "120000-dead"
    stale.mkdir(mode=0o700)
    (stale / rundir.PID_NAME).write_text("1\n")
    lab = await labs.open(stand=False)
    assert labs.run_dirs == [lab.session.run_dir]


async def test_a_lab_that_cannot_be_says_why_in_one_line(labs: Labs) -> None:
    with pytest.raises(UsageError, match="1 to 100 nodes"):
        await labs.open(LabSpec(nodes=0))
    assert labs.run_dirs == []


def _pid(lab: Listener) -> int:
    assert lab.session.supervisor_pid is not None
    return lab.session.supervisor_pid
