"""Servers for tests: the embedded ones as a run starts them, but without a zygote, and the real ones where they are installed.

`python -m tests.cluster.backends.servers ENTRY` reads a payload from standard input and becomes that server.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import shutil
import subprocess
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cluster.backends.group import Ask, kind_of
from cluster.supervisor import ports

ROOT = Path(__file__).resolve().parents[3]
# Debian keeps servers where a user's path does not lead.
MOSQUITTO = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
REDIS = shutil.which("redis-server")
ANSWERS_S = 20


@contextmanager
def embedded(kind: str, folder: Path) -> Iterator[str]:
    """A URL, once it answers."""
    allocated = ports.allocate(1)
    group = kind_of(kind).prepare(Ask((kind,), allocated.ports, folder, seed=7), lambda _process, _event, _fields: None)
    launch = group.launch(kind)
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "tests.cluster.backends.servers", launch.entry], cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdin is not None
    with process, process.stdin:
        process.stdin.write(launch.payload)
        process.stdin.close()
        try:
            asyncio.run(_answered(group.answers(kind)))
            yield group.urls[0]
        finally:
            process.kill()
            process.wait()
            allocated.close()


@contextmanager
def mosquitto(folder: Path) -> Iterator[str]:
    """Skips where it is not installed."""
    if MOSQUITTO is None:
        pytest.skip("mosquitto is not installed")
    allocated = ports.allocate(1)
    config = folder / "mosquitto.conf"
    config.write_text(f"listener {allocated.ports[0]} 127.0.0.1\nallow_anonymous true\npersistence false\n", encoding="utf-8")
    with _running([MOSQUITTO, "-c", str(config)], allocated, " running") as port:
        yield f"mqtt://127.0.0.1:{port}"


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """Skips where it is not installed."""
    if REDIS is None:
        pytest.skip("redis-server is not installed")
    allocated = ports.allocate(1)
    argv = [REDIS, "--bind", "127.0.0.1", "--port", str(allocated.ports[0]), "--dir", str(folder), "--save", "", "--appendonly", "no"]
    with _running(argv, allocated, "Ready to accept connections") as port:
        yield f"redis://127.0.0.1:{port}/0"


@contextmanager
def _running(argv: list[str], allocated: ports.Ports, ready: str) -> Iterator[int]:
    """Until it says that it is `ready`."""
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    with process:
        assert process.stdout is not None
        try:
            said = next((line for line in process.stdout if ready in line), None)
            assert said is not None, f"{argv[0]} ended with {process.wait()}"
            yield allocated.ports[0]
        finally:
            process.kill()
            allocated.close()


async def _answered(answers: Coroutine[Any, Any, None]) -> None:
    async with asyncio.timeout(ANSWERS_S):
        await answers


if __name__ == "__main__":
    module, _, function = sys.argv[1].partition(":")
    getattr(importlib.import_module(module), function)(sys.stdin.buffer.read())
