"""A client that insists: what it takes for silence, refusal and patience, and what it writes down."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

from scenarios.kit.calls import CONFLICT, MISMATCH, OK, Caller, serve
from scenarios.kit.process import Process
from scenarios.kit.requester import Requester
from scenarios.records import Records
from tests.scenarios.kit.lived import Lived, Over

ARGS: dict[str, Any] = {
    "server": "payd", "method": "charge", "sends": {"payment": "id"}, "key": "per_payment", "in_turn": "id", "at_once": 1,
    "timeout_ms": 20.0, "retries": "2", "backoff_ms": 1.0, "intents": [{"id": "p-1"}],
}  # fmt: skip
SILENCE = 0


async def settled(root: Path, answers: list[int], **args: Any) -> tuple[list[str], Lived]:
    """`answers`: statuses of the server, in the order of calls. Returns the types of the history's lines."""
    seen: list[dict[str, Any]] = []

    async def charge(call: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        seen.append(call)
        status = answers[len(seen) - 1]
        if status == SILENCE:
            await asyncio.get_running_loop().create_future()
        return status, {"retry_after_ms": 1.0}

    try:
        async with asyncio.TaskGroup() as tasks:
            lived = Lived(root, {**ARGS, **args}, tasks)
            await serve(lived.socket_of("payd"), {"charge": charge}, tasks)
            await Requester(cast(Process, lived), await Caller.connect(lived.socket_of("payd"))).work_off()
            raise Over
    except* Over:
        pass
    assert len(seen) == len(answers)
    assert len({call["key"] for call in seen}) == len(lived.args["intents"])
    return [line["type"] for line in Records(root).history("client")], lived


def outcomes(lived: Lived) -> list[str]:
    return [fields["outcome"] for event, fields in lived.traced if event == "intent.settled"]


async def test_silence_is_asked_again_under_the_same_key(tmp_path: Path) -> None:
    types, lived = await settled(tmp_path, [SILENCE, SILENCE, OK])
    assert types == ["invoke", "info", "invoke", "info", "invoke", "ok"]
    assert outcomes(lived) == ["ok"]


async def test_after_its_last_retry_the_outcome_is_unknown(tmp_path: Path) -> None:
    types, lived = await settled(tmp_path, [SILENCE] * 3)
    assert types.count("info") == 3
    assert outcomes(lived) == ["unknown"]


async def test_being_asked_to_wait_is_no_retry(tmp_path: Path) -> None:
    _, lived = await settled(tmp_path, [CONFLICT] * 5 + [OK], retries="off")
    assert outcomes(lived) == ["ok"]


async def test_a_refusal_is_an_answer(tmp_path: Path) -> None:
    types, lived = await settled(tmp_path, [MISMATCH])
    assert (types, outcomes(lived)) == (["invoke", "fail"], ["refused"])


async def test_turns_keep_their_order_and_run_beside_each_other(tmp_path: Path) -> None:
    intents = [{"id": f"p-{number}", "user": f"u-{number % 2}"} for number in range(4)]
    await settled(tmp_path, [OK] * 4, intents=intents, in_turn="user", at_once=2)
    asked = [line["value"]["intent"] for line in Records(tmp_path).history("client") if line["type"] == "invoke"]
    assert [intent for intent in asked if intent in ("p-0", "p-2")] == ["p-0", "p-2"]
    assert [intent for intent in asked if intent in ("p-1", "p-3")] == ["p-1", "p-3"]
