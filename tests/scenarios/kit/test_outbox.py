"""An order and its event are there together or not at all; a batch is what is not marked; the stock counts as its toggles say."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from scenarios.kit.outbox import Outbox
from scenarios.kit.stockkeeper import Stock

BODY = {"customer": "customer-1", "sku": "sku-7", "units": 1}


def test_an_order_that_comes_twice_has_one_event(tmp_path: Path) -> None:
    with closing(Outbox(tmp_path / "db")) as outbox:
        assert outbox.place("order-1", BODY, "e1").line == {"order": "order-1", "event": "e1", **BODY}
        again = outbox.place("order-1", BODY, "e2")
        assert (again.kind, again.line["event"], again.row) == ("known", "e1", 0)
        assert [(row.event, row.body) for row in outbox.pending(5)] == [("e1", BODY)]


def test_a_batch_is_the_oldest_that_are_not_marked_and_the_next_life_sees_the_same(tmp_path: Path) -> None:
    with closing(Outbox(tmp_path / "db")) as outbox:
        for number in range(7):
            outbox.place(f"order-{number}", BODY, f"e{number}")
        outbox.mark(outbox.pending(2))
        first = outbox.pending(3)
    with closing(Outbox(tmp_path / "db")) as outbox:
        assert outbox.pending(3) == first
        assert [row.event for row in first] == ["e2", "e3", "e4"]
        outbox.mark(first)
        assert [row.event for row in outbox.pending(3)] == ["e5", "e6"]


@pytest.mark.parametrize(
    ("dedup", "options", "left"),
    [
        (False, {}, [9, 8, 7]),
        (True, {}, [9, None, 8]),
        (True, {"by_payload": True}, [9, None, None]),
        (True, {"in_memory": True}, [9, None, 8]),
    ],
)
def test_what_the_stock_takes_for_the_same_event(tmp_path: Path, dedup: bool, options: dict[str, bool], left: list[int | None]) -> None:
    """One event, the same once more, and another order with the same content."""
    with closing(Stock(tmp_path / "db", 10, **options)) as stock:
        assert [_left(stock, event, dedup=dedup) for event in ("e1", "e1", "e2")] == left


@pytest.mark.parametrize(("in_memory", "left"), [(False, None), (True, 8)])
def test_what_a_second_life_remembers(tmp_path: Path, in_memory: bool, left: int | None) -> None:
    with closing(Stock(tmp_path / "db", 10, in_memory=in_memory)) as stock:
        _left(stock, "e1", dedup=True)
    with closing(Stock(tmp_path / "db", 10, in_memory=in_memory)) as stock:
        assert _left(stock, "e1", dedup=True) == left


def test_who_begins_to_deduplicate_has_a_past_to_compare_with(tmp_path: Path) -> None:
    with closing(Stock(tmp_path / "db", 10)) as stock:
        assert _left(stock, "e1", dedup=False) == 9
        assert _left(stock, "e1", dedup=True) is None


def _left(stock: Stock, event: str, *, dedup: bool) -> int | None:
    """In stock after one more event; None when it was dropped."""
    entry = stock.take(event, BODY, "m-1", dedup=dedup)
    assert (entry.kind == "dropped") == (entry.row == 0)
    return entry.line.get("stock")
