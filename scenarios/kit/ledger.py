"""A protected resource's own book: what it did, in the order in which it did it, hash-chained and durable.

Law 1: nobody hears of an effect before its line is on disk.
Law 2: one writer; lines that come together are made durable together.
Law 3: a process that was killed and started again goes on where the book ends. Half a line was promised to nobody: it is cut off.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

from scenarios.lines import GENESIS, LineFile, digest, encode, now_ns

PENDING_MAX = 10_000


class Ledger:
    """`open` it in the task group of its process."""

    def __init__(self, path: Path) -> None:
        self._before, self._count = _resume(path)
        self._file = LineFile(path)
        self._pending: list[tuple[bytes, asyncio.Future[None]]] = []
        self._bell = asyncio.Event()

    @classmethod
    def open(cls, path: Path, tasks: asyncio.TaskGroup) -> Ledger:
        ledger = cls(path)
        tasks.create_task(ledger._write_groups())
        return ledger

    @property
    def count(self) -> int:
        """Lines so far, those of earlier lives included."""
        return self._count

    async def append(self, kind: str, **fields: Any) -> None:
        """Returns when it is durable."""
        assert len(self._pending) < PENDING_MAX
        chained = {"seq": self._count, "mono_ns": now_ns(), "prev_sha": self._before, "kind": kind, **fields}
        line = encode(chained)
        self._before = digest(line)
        self._count += 1
        durable: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pending.append((line, durable))
        self._bell.set()
        await durable

    async def _write_groups(self) -> None:
        while True:
            await self._bell.wait()
            self._bell.clear()
            group, self._pending = self._pending, []
            self._file.write_raw(b"".join(line for line, _ in group))
            self._file.sync()
            for _, durable in group:
                if not durable.done():
                    durable.set_result(None)


def _resume(path: Path) -> tuple[str, int]:
    """Digest of the last whole line, and how many there are."""
    if not path.exists():
        return GENESIS, 0
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) < len(content):
        os.truncate(path, len(whole))
    lines = whole.splitlines()
    return (digest(lines[-1]) if lines else GENESIS), len(lines)
