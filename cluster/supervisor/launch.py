"""Starting a process of ours that takes one order on standard input and gives one answer on standard output before it goes its own way.

Law 1: it is in a session of its own: a Ctrl-C at the terminal is for the front, which then says goodbye in its own words.
Law 2: what goes wrong is one line: the process's own last words, or that it did not answer in time.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import IO

from cluster.core.errors import EnvironmentFailed
from cluster.framing import FrameSplitter

_LAST_WORDS_BYTES_MAX = 64 * 1024


def start(module: str, order: bytes) -> subprocess.Popen[bytes]:
    """`python -m MODULE` of this very installation, given `order` (a frame)."""
    root = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH", ""))))
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
        start_new_session=True,
    )
    assert process.stdin is not None
    try:
        process.stdin.write(order)
        process.stdin.flush()
    except BrokenPipeError:
        pass  # it died at once: what it said on standard error is told by `answer`
    return process


async def answer(process: subprocess.Popen[bytes], what: str, within_s: float) -> bytes:
    """The body of its one answer. Raises `EnvironmentFailed`: `what` did not happen ("the lab did not open")."""
    assert process.stdout is not None
    reading = asyncio.get_running_loop().run_in_executor(None, process.stdout.read)
    done, _ = await asyncio.wait({reading}, timeout=within_s)
    if not done:
        process.kill()  # ends the reading, too
        await reading
        raise EnvironmentFailed(f"{what} within {within_s:.0f} s")
    frames = FrameSplitter().feed(reading.result())
    if not frames:
        raise EnvironmentFailed(f"{what}: {last_words(process.stderr)}")
    return frames[0]


def close_pipes(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


def last_words(stderr: IO[bytes] | None) -> str:
    """The last line on standard error of a process that has ended."""
    text = stderr.read(_LAST_WORDS_BYTES_MAX).decode(errors="replace").strip() if stderr is not None else ""
    return text.splitlines()[-1] if text else "it said nothing"
