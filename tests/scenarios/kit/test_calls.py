"""Calls are answered each to its caller, and one whose connection ends is undecided."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from scenarios.kit.calls import OK, Caller, Undecided, serve


class Over(Exception):
    pass


async def test_answers_find_their_calls_in_any_order(tmp_path: Path) -> None:
    turn = {number: asyncio.Event() for number in range(3)}

    async def wait(args: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        await turn[args["number"]].wait()
        return OK, {"number": args["number"]}

    with pytest.RaisesGroup(Over):
        async with asyncio.TaskGroup() as tasks:
            await serve(str(tmp_path / "s"), {"wait": wait}, tasks)
            caller = await Caller.connect(str(tmp_path / "s"))
            calls = [tasks.create_task(caller.call("wait", number=number)) for number in range(3)]
            for number in (2, 0, 1):
                turn[number].set()
                assert (await calls[number]).body == {"number": number}
            caller.close()
            raise Over


async def test_a_call_whose_connection_ends_is_undecided(tmp_path: Path) -> None:
    async def never(_args: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        await asyncio.get_running_loop().create_future()
        raise AssertionError

    with pytest.RaisesGroup(Over):
        async with asyncio.TaskGroup() as tasks:
            await serve(str(tmp_path / "s"), {"never": never}, tasks)
            caller = await Caller.connect(str(tmp_path / "s"))
            # The server hangs up on nonsense, and with that on everybody of this connection.
            calls = await asyncio.gather(caller.call("never"), caller.call("no such method"), return_exceptions=True)
            assert [type(outcome) for outcome in calls] == [Undecided, Undecided]
            with pytest.raises(Undecided):
                await caller.call("never")
            raise Over
