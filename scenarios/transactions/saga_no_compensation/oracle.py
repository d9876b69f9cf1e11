"""Judges by the ledgers of payd, the airline and the hotel: who is charged though there is no room, refunded with a ticket, or has twice
what was asked for once (a charge, a refund, a ticket, a room); and the seat or room that two have.

It was a trial only if the hotel refused exactly those that it has no room for, all while the compensator was dead, and the other listener
died with a failure known and nothing undone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from scenarios.records import Evidence, Judgement, Line, Params, Records

ROOMS = 18
GRACE_S = 5.0  # from the last fault to the end


@dataclass
class Lane:
    """One booking in three ledgers."""

    charged: list[Line] = field(default_factory=list)
    refunded: list[Line] = field(default_factory=list)
    ticketed: list[Line] = field(default_factory=list)
    cancelled: list[Line] = field(default_factory=list)
    roomed: list[Line] = field(default_factory=list)
    refused: list[Line] = field(default_factory=list)


_KINDS = {
    ("payd", "charged"): "charged",
    ("payd", "refunded"): "refunded",
    ("flight", "booked"): "ticketed",
    ("flight", "cancelled"): "cancelled",
    ("hotel", "booked"): "roomed",
    ("hotel", "refused"): "refused",
}


def judge(records: Records, params: Params) -> Judgement:
    wanted = [booking["id"] for booking in records.truth()["workload"]]
    lanes = _lanes(records)
    refusals = [line for lane in lanes.values() for line in lane.refused]
    refused = {booking for booking, lane in lanes.items() if lane.refused}
    settled = bool(records.trace("agent", "agent.settled"))
    answered = {booking for booking, lane in lanes.items() if lane.roomed or lane.refused}
    coverage = {
        "every booking was asked for": bool(wanted) and set(wanted) == _asked(records),
        "the hotel refused exactly those that it had no room for": bool(refused) and len(refused) == len(answered) - ROOMS,
        "every room was refused while the compensator was dead": bool(refusals) and _all_during_death(records, "comp", refusals),
        "coord died with a failure known and nothing undone": _died_between(records, lanes),
        "all was settled, or there were 5 s for it after the last fault": settled or _grace_s(records) >= GRACE_S * params.scale,
    }
    if params.toggles["handler_crash"] == "once" and params.toggles["compensation"] == "on":
        last = records.last_words("comp", 1)
        coverage["the compensator died between its two steps"] = last is not None and last["event"] == "comp.refunded_not_cancelled"
    metrics: dict[str, int | float] = {
        "bookings": len(wanted), "refusals": len(refused), "refunds": sum(len(lane.refunded) for lane in lanes.values()),
        "tries": len(records.trace("coord", "saga.compensating")),
    }  # fmt: skip
    finished = {"the hotel had an answer to every booking": set(wanted) <= answered}
    return Judgement((*_violations(wanted, lanes), *_places(records)), coverage, metrics, finished=finished)


def _lanes(records: Records) -> dict[str, Lane]:
    lanes: dict[str, Lane] = {}
    for ledger, name in (("payd", "order"), ("flight", "booking"), ("hotel", "booking")):
        for line in records.ledger(ledger):
            lane = lanes.setdefault(line[name], Lane())
            if (ledger, line["kind"]) in _KINDS:
                getattr(lane, _KINDS[ledger, line["kind"]]).append(line)
    return lanes


def _violations(wanted: list[str], lanes: dict[str, Lane]) -> Iterator[Evidence]:
    """Of a booking that the hotel has not heard of yet, nothing is wrong yet but what was done twice."""
    for booking, lane in lanes.items():
        if booking not in wanted:
            yield Evidence("strange_booking", tuple(line.where for line in _all(lane)), f"{booking}: nobody asked for it")
            continue
        paid = len(lane.charged) - len(lane.refunded)
        tickets = len(lane.ticketed) - len(lane.cancelled)
        if paid > 0 and lane.refused and not lane.roomed:
            yield _evidence("charged_without_room", lane, f"{booking}: charged for a flight, no room, {_refunds(lane)}")
        if lane.refunded and tickets > 0:
            yield _evidence("refunded_with_ticket", lane, f"{booking}: the money is back and the ticket still stands")
        for rule, what, lines in (
            ("refunded_twice", "refunded", lane.refunded), ("charged_twice", "charged", lane.charged),
            ("two_tickets", "given a ticket", lane.ticketed), ("two_rooms", "given a room", lane.roomed),
        ):  # fmt: skip
            if len(lines) > 1:
                yield _evidence(rule, lane, f"{booking}: {what} {len(lines)} times")
        if lane.roomed and (paid < 1 or tickets < 1):
            yield _evidence("room_without_flight", lane, f"{booking}: a room, and no flight that is paid for")


def _places(records: Records) -> Iterator[Evidence]:
    """One seat or room that two have at a time, and a room that the hotel has not. What is cancelled may be given away again."""
    for service, thing in (("flight", "seat"), ("hotel", "room")):
        holders: dict[int, Line] = {}
        for line in records.ledger(service):
            if line["kind"] == "cancelled":
                for place in line["places"]:
                    holders.pop(place, None)
            elif line["kind"] == "booked":
                before = holders.setdefault(line["place"], line)
                if before is not line:
                    text = f"{thing} {line['place']}: {before['booking']} has it, and {line['booking']} was given it as well"
                    yield Evidence(f"{thing}_shared", (before.where, line.where), text)
                if thing == "room" and line["place"] > ROOMS:
                    yield Evidence("no_such_room", (line.where,), f"{line['booking']}: was given room {line['place']} of {ROOMS}")


def _evidence(rule: str, lane: Lane, text: str) -> Evidence:
    return Evidence(rule, tuple(line.where for line in _all(lane)), text)


def _refunds(lane: Lane) -> str:
    return "no refund" if not lane.refunded else f"{len(lane.charged)} charges and {len(lane.refunded)} refunds"


def _all(lane: Lane) -> list[Line]:
    return [*lane.charged, *lane.ticketed, *lane.roomed, *lane.refused, *lane.refunded, *lane.cancelled]


# ------------------------------------------------------------------------------------------------------------ coverage


def _asked(records: Records) -> set[str]:
    return {line["value"]["id"] for line in records.history("agent") if line["type"] == "ok" and line["f"] == "request"}


def _all_during_death(records: Records, process: str, lines: list[Line]) -> bool:
    """Between its first death and its second life. The ledger's time is of the line's writing, which is after the effect."""
    deaths, births = records.deaths(process, killed=True), records.births(process)
    return bool(deaths) and len(births) > 1 and all(deaths[0] < line["mono_ns"] < births[1] for line in lines)


def _died_between(records: Records, lanes: dict[str, Lane]) -> bool:
    """Of the failure that coord knew last: the hotel had refused before its death, and no refund was before it."""
    deaths = records.deaths("coord", killed=True)
    known = [line for line in records.trace("coord", "saga.after_fail_before_compensate") if deaths and line["mono_ns"] < deaths[0]]
    if not known:
        return False
    lane = lanes.get(known[-1]["booking"], Lane())
    before = Counter(line["kind"] for line in _all(lane) if line["mono_ns"] < deaths[0])
    return before["refused"] > 0 and before["refunded"] == 0


def _grace_s(records: Records) -> float:
    """From the last time that a fault was undone to the first process that was told to leave."""
    undone = [line["mono_ns"] for line in records.faults() if line.get("phase") == "ended"]
    ends = [line["mono_ns"] for line in records.supervisor() if undone and line["event"] == "exited" and line["mono_ns"] > undone[-1]]
    return (min(ends) - undone[-1]) / 1e9 if ends else 0.0
