"""A rival's directory, ports and processes; all gone when it is left."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from cluster.supervisor import ports


class Household:
    """`close()` kills what was started and removes the directory. Its disk is the one of `TMPDIR`: look that it is a real one."""

    def __init__(self, name: str, port_count: int) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=f"faultline-bench-{name}-"))
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
            process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=errors, text=True, env=_environment())
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
        shutil.rmtree(self.path, ignore_errors=True)


def _environment() -> dict[str, str]:
    """Ours, with a way to this very code for the nodes."""
    here = str(Path(__file__).parents[3])
    return {**os.environ, "PYTHONPATH": os.pathsep.join([here, *filter(None, [os.environ.get("PYTHONPATH")])])}
