"""The same transfer as a saga: take the money, give it, and give it back if it cannot be given. No locks, no votes.

Law 1: a saga is in the log before its first step and leaves it after its last: who reads the log finds what was begun.
Law 2: every step is known by the saga and its name, so a bank that is asked twice does it once; going on is beginning again.
Law 3: in between the money is nowhere. It comes to somewhere in the end; nobody was promised a moment at which all is in order.

Source: Garcia-Molina and Salem, "Sagas" (1987).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import msgspec

from cluster.backends.etcd.port import Kv, Refused
from scenarios.kit.calls import OK, Caller, Undecided
from scenarios.kit.process import Process
from scenarios.lines import LineFile

_RETRY_S = 0.05
Parts = dict[str, dict[str, Any]]  # bank -> account and cents, which are negative where it is taken


class SagaLog(Protocol):
    async def begin(self, txn: str, parts: Parts) -> None: ...

    async def end(self, txn: str) -> None: ...

    async def open(self) -> dict[str, Parts]:
        """Those that were begun and have not ended."""


class LocalSagaLog:
    """A file: a line when a saga begins, another when it ends."""

    def __init__(self, path: Path) -> None:
        content = path.read_bytes() if path.exists() else b""
        self._open: dict[str, Parts] = {}
        for line in map(msgspec.json.decode, content[: content.rfind(b"\n") + 1].splitlines()):
            if line["parts"] is None:
                self._open.pop(line["txn"], None)
            else:
                self._open[line["txn"]] = line["parts"]
        self._file = LineFile(path)

    async def begin(self, txn: str, parts: Parts) -> None:
        self._write(txn, parts)
        self._open[txn] = parts

    async def end(self, txn: str) -> None:
        self._write(txn, None)
        self._open.pop(txn, None)

    async def open(self) -> dict[str, Parts]:
        return dict(self._open)

    def _write(self, txn: str, parts: Parts | None) -> None:
        self._file.write({"txn": txn, "parts": parts})
        self._file.sync()


class ReplicatedSagaLog:
    """A key for each saga that is open."""

    def __init__(self, kv: Kv, prefix: str) -> None:
        self._kv = kv
        self._prefix = f"{prefix}saga/"

    async def begin(self, txn: str, parts: Parts) -> None:
        while True:
            try:
                await self._kv.put(self._prefix + txn, msgspec.json.encode(parts).decode())
            except (Refused, Undecided):
                await asyncio.sleep(_RETRY_S)  # written twice is written
            else:
                return

    async def end(self, txn: str) -> None:
        while True:
            try:
                await self._kv.delete(self._prefix + txn)
            except (Refused, Undecided):
                await asyncio.sleep(_RETRY_S)
            else:
                return

    async def open(self) -> dict[str, Parts]:
        while True:
            try:
                held = await self._kv.prefix(self._prefix)
            except Refused:
                await asyncio.sleep(_RETRY_S)
            else:
                return {item.key.removeprefix(self._prefix): msgspec.json.decode(item.value) for item in held}


class TransferSaga:
    """Has the same face as `TwoPhase`."""

    def __init__(self, process: Process, log: SagaLog, banks: Mapping[str, Caller]) -> None:
        self._process = process
        self._log = log
        self._banks = banks
        self._busy: set[str] = set()

    async def transfer(self, txn: str, parts: Parts) -> bool:
        await self._log.begin(txn, parts)
        return await self._go_on(txn, parts)

    async def sweep(self) -> None:
        """Go on with what somebody began who is gone."""
        orphans = {txn: parts for txn, parts in (await self._log.open()).items() if txn not in self._busy}
        await asyncio.gather(*(self._go_on(txn, parts) for txn, parts in orphans.items()))

    async def _go_on(self, txn: str, parts: Parts) -> bool:
        self._busy.add(txn)
        try:
            (giver, giving), (taker, taking) = sorted(parts.items(), key=lambda part: part[1]["cents"])
            done = await self._step(giver, txn, "take", giving)
            if done:
                await self._process.failpoint("saga.money_nowhere", txn=txn)
                done = await self._step(taker, txn, "give", taking)
                if not done:
                    back = await self._step(giver, txn, "give_back", {**giving, "cents": -giving["cents"]})
                    assert back, "an account that money was taken from has room for it"
            await self._log.end(txn)
        finally:
            self._busy.discard(txn)
        return done

    async def _step(self, bank: str, txn: str, step: str, part: dict[str, Any]) -> bool:
        return (await self._banks[bank].insist("step", txn=txn, step=step, **part)).status == OK
