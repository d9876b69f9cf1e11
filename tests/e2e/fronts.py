"""The tool as a person starts it: a process of its own, all that hangs below it, and what is left when it is gone."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from cluster.supervisor import rundir
from cluster.supervisor.seat import LiveSession
from cluster.telemetry.view import ClusterView
from tests.cluster.supervisor.labs import DEADLINE_S, Listener, Watched, children_of, parent_of, state_of

ROOT = Path(__file__).resolve().parents[2]
BREAK = "at 0 cut leader | rest\nat 0 pause n2 60s\n"


def environment(runtime: Path, **more: str) -> dict[str, str]:
    """Run directories below `runtime`, so that tests see their own only."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "XDG_RUNTIME_DIR": str(runtime), **more}


def faultline(
    runtime: Path, *arguments: str, stdin: bytes = b"", within_s: float = DEADLINE_S, **more: str
) -> subprocess.CompletedProcess[str]:
    """One command line, run to its end."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "tui", *arguments],
        input=stdin, capture_output=True, env=environment(runtime, **more), timeout=within_s, check=False,
    )  # fmt: skip
    return subprocess.CompletedProcess(arguments, done.returncode, done.stdout.decode(), done.stderr.decode())


class Front:
    """A headless run with a node paused and the network cut, and an observer's seat to see that it is so."""

    def __init__(self, runtime: Path, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.pid = process.pid
        self._base = runtime / "faultline"
        self.eye: Listener | None = None
        self.supervisor = self.zygote = 0

    async def broken(self) -> ClusterView:
        """Until the lab stands, and its script has broken it."""
        self.run_dir = await appeared(self._base)
        self.eye = Listener(await LiveSession.attach(self.run_dir, "eye", observer=True))
        view = await self.eye.until(lambda view: len(view.faults) == 2 and view.nodes["n2"].process == "paused")
        self.zygote = parent_of(self.eye.node_pids[0])
        self.supervisor = parent_of(self.zygote)
        assert parent_of(self.supervisor) == self.pid
        assert state_of(view.nodes["n2"].pid) == "T"
        self.family = Watched([self.pid, self.supervisor, self.zygote, *children_of(self.zygote)])
        return view

    async def nothing_left(self, within_s: float = DEADLINE_S) -> float:
        """No process, stopped or not; no socket, port or directory. Returns the seconds that the last process took."""
        began = time.monotonic()
        reaping = asyncio.get_running_loop().run_in_executor(None, self.process.wait)
        await self.family.all_gone(within_s)
        took_s = time.monotonic() - began
        await reaping
        self.family.close()
        assert os.listdir(self._base) == []
        assert not sockets_of(self.run_dir)
        return took_s


async def appeared(base: Path) -> Path:
    """The run directory of a lab that is being started, once seats can be taken."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            found = [path for path in rundir.living(base) if _listens(path)]
            if found:
                return found[0]
            await asyncio.sleep(0.01)


def sockets_of(base: Path) -> list[str]:
    """Unix sockets below a directory that some process still holds."""
    return [line for line in Path("/proc/net/unix").read_text().splitlines() if str(base) in line]


def _listens(run_dir: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(run_dir / rundir.SOCKET_NAME)) == 0


@asynccontextmanager
async def broken_front(*arguments: str, nodes: int = 3) -> AsyncIterator[Front]:
    """`faultline live --headless`, broken by its script; whatever is left of it at the end is killed."""
    runtime = Path(tempfile.mkdtemp(prefix="fl-", dir="/tmp"))
    process = subprocess.Popen(  # noqa: ASYNC220 - starting takes a moment, and the deadlines here are seconds
        [sys.executable, "-P", "-m", "tui", "live", "--headless", "-n", str(nodes), "--for", "60s", "--script", "-", *arguments],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(runtime), start_new_session=True,
    )  # fmt: skip
    assert process.stdin is not None
    process.stdin.write(BREAK.encode())
    process.stdin.close()
    process.stdin = None  # or `communicate` would flush it
    front = Front(runtime, process)
    try:
        await front.broken()
        yield front
    except BaseException as failed:
        process.terminate()
        failed.add_note(f"the front said: {[told.decode() for told in process.communicate(timeout=DEADLINE_S)]}")
        raise
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdout, process.stderr):
            assert pipe is not None
            pipe.close()
        if front.eye is not None:
            await front.eye.session.close()
        shutil.rmtree(runtime)
