"""Calls are answered each to its caller, and one whose connection ends is undecided."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from scenarios.kit.calls import OK, Caller, Undecided, Unreached, serve


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


async def never(_args: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    await asyncio.get_running_loop().create_future()
    raise AssertionError


async def echo(args: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    return OK, args


async def test_a_call_whose_connection_ends_is_undecided_and_the_next_one_connects_again(tmp_path: Path) -> None:
    with pytest.RaisesGroup(Over):
        async with asyncio.TaskGroup() as tasks:
            await serve(str(tmp_path / "s"), {"never": never, "echo": echo}, tasks)
            caller = await Caller.connect(str(tmp_path / "s"))
            # The server hangs up on nonsense, and with that on everybody of this connection.
            calls = await asyncio.gather(caller.call("never"), caller.call("no such method"), return_exceptions=True)
            assert [type(outcome) for outcome in calls] == [Undecided, Undecided]
            assert (await caller.call("echo", number=1)).body == {"number": 1}
            raise Over


async def test_an_answer_that_takes_too_long_is_undecided_and_a_later_call_has_its_own(tmp_path: Path) -> None:
    go_on = asyncio.Event()

    async def late(args: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        await go_on.wait()
        return OK, args

    with pytest.RaisesGroup(Over):
        async with asyncio.TaskGroup() as tasks:
            await serve(str(tmp_path / "s"), {"late": late, "echo": echo}, tasks)
            caller = await Caller.connect(str(tmp_path / "s"))
            with pytest.raises(Undecided, match="no answer within 1 ms"):
                await caller.call("late", within_ms=1, number=1)
            go_on.set()  # its answer comes first now, and is nobody's
            assert (await caller.call("echo", number=2)).body == {"number": 2}
            raise Over


async def test_what_could_not_be_sent_is_no_open_question(tmp_path: Path) -> None:
    with pytest.raises(Unreached, match="nobody listens"):
        await Caller.connect(str(tmp_path / "s"))
    caller = Caller(str(tmp_path / "s"))
    with pytest.raises(Unreached):
        await caller.call("echo")
    with pytest.RaisesGroup(Over):
        async with asyncio.TaskGroup() as tasks:
            await serve(str(tmp_path / "s"), {"echo": echo}, tasks)
            assert (await caller.call("echo")).status == OK
            raise Over
