"""The oracle of the journey, over records written by hand: each kind of violation, each way of proving nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from scenarios.catalog import load
from scenarios.judging import Outcome, judge
from tests.scenarios.run_dirs import write_ledger, write_lines

BOOKINGS = [f"booking-{i:02}" for i in range(1, 21)]  # eighteen rooms and two refusals
LUCKY, UNLUCKY = BOOKINGS[:18], BOOKINGS[18:]
Lines = list[tuple[str, str, str]]  # ledger, kind, booking

BROKEN: Lines = [
    *[("payd", "charged", booking) for booking in BOOKINGS],
    *[("flight", "booked", booking) for booking in BOOKINGS],
    *[("hotel", "booked", booking) for booking in LUCKY],
    *[("hotel", "refused", booking) for booking in UNLUCKY],
]
CURED: Lines = [
    *BROKEN,
    *[("payd", "refunded", booking) for booking in UNLUCKY],
    *[("flight", "cancelled", booking) for booking in UNLUCKY],
]


def saga_run(
    root: Path, lines: Lines, *, asked: list[str] = BOOKINGS, comp: tuple[int, int] = (100, 900), coord: int = 500, end_s: float = 6.0,
    known: str = UNLUCKY[0], settled: bool = False, toggles: dict[str, str] | None = None, refunds_at: int = 1_000,
    places: dict[str, int] | None = None,
) -> Path:  # fmt: skip
    """Rooms are refused at 400; comp is dead from `comp[0]` to `comp[1]`, coord at `coord`; the run ends `end_s` after that."""
    root.mkdir(parents=True, exist_ok=True)
    chosen = {"handler_crash": "none", "compensation": "off"} | (toggles or {})
    params = {"slug": "saga-no-compensation", "variant": "broken", "toggles": chosen, "seed": 1, "scale": 1.0}
    (root / "params.json").write_bytes(msgspec.json.encode(params))
    (root / "truth.json").write_bytes(msgspec.json.encode({"workload": [{"id": booking, "cents": 1} for booking in BOOKINGS]}))
    write_lines(root / "history" / "agent.jsonl", [{"type": "ok", "f": "request", "value": {"id": booking}} for booking in asked])
    end = comp[1] + round(end_s * 1e9)
    events = [
        ("comp", 0, "started", None), ("comp", comp[0], "exited", -9), ("coord", coord, "exited", -9), ("comp", comp[1], "started", None),
        ("agent", end, "exited", 0),
    ]  # fmt: skip
    write_lines(root / "supervisor.jsonl", [{"process": p, "mono_ns": at, "event": event, "status": how} for p, at, event, how in events])
    write_lines(root / "faults.jsonl", [{"phase": "ended", "mono_ns": comp[1], "on": "trace:agent.requested@agent"}])
    write_lines(root / "trace" / "coord.jsonl", [{"event": "saga.after_fail_before_compensate", "mono_ns": 450, "booking": known}])
    write_lines(root / "trace" / "agent.jsonl", [{"event": "agent.settled", "mono_ns": 2_000}] if settled else [])
    for ledger, name in (("payd", "order"), ("flight", "booking"), ("hotel", "booking")):
        at = {"refunded": refunds_at, "cancelled": refunds_at}
        mine = [{"kind": kind, name: booking, "mono_ns": at.get(kind, 400)} for where, kind, booking in lines if where == ledger]
        for line in mine:  # everybody's own place, unless the test says otherwise
            place = (places or {}).get(line[name], BOOKINGS.index(line[name]) + 1) if line[name] in BOOKINGS else 99
            line |= {"place": place, "places": [place]}
        write_ledger(root / "ledger" / f"{ledger}.jsonl", mine)
    return root


def judged(run_dir: Path) -> Outcome:
    return judge(load("saga-no-compensation"), run_dir, 1.0)


def test_a_refusal_without_a_refund_is_a_violation_with_its_lane(tmp_path: Path) -> None:
    outcome = judged(saga_run(tmp_path, BROKEN))
    assert (outcome.verdict, outcome.violations.by_rule) == ("FAIL", {"charged_without_room": 2})
    assert outcome.violations.evidence[0].records == ("ledger/payd.jsonl:19", "ledger/flight.jsonl:19", "ledger/hotel.jsonl:19")


def test_lanes_that_are_closed_pass(tmp_path: Path) -> None:
    outcome = judged(saga_run(tmp_path, CURED))
    assert (outcome.verdict, outcome.violations.count, outcome.metrics["refunds"]) == ("PASS", 0, 2)


@pytest.mark.parametrize(
    ("lines", "rules"),
    [
        ([*CURED, ("payd", "refunded", UNLUCKY[0])], {"refunded_twice": 1}),
        (CURED[:-1], {"refunded_with_ticket": 1}),
        ([line for line in CURED if line[:2] != ("payd", "refunded")], {"charged_without_room": 2}),
        ([*CURED, ("payd", "charged", LUCKY[0])], {"charged_twice": 1}),
        ([*CURED, ("payd", "charged", UNLUCKY[0])], {"charged_without_room": 1, "charged_twice": 1}),
        ([*CURED, ("payd", "refunded", LUCKY[0])], {"refunded_with_ticket": 1, "room_without_flight": 1}),
        ([line for line in CURED if line != ("flight", "booked", LUCKY[0])], {"room_without_flight": 1}),
        ([*CURED, ("payd", "charged", "booking-99")], {"strange_booking": 1}),
        ([*CURED, ("payd", "replayed", UNLUCKY[0]), ("flight", "repeated", UNLUCKY[0])], {}),  # asked twice and done once
        ([*CURED, ("hotel", "booked", LUCKY[0])], {"two_rooms": 1, "room_shared": 1}),
        ([*CURED, ("flight", "booked", LUCKY[0])], {"two_tickets": 1, "seat_shared": 1}),
        (list(reversed(CURED)), {}),
    ],
)
def test_a_changed_ledger_is_a_changed_verdict(tmp_path: Path, lines: Lines, rules: dict[str, int]) -> None:
    outcome = judged(saga_run(tmp_path, lines))
    assert (outcome.verdict, outcome.violations.by_rule) == ("FAIL" if rules else "PASS", rules)


@pytest.mark.parametrize(
    "changed",
    [
        {"asked": BOOKINGS[:-1]},
        {"lines": [line for line in BROKEN if line != ("hotel", "booked", LUCKY[0])]},
        {"lines": [*(line for line in BROKEN if line != ("hotel", "booked", LUCKY[0])), ("hotel", "refused", LUCKY[0])]},
        {"comp": (410, 900)},  # it lived when rooms were refused
        {"comp": (100, 390)},
        {"known": LUCKY[0]},  # coord knew of no failure
        {"coord": 440},
        {"lines": CURED, "refunds_at": 300},  # it was undone before coord died
        {"end_s": 4.0},
        {"toggles": {"handler_crash": "once", "compensation": "on"}},  # and it did not die a second time
    ],
)
def test_what_was_no_trial_is_vacuous(tmp_path: Path, changed: dict[str, Any]) -> None:
    lines = changed.pop("lines", BROKEN)
    assert judged(saga_run(tmp_path, lines, **changed)).verdict == "VACUOUS"


def test_a_booking_that_the_hotel_has_not_heard_of_is_not_wrong_and_proves_nothing(tmp_path: Path) -> None:
    for name, unheard in (("asked", []), ("charged", [("payd", "charged", UNLUCKY[1]), ("flight", "booked", UNLUCKY[1])])):
        outcome = judged(saga_run(tmp_path / name, [*(line for line in CURED if line[2] != UNLUCKY[1]), *unheard]))
        assert (outcome.verdict, outcome.violations.count) == ("VACUOUS", 0)
        assert outcome.coverage["the hotel had an answer to every booking"] is False


def test_a_room_or_a_seat_is_one_travellers_until_he_gives_it_back(tmp_path: Path) -> None:
    rooms = judged(saga_run(tmp_path / "two", CURED, places={LUCKY[0]: 2}))  # the second traveller's
    assert rooms.violations.by_rule == {"room_shared": 1, "seat_shared": 1}
    assert rooms.violations.evidence[0].text == "seat 2: booking-01 has it, and booking-02 was given it as well"
    beyond = judged(saga_run(tmp_path / "beyond", CURED, places={LUCKY[0]: 19 + 10}))
    assert beyond.violations.by_rule == {"no_such_room": 1}
    again = [*(line for line in CURED if line != ("flight", "booked", LUCKY[0])), ("flight", "booked", LUCKY[0])]
    seat_of = saga_run(tmp_path / "free", again)
    ledger = (seat_of / "ledger" / "flight.jsonl").read_bytes()
    assert ledger.splitlines()[-1].count(LUCKY[0].encode()) == 1  # the last line is the late one
    lines = [{"kind": kind, "booking": booking, "mono_ns": 400} for where, kind, booking in again if where == "flight"]
    for line in lines:
        seat = BOOKINGS.index(UNLUCKY[0] if line["booking"] == LUCKY[0] else line["booking"]) + 1
        line |= {"place": seat, "places": [seat]}
    write_ledger(seat_of / "ledger" / "flight.jsonl", lines)
    assert judged(seat_of).violations.count == 0


def test_what_is_settled_need_not_wait_for_the_end(tmp_path: Path) -> None:
    assert judged(saga_run(tmp_path, CURED, end_s=0.5, settled=True)).verdict == "PASS"
