"""What a service did between its database's commit and its ledger's line is told by its next life: every service that has both."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from scenarios.kit.bookings import Bookings
from scenarios.kit.outbox import Outbox
from scenarios.kit.process import Process
from scenarios.kit.stockkeeper import Stock
from scenarios.kit.telling import Entry
from scenarios.records import Records
from tests.scenarios.kit.lived import Lived, Over

Service = Bookings | Stock | Outbox


def hotel(root: Path) -> tuple[Service, list[Callable[[], Entry]]]:
    service = Bookings(root / "hotel.sqlite", 2)
    booked = [lambda name=name: service.book(name, once=True)[0] for name in ("b1", "b2", "b3")]
    return service, [*booked, lambda: service.cancel("b1")]


def stock(root: Path) -> tuple[Service, list[Callable[[], Entry]]]:
    service = Stock(root / "inventory.sqlite", 10)
    return service, [lambda event=event: service.take(event, {}, "m", dedup=True) for event in ("e1", "e2", "e3", "e4")]


def orders(root: Path) -> tuple[Service, list[Callable[[], Entry]]]:
    service = Outbox(root / "orders.sqlite")
    return service, [lambda number=number: service.place(f"o{number}", {"units": 1}, f"e{number}") for number in range(4)]


async def live(root: Path, opened: tuple[Service, list[Callable[[], Entry]]], told: int, done: int) -> list[Entry]:
    """One life, which begins with what the one before owes: it does `done` things, tells `told` of them, and is killed."""
    service, deeds = opened
    entries: list[Entry] = []
    with pytest.RaisesGroup(Over):
        async with asyncio.TaskGroup() as tasks:
            ledger = await service.ledger(cast(Process, Lived(root, {}, tasks)))
            for number, deed in enumerate(deeds[:done]):
                entries.append(deed())
                if number < told:
                    await entries[-1].tell(ledger)
            raise Over
    service.close()
    return entries


@pytest.mark.parametrize("open_service", [hotel, stock, orders])
@pytest.mark.parametrize("told", range(5))
async def test_what_a_killed_life_had_not_told_is_told_by_the_next_and_once(
    tmp_path: Path, open_service: Callable[[Path], tuple[Service, list[Callable[[], Entry]]]], told: int
) -> None:
    entries = await live(tmp_path, open_service(tmp_path), told, done=4)
    for _ in range(2):
        await live(tmp_path, open_service(tmp_path), 0, done=0)
    lines = Records(tmp_path).ledger("payd")
    assert [(line["kind"], line["row"]) for line in lines] == [(entry.kind, entry.row) for entry in entries]
    assert [line["row"] for line in lines] == [1, 2, 3, 4]


def test_what_was_not_done_is_owed_to_nobody(tmp_path: Path) -> None:
    service, (book, *_) = hotel(tmp_path)
    assert (book().row, book().kind, book().row) == (1, "repeated", 0)
    service.close()
