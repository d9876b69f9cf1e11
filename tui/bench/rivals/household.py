"""A rival's directory, ports and processes; all gone when it is left.

Law 1: the processes end with this one, also when it is killed (`tether`).
Law 2: a directory that a killed bench left is removed by the next one: the kernel dropped the lock on it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from cluster.supervisor import ports, rundir


class Household:
    """`close()` kills what was started and removes the directory. Its disk is the one of `TMPDIR`: look that it is a real one."""

    def __init__(self, name: str, port_count: int) -> None:
        base = rundir.base_dir(f"{tempfile.gettempdir()}/faultline-{os.getuid()}-bench")
        rundir.sweep(base)
        self._place = rundir.make(base)
        self.path = self._place.path / name
        self.path.mkdir()
        self._ports = ports.allocate(port_count)
        self.ports = self._ports.ports
        self.processes: list[subprocess.Popen[str]] = []

    @property
    def pids(self) -> list[int]:
        return [process.pid for process in self.processes]

    def spawn(self, name: str, command: Sequence[str], *, talks: bool = False) -> subprocess.Popen[str]:
        """One server; its standard error goes to a file of its own. `talks`: its standard input and output are pipes to us."""
        pipe = subprocess.PIPE if talks else subprocess.DEVNULL
        with (self.path / f"{name}.err").open("wb") as errors:
            tether = [sys.executable, "-P", "-m", "tui.bench.rivals.tether", str(os.getpid())]
            process = subprocess.Popen([*tether, *command], stdin=pipe, stdout=pipe, stderr=errors, text=True, env=_environment())
        self.processes.append(process)
        return process

    def last_words(self, name: str) -> str:
        """The last line of a server's standard error."""
        lines = (self.path / f"{name}.err").read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"

    def close(self) -> None:
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()
        self._ports.close()
        self._place.close()


def _environment() -> dict[str, str]:
    """Ours, with a way to this very code for the nodes."""
    here = str(Path(__file__).parents[3])
    return {**os.environ, "PYTHONPATH": os.pathsep.join([here, *filter(None, [os.environ.get("PYTHONPATH")])])}
