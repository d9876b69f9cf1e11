"""How long clients asked in vain."""

from __future__ import annotations

from cluster.check.availability import Outage, availability
from cluster.core.types import MS
from cluster.telemetry.control import HistoryLine


def lines(text: str) -> list[HistoryLine]:
    """`at_ms process kind`, one per record."""
    records = (record.split() for record in text.splitlines() if record.strip())
    return [HistoryLine(int(process), kind, "read", "x", (), int(at) * MS, "n1") for at, process, kind in records]


def test_a_healthy_run_has_no_outage() -> None:
    measured = availability(lines("0 1 invoke\n10 1 ok\n5000 1 invoke\n5020 1 ok"))
    assert (measured.longest_us, measured.unavailable_ms, measured.outages) == (20 * MS, 0, ())


def test_a_gap_runs_from_the_first_invocation_to_the_next_ok() -> None:
    measured = availability(lines("0 1 invoke\n10 1 ok\n100 1 invoke\n400 1 fail\n450 1 invoke\n900 1 ok"))
    assert measured.outages == (Outage(100 * MS, 900 * MS),)
    assert measured.unavailable_ms == 800


def test_an_operation_open_at_the_last_ok_has_waited_since_then() -> None:
    measured = availability(lines("0 1 invoke\n5 2 invoke\n10 1 ok\n700 2 ok"))
    assert measured.outages == (Outage(10 * MS, 700 * MS),)


def test_being_told_no_or_nothing_is_not_being_served() -> None:
    for refusal in ("fail", "info"):
        text = "0 1 invoke\n" + "".join(f"{at} 1 {refusal}\n{at + 50} 1 invoke\n" for at in range(100, 1_100, 100))
        assert availability(lines(text + "1200 1 ok")).unavailable_ms == 1_200


def test_a_workload_that_was_switched_off_is_no_outage() -> None:
    measured = availability(lines("0 1 invoke\n600 1 fail\n60000 1 invoke\n60010 1 ok"))
    assert measured.outages == (Outage(0, 600 * MS),)


def test_an_unfinished_gap_counts_to_the_last_record() -> None:
    measured = availability(lines("0 1 invoke\n10 1 ok\n20 1 invoke\n800 1 info"))
    assert measured.unavailable_ms == 780


def test_gaps_below_the_floor_do_not_add_up_but_the_longest_is_told() -> None:
    text = "0 1 invoke\n80 1 ok\n90 1 invoke\n180 1 ok"
    measured = availability(lines(text))
    assert (measured.unavailable_ms, measured.longest_us) == (0, 90 * MS)
    assert availability(lines(text), floor_us=50 * MS).unavailable_ms == 170


def test_a_slow_workload_that_is_refused_at_once_every_time_is_an_outage() -> None:
    text = "".join(f"{at} 1 invoke\n{at + 1} 1 fail\n" for at in range(0, 5_000, 500))
    assert availability(lines(text + "5000 1 invoke\n5001 1 ok")).outages == (Outage(0, 5_001 * MS),)


def test_nothing_asked_nothing_missed() -> None:
    assert availability([]).unavailable_ms == 0
