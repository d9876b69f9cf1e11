"""The mailer sends what it is told, refuses the past once it was shown the present, and knows what it has sent."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from scenarios.kit.calls import OK, STALE
from scenarios.kit.ledger import Ledger
from scenarios.kit.mailer import Mailer
from scenarios.records import Records


class Over(Exception):
    pass


def batch(number: int, token: int) -> dict[str, Any]:
    return {"job": "letter", "slot": 11, "batch": number, "first": 1, "last": 100, "token": token, "caller": f"s{token}"}


async def test_a_shown_token_shuts_out_the_past_and_the_same_one_passes_again(tmp_path: Path) -> None:
    fencing = True
    with pytest.RaisesGroup(Over):
        async with asyncio.TaskGroup() as tasks:
            mailer = Mailer(Ledger.open(tmp_path / "ledger" / "mailer.jsonl", tasks), fencing=lambda: fencing)
            assert await mailer.began({}) == await mailer.began({})
            assert (await mailer.execute(batch(0, token=1)))[0] == OK
            assert (await mailer.fence({"token": 2, "caller": "s2"}))[0] == OK
            assert await mailer.execute(batch(1, token=1)) == (STALE, {"seen": 2})
            assert (await mailer.fence({"token": 1, "caller": "s1"}))[0] == STALE
            assert [(await mailer.execute(batch(number, token=2)))[0] for number in (1, 2)] == [OK, OK]
            assert (await mailer.state({}))[1] == {"sent": {"letter@11": [0, 1, 2]}}
            fencing = False
            assert (await mailer.execute(batch(0, token=1)))[0] == OK
            raise Over
    kinds = [(line["kind"], line["token"]) for line in Records(tmp_path).ledger("mailer")]
    assert kinds == [("delivered", 1), ("fenced", 2), ("rejected", 1), ("delivered", 2), ("delivered", 2), ("delivered", 1)]


async def test_what_is_not_durable_is_not_said_to_be_sent(tmp_path: Path) -> None:
    """A ledger that nobody writes out: whoever asks meanwhile must not take over what a crash would take back."""
    mailer = Mailer(Ledger(tmp_path / "ledger" / "mailer.jsonl"), fencing=lambda: False)
    sending = asyncio.create_task(mailer.execute(batch(0, token=1)))
    await asyncio.sleep(0)
    assert (await mailer.state({}))[1] == {"sent": {}}
    sending.cancel()
