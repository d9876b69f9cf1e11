"""The saga over two real banks: the money arrives or is back, each step once, wherever the coordinator dies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scenarios.kit.transfer_saga import LocalSagaLog, ReplicatedSagaLog, TransferSaga
from tests.scenarios.kit.memory_kv import MemoryKv
from tests.scenarios.kit.two_banks import PARTS, Killed, SomeProcess, die, two_banks

NOBODY = {**PARTS, "bankb": {"account": "B9", "cents": 30}}
TOO_MUCH = {"banka": {"account": "A1", "cents": -300}, "bankb": {"account": "B1", "cents": 300}}


@pytest.mark.parametrize(
    ("parts", "done", "balances"), [(PARTS, True, (70, 130)), (NOBODY, False, (100, 100)), (TOO_MUCH, False, (100, 100))]
)
async def test_the_money_arrives_or_is_back(tmp_path: Path, parts: Any, done: bool, balances: tuple[int, int]) -> None:
    async with two_banks(tmp_path) as scene:
        log = LocalSagaLog(tmp_path / "log")
        assert await TransferSaga(SomeProcess(), log, scene.peers).transfer("t1", parts) is done  # type: ignore[arg-type]
        assert scene.balances() == balances
        assert await log.open() == {}


@pytest.mark.parametrize("replicated", [True, False])
async def test_who_comes_after_goes_on_and_does_nothing_twice(tmp_path: Path, replicated: bool) -> None:
    kv = MemoryKv()

    def log() -> Any:
        return ReplicatedSagaLog(kv, "") if replicated else LocalSagaLog(tmp_path / "log")

    async with two_banks(tmp_path) as scene:
        with pytest.raises(Killed):
            await TransferSaga(SomeProcess({"saga.money_nowhere": die}), log(), scene.peers).transfer("t1", PARTS)  # type: ignore[arg-type]
        assert scene.balances() == (70, 100)
        assert scene.books["banka"].holder("A1") is None  # nobody waits
        assert await log().open() == {"t1": PARTS}
        after = TransferSaga(SomeProcess(), log(), scene.peers)  # type: ignore[arg-type]
        await after.sweep()
        await after.sweep()
        assert scene.balances() == (70, 130)
        assert await log().open() == {}
