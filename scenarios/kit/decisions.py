"""Where a coordinator's decisions live: in its own file, or in a replicated store that survives it.

Law 1: the first decision about a transfer stands, whoever made it: `decide` returns what stands, which is not always what was wanted.
Law 2: it is durable before anybody hears of it: fsync in the file, a majority in the store.
Law 3: what is not decided may be decided to abort by anybody who can look (presumed abort); with a file only its owner can.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Protocol

import msgspec

from cluster.backends.etcd.port import Compare, Kv, Put, Refused
from cluster.core.errors import Undecided
from scenarios.kit.bankbook import Outcome
from scenarios.lines import LineFile

_RETRY_S = 0.05


class Decisions(Protocol):
    async def decide(self, txn: str, wanted: Outcome) -> Outcome:
        """What stands. It returns when that is durable, however long it takes."""


class LocalDecisions:
    """A file of one line each. Half a line was promised to nobody: it is cut off."""

    def __init__(self, path: Path) -> None:
        content = path.read_bytes() if path.exists() else b""
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            os.truncate(path, len(whole))
        lines = (msgspec.json.decode(line) for line in whole.splitlines())
        self._known: dict[str, Outcome] = {line["txn"]: line["outcome"] for line in lines}
        self._file = LineFile(path)

    async def decide(self, txn: str, wanted: Outcome) -> Outcome:
        if txn not in self._known:
            self._file.write({"txn": txn, "outcome": wanted})
            self._file.sync()
            self._known[txn] = wanted
        return self._known[txn]


class ReplicatedDecisions:
    """A key for each transfer, written if it is not there: of two coordinators one is the first, and both learn which."""

    def __init__(self, kv: Kv, prefix: str) -> None:
        self._kv = kv
        self._prefix = prefix

    async def decide(self, txn: str, wanted: Outcome) -> Outcome:
        key = f"{self._prefix}decision/{txn}"
        absent = Compare(key, "create", "=", 0)
        while True:
            try:
                if (await self._kv.txn((absent,), (Put(key, wanted),))).succeeded:
                    return wanted
                held = await self._kv.get(key)
                assert held is not None
                return "commit" if held.value == "commit" else "abort"
            except (Refused, Undecided):
                # Asking again is safe: if ours was written after all, it is what we find.
                await asyncio.sleep(_RETRY_S)
