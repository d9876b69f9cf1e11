"""A promise survives the bank, a lock is one transfer's, the first outcome stands, and the log has exactly what was done."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from scenarios.kit.bankbook import Bankbook, Prepared

ACCOUNTS = {"A1": 100, "A2": 100}


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Bankbook]:
    opened = Bankbook(str(tmp_path / "a.sqlite"), ACCOUNTS)
    yield opened
    opened.close()


def test_a_promise_and_its_lock_are_there_again_after_a_restart(book: Bankbook, tmp_path: Path) -> None:
    book.prepare(Prepared("t1", "A1", -30))
    book.close()
    again = Bankbook(str(tmp_path / "a.sqlite"), ACCOUNTS)
    assert again.in_doubt() == [Prepared("t1", "A1", -30)]
    assert again.holder("A1") == "t1"
    assert again.holder("A2") is None
    assert again.resolve("t1", "commit", "c2") is not None
    assert (again.balance("A1"), again.holder("A1")) == (70, None)
    again.close()


def test_a_promise_moves_no_money_and_an_abort_leaves_none_moved(book: Bankbook) -> None:
    book.prepare(Prepared("t1", "A1", -30))
    assert book.balance("A1") == 100
    book.resolve("t1", "abort", "c1")
    assert (book.balance("A1"), book.holder("A1"), book.state("t1")) == (100, None, "aborted")


def test_the_database_itself_gives_a_lock_to_one_transfer(book: Bankbook) -> None:
    book.prepare(Prepared("t1", "A1", -30))
    with pytest.raises(sqlite3.IntegrityError):
        book.prepare(Prepared("t2", "A1", -30))
    assert book.state("t2") == ""  # and nothing is left of the try
    assert [entry.kind for entry in book.entries(0)] == ["opened", "prepared"]


@pytest.mark.parametrize(("first", "second", "stands"), [("abort", "commit", "aborted"), ("commit", "abort", "committed")])
def test_the_first_outcome_stands(book: Bankbook, first: str, second: str, stands: str) -> None:
    book.prepare(Prepared("t1", "A1", -30))
    assert book.resolve("t1", first, "c1") is not None  # type: ignore[arg-type]
    assert book.resolve("t1", second, "c2") is None  # type: ignore[arg-type]
    assert book.state("t1") == stands


def test_what_was_aborted_before_it_came_is_aborted(book: Bankbook) -> None:
    book.resolve("t1", "abort", "c2")
    assert book.state("t1") == "aborted"
    assert book.holder("A1") is None


@pytest.mark.parametrize(
    ("part", "reason"), [(Prepared("t1", "A1", -101), "not enough money"), (Prepared("t1", "A9", 1), "no such account")]
)
def test_a_vote_can_be_no(book: Bankbook, part: Prepared, reason: str) -> None:
    assert book.prepare(part).fields["reason"] == reason
    assert (book.state("t1"), book.holder("A1"), book.in_doubt()) == ("refused", None, [])


def test_with_one_lock_a_promise_locks_the_whole_bank(tmp_path: Path) -> None:
    book = Bankbook(str(tmp_path / "one.sqlite"), ACCOUNTS, one_lock=True)
    book.prepare(Prepared("t1", "A1", -30))
    assert book.holder("A2") == "t1"
    book.close()


def test_a_step_of_a_saga_is_taken_once(book: Bankbook) -> None:
    assert book.step(Prepared("t1", "A1", -30), "take") is not None
    assert book.step(Prepared("t1", "A1", -30), "take") is None
    assert book.balance("A1") == 70
    assert book.step(Prepared("t2", "A1", -71), "take") is not None
    assert (book.taken("t1", "take"), book.taken("t2", "take"), book.taken("t3", "take")) == (True, False, None)


def test_the_log_has_every_change_in_its_order(book: Bankbook) -> None:
    did = [
        book.prepare(Prepared("t1", "A1", -30)),
        book.resolve("t1", "commit", "c1"),
        book.move("m1", "A1", "A2", 50),
        book.move("m2", "A1", "A2", 50),
        book.gave_up("m3", "A1", "t9"),
        book.step(Prepared("t2", "A2", 7), "give"),
    ]
    assert [entry.kind for entry in did if entry] == ["prepared", "committed", "moved", "refused", "blocked", "stepped"]
    assert book.entries(1) == did
    assert (book.balance("A1"), book.balance("A2")) == (20, 157)
