"""Judges by the inventory's ledger against the order service's: an event that was counted more than once, or never, though
all is said and heard.

It was a trial only if the relay died with a whole batch between its two steps, the inventory between counting and acknowledging, and what
was due to come again did come.
"""

from __future__ import annotations

from collections import Counter

from cluster.check.once import exactly_once, repeats
from scenarios.records import Evidence, Judgement, Line, Params, Records

BATCH = 5


def judge(records: Records, params: Params) -> Judgement:
    toggles = params.toggles
    placed = {line["event"]: line for line in records.ledger("orders")}
    ledger = records.ledger("inventory")
    counted = [line for line in ledger if line["kind"] == "decremented"]
    dropped = [line for line in ledger if line["kind"] == "dropped"]
    between = records.last_words("relay")
    wanted = [order["id"] for order in records.truth()["workload"]]
    again = len(ledger) - len({line["event"] for line in ledger})
    due = (BATCH if toggles["mark"] == "after" else 0) + (1 if toggles["qos"] == "1" else 0)
    cured: dict[str, bool] = {}
    coverage = {
        "every order of the workload was placed once, with its event": bool(wanted) and _orders(placed) == sorted(wanted),
        "the relay died with a whole batch between its two steps": _batch(between) == BATCH,
        "the inventory died between counting and acknowledging": _is(records.last_words("inventory"), "inv.after_apply_before_ack"),
        "what was due to come again came": again >= due,
    }
    if toggles["consumer_dedup"] == "on" and toggles["dedup_store"] == "same_txn":
        cured["all that came again was dropped"] = len(dropped) >= due
    metrics = {
        "events": len(placed), "decrements": len(counted), "dropped": len(dropped), "came_again": again,
        "published": sum(line["type"] == "ok" for line in records.history("relay")),
    }  # fmt: skip
    over = records.all_done()
    finished = {"the relay had said all, and the inventory had heard it": over}
    return Judgement(_violations(placed, counted, over=over), coverage, metrics, cured, finished)


def _violations(placed: dict[str, Line], counted: list[Line], *, over: bool) -> tuple[Evidence, ...]:
    """Before it is `over`, what was not counted may still come."""
    count = exactly_once(placed, (line["event"] for line in counted))
    twice = [
        Evidence(
            "counted_twice", (first.where, again.where),
            f"{_name(placed, first['event'])}: message {first['message']}, and again {again['message']}",
        )
        for first, again in repeats(counted, lambda line: line["event"])
    ]  # fmt: skip
    never = [
        Evidence("never_counted", (placed[event].where,), f"{_name(placed, event)}: no unit was taken for it")
        for event in count.missing
        if over
    ]
    first_of = {line["event"]: line for line in reversed(counted)}
    strange = [Evidence("strange_event", (first_of[event].where,), f"{event}: no order has it") for event in count.strange]
    return (*twice, *never, *strange)


def _name(placed: dict[str, Line], event: str) -> str:
    return f"{placed[event]['order']} (event {event})" if event in placed else event


def _orders(placed: dict[str, Line]) -> list[str]:
    counts = Counter(line["order"] for line in placed.values())
    return sorted(counts.elements())


def _batch(line: Line | None) -> int:
    """How many events lay between publishing and marking."""
    return len(set(line["events"])) if line is not None and line["event"] == "outbox.between_publish_and_mark" else 0


def _is(line: Line | None, event: str) -> bool:
    return line is not None and line["event"] == event
