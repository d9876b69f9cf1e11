"""As much of a process as an app of the kit needs, in this one."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

from scenarios.kit.history import History


class Lived:
    """`hit` is called at every failpoint, by name; `traced` is what it said."""

    def __init__(self, root: Path, args: dict[str, Any], tasks: asyncio.TaskGroup, toggles: dict[str, str] | None = None) -> None:
        self.name = "payd"
        self.args = args
        self.tasks = tasks
        self.work = root
        self.ledger_path = root / "ledger" / "payd.jsonl"
        self.history = History("client", root / "history" / "client.jsonl")
        self.rng = random.Random(1)
        self.toggles = toggles or {}
        self.traced: list[tuple[str, dict[str, Any]]] = []
        self.dies_at = ""

    def toggle(self, name: str, otherwise: str | None = None) -> str:
        return self.toggles[name] if otherwise is None else self.toggles.get(name, otherwise)

    def trace(self, event: str, **fields: Any) -> None:
        self.traced.append((event, fields))

    async def failpoint(self, name: str, **_fields: Any) -> None:
        await asyncio.sleep(0)  # somebody else's turn, as in a real one
        if name == self.dies_at:
            raise Died

    def socket_of(self, process: str) -> str:
        return str(self.work / f"{process}.sock")


class Died(Exception):
    """In the place of a SIGKILL: nothing after this line happens."""


class Over(Exception):
    pass
