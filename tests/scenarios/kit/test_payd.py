"""The payment service in this process: what it does, remembers, refuses and writes down, and what its next life makes good."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from scenarios.kit.calls import MISMATCH, OK, STALE
from scenarios.kit.payd import Payd, opened
from scenarios.kit.process import Process
from scenarios.records import Records
from tests.scenarios.kit.lived import Died, Lived, Over

CHARGE = {"payment": "p-1", "cents": 100, "caller": "checkout", "request": 1}
FENCED = {"order": "o-1", "cents": 100, "caller": "w1", "request": 1}
REMEMBERS = {"remembers": "server_idem", "store": "same_txn", "concurrent": "lock"}
ON = {"server_idem": "on", "fingerprint": "on"}


@asynccontextmanager
async def payd(root: Path, args: dict[str, Any] | None = None, toggles: dict[str, str] | None = None) -> AsyncIterator[tuple[Payd, Lived]]:
    """One life of it. Whatever the body raises ends it, as a crash would."""
    try:
        async with asyncio.TaskGroup() as tasks:
            lived = Lived(root, args or {}, tasks, toggles)
            yield await opened(cast(Process, lived)), lived
            raise Over
    except* (Over, Died):
        pass


def kinds(root: Path) -> list[str]:
    return [line["kind"] for line in Records(root).ledger("payd")]


async def test_it_does_what_it_is_asked_as_often_as_it_is_asked(tmp_path: Path) -> None:
    async with payd(tmp_path) as (service, _):
        assert await service.charge(CHARGE) == (OK, {"receipt": "charged-1"})
        assert await service.charge({**CHARGE, "request": 2}) == (OK, {"receipt": "charged-2"})
        assert await service.refund({"order": "o-1", "what": "goods", "cents": 5}) == (OK, {"receipt": "refunded-3"})
    assert kinds(tmp_path) == ["charged", "charged", "refunded"]


async def test_the_gate_is_as_it_was(tmp_path: Path) -> None:
    async with payd(tmp_path, toggles={"fencing": "on"}) as (service, _):
        assert (await service.charge({**FENCED, "token": 34}))[0] == OK
        assert await service.charge({**FENCED, "token": 33}) == (STALE, {"seen": 34})
        assert await service.status({"order": "o-1"}) == (OK, {"charged": True})
        assert await service.status({"order": "o-2"}) == (OK, {"charged": False})
    assert kinds(tmp_path) == ["charged", "rejected"]


async def test_a_key_is_answered_from_memory_also_by_the_next_life(tmp_path: Path) -> None:
    keyed = {**CHARGE, "key": "k"}
    async with payd(tmp_path, REMEMBERS, ON) as (service, _):
        assert await service.charge(keyed) == (OK, {"receipt": "charged-1"})
    async with payd(tmp_path, REMEMBERS, ON) as (service, _):
        # Who asks, and for which time, is no part of the request.
        assert await service.charge({**keyed, "request": 9}) == (OK, {"receipt": "charged-1", "replayed": True})
        assert (await service.charge({**keyed, "cents": 200}))[0] == MISMATCH
        assert (await service.refund({"order": "p-1", "what": "goods", "cents": 100, "key": "k"}))[0] == MISMATCH
    assert kinds(tmp_path) == ["charged", "replayed", "mismatch", "mismatch"]


async def test_without_a_key_or_while_it_is_turned_off_it_remembers_nothing(tmp_path: Path) -> None:
    async with payd(tmp_path, REMEMBERS, dict(ON)) as (service, lived):
        for _ in range(2):
            await service.charge({**CHARGE, "key": None})
        lived.toggles["server_idem"] = "off"  # hot: read at every request
        for _ in range(2):
            await service.charge({**CHARGE, "key": "k"})
    assert kinds(tmp_path) == ["charged"] * 4


@pytest.mark.parametrize(("store", "charges"), [("memory", 2), ("separate", 2), ("same_txn", 1)])
async def test_a_crash_behind_the_effect_is_survived_in_one_transaction_alone(tmp_path: Path, store: str, charges: int) -> None:
    args = {**REMEMBERS, "store": store}
    async with payd(tmp_path, args, ON) as (service, lived):
        lived.dies_at = "payd.committed"
        await service.charge({**CHARGE, "key": "k"})
    async with payd(tmp_path, args, ON) as (service, _):
        assert (await service.charge({**CHARGE, "key": "k"}))[0] == OK
    assert kinds(tmp_path).count("charged") == charges


async def test_under_a_unique_key_the_second_charge_is_taken_back(tmp_path: Path) -> None:
    args = {**REMEMBERS, "concurrent": "unique_key"}
    async with payd(tmp_path, args, ON) as (service, _):
        both = await asyncio.gather(*(service.charge({**CHARGE, "key": "k", "request": number}) for number in (1, 2)))
        assert both == [(OK, {"receipt": "charged-1"}), (OK, {"receipt": "charged-1", "replayed": True})]
    assert kinds(tmp_path) == ["charged", "replayed"]


async def test_a_row_that_a_crash_kept_from_being_told_is_told_by_the_next_life(tmp_path: Path) -> None:
    async with payd(tmp_path) as (service, _):
        await service.charge(CHARGE)
        service.transact("charged", {**CHARGE, "request": 2}, lambda _answered: None)  # committed, and then nothing
    assert kinds(tmp_path) == ["charged"]
    async with payd(tmp_path):
        await asyncio.sleep(0)
    async with payd(tmp_path):  # and told once
        await asyncio.sleep(0)
    assert [(line["row"], line["request"]) for line in Records(tmp_path).ledger("payd")] == [(1, 1), (2, 2)]
