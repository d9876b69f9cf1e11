"""A saga goes forward until it is refused, and back over what was done; its log lets one writer go on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.backends.etcd.port import Kv
from cluster.backends.etcd.raft import RaftKv
from scenarios.kit.bookings import Bookings
from scenarios.kit.saga import OVER, Plan, Saga, Step, given_up, next_action, was_refused, went_well
from scenarios.kit.saga_log import Overtaken, SagaLog
from tests.cluster.backends.etcd.group import Running

PLAN = (Step("flight", "undo_flight"), Step("mail"), Step("room", "undo_room"), Step("car"))


def played(plan: Plan, refused: str = "") -> tuple[list[str], Saga]:
    """What is asked for, in order, and how it ends."""
    saga, actions = Saga("s", {}), []
    while (action := next_action(plan, saga)) is not None:
        actions.append(action)
        saga = was_refused(plan, saga) if action == refused else went_well(plan, saga)
    return actions, saga


def test_all_steps_and_it_is_done() -> None:
    assert played(PLAN)[0] == ["flight", "mail", "room", "car"]
    assert played(PLAN)[1].phase == "done"


@pytest.mark.parametrize(
    ("refused", "actions"),
    [
        ("flight", ["flight"]),
        ("mail", ["flight", "mail", "undo_flight"]),
        ("room", ["flight", "mail", "room", "undo_flight"]),  # nothing takes back a mail
        ("car", ["flight", "mail", "room", "car", "undo_room", "undo_flight"]),
    ],
)
def test_what_was_done_is_undone_last_one_first(refused: str, actions: list[str]) -> None:
    said, saga = played(PLAN, refused)
    assert said == actions
    assert saga.phase == "undone"
    assert saga.version == len(actions)


def test_a_plan_without_undoing_has_nothing_to_go_back_over() -> None:
    assert played((Step("flight"), Step("room")), "room") == (["flight", "room"], Saga("s", {}, at=0, phase="undone", version=2))


def test_who_gives_up_shows_it() -> None:
    saga = given_up(was_refused(PLAN, went_well(PLAN, Saga("s", {}))))
    assert (saga.phase, next_action(PLAN, saga)) == ("stuck", None)


@given(undoes=st.lists(st.booleans(), min_size=1, max_size=6), refused=st.integers(0, 6))
def test_every_step_that_stood_is_undone_once_and_no_other(undoes: list[bool], refused: int) -> None:
    plan = tuple(Step(f"s{i}", f"u{i}" if undo else "") for i, undo in enumerate(undoes))
    actions, saga = played(plan, f"s{refused}")
    stood = min(refused, len(plan))
    assert [action for action in actions if action[0] == "s"] == [f"s{i}" for i in range(min(refused + 1, len(plan)))]
    assert [action for action in actions if action[0] == "u"] == (
        [] if refused >= len(plan) else [f"u{i}" for i in reversed(range(stood)) if undoes[i]]
    )
    assert saga.phase in OVER


# ----------------------------------------------------------------------------------------------------------------- log


@pytest.fixture
async def kv(tmp_path: Path) -> AsyncIterator[Kv]:
    running = Running(tmp_path)
    await running.open()
    kv = RaftKv(running.group.urls, "tester", Random(7), timeout_ms=20_000)
    yield kv
    await kv.close()
    running.close()


@pytest.mark.processes
@pytest.mark.timeout(120)
async def test_a_log_has_one_writer_for_each_state_and_tells_a_new_life_what_is_open(kv: Kv) -> None:
    log = SagaLog(kv, "run:")
    first, second = Saga("b1", {"id": "b1"}), Saga("b2", {"id": "b2"})
    assert await log.begin(first)
    assert await log.begin(second)
    assert not await log.begin(first)  # a request that comes twice
    forward = went_well(PLAN, first)
    await log.write(forward)
    with pytest.raises(Overtaken):
        await log.write(was_refused(PLAN, first))  # somebody who still believes in the state before
    assert await log.unfinished() == [forward, second]
    await log.write(given_up(second))
    assert await log.unfinished() == [forward]
    assert await SagaLog(kv, "another run:").unfinished() == []


# ------------------------------------------------------------------------------------------------------------ bookings


def _book(service: Bookings, booking: str, *, once: bool = True) -> tuple[str, bool]:
    entry, has_place = service.book(booking, once=once)
    return entry.kind, has_place


def test_places_are_counted_and_who_asks_again_hears_the_same(tmp_path: Path) -> None:
    with closing(Bookings(tmp_path / "db", 1)) as hotel:
        assert _book(hotel, "b1") == ("booked", True)
        assert _book(hotel, "b2") == ("refused", False)
        assert _book(hotel, "b1") == ("repeated", True)
        assert _book(hotel, "b2") == ("repeated", False)
        assert (hotel.cancel("b1").kind, hotel.cancel("b1").kind) == ("cancelled", "repeated")
        assert _book(hotel, "b1") == ("repeated", False)  # what was cancelled stays so
        assert (hotel.taken(), hotel.refused()) == (0, 1)


def test_without_once_every_asking_is_another_booking(tmp_path: Path) -> None:
    with closing(Bookings(tmp_path / "db")) as flight:
        assert [_book(flight, "b1", once=False) for _ in range(2)] == [("booked", True)] * 2
        assert flight.taken() == 2
        assert flight.cancel("b1").line == {"booking": "b1", "places": [1, 2]}
        assert flight.taken() == 0


def test_a_place_is_one_bookings_until_it_is_given_back(tmp_path: Path) -> None:
    with closing(Bookings(tmp_path / "db")) as flight:
        assert [flight.book(name, once=True)[0].line["place"] for name in ("b1", "b2", "b3")] == [1, 2, 3]
        flight.cancel("b2")
        assert [flight.book(name, once=True)[0].line["place"] for name in ("b4", "b5")] == [2, 4]
