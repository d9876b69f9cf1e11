"""The live lights: what turns them, what keeps them red, and what cannot be judged."""

from __future__ import annotations

from typing import Any

import pytest

from cluster.supervisor import judges as judges_module
from cluster.supervisor.judges import Judges
from cluster.telemetry.control import NOT_SWAPPED, Counted, History, HistoryLine
from cluster.telemetry.events import AckedCounted, Event, LightChanged, TelemetryLost, VoteGiven
from tests.cluster.telemetry.happened import role

LATER = 10_000_000  # long after everything has been held back


class Bench:
    """Judges, and what they published."""

    def __init__(self) -> None:
        self.published: list[Event] = []
        self.recorded: list[HistoryLine] = []
        self.judges = Judges(self.published.append, self.recorded.append)

    def light(self, name: str) -> tuple[str, str, int]:
        found = [event for event in self.published if isinstance(event, LightChanged) and event.light == name]
        return (found[-1].state, found[-1].evidence, found[-1].checked) if found else ("", "", 0)

    def all_of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.published if isinstance(event, kind)]

    def tell(self, *lines: HistoryLine, now: int = 0) -> None:
        self.judges.history(History(lines, ()), now)


def _line(process: int, kind: str, f: str, value: str | None, at_us: int, key: str = "k", error: str = "") -> HistoryLine:
    values = () if f == "read" and kind == "invoke" else (value,)
    return HistoryLine(process, kind, f, key, values, at_us, "n1", error)


WRITE = (_line(1, "invoke", "write", "a", 10), _line(1, "ok", "write", "a", 20))
READ_A = (_line(2, "invoke", "read", None, 30), _line(2, "ok", "read", "a", 40))
READ_NOTHING = (_line(2, "invoke", "read", None, 30), _line(2, "ok", "read", None, 40))


def test_a_good_history_is_green_and_counted() -> None:
    bench = Bench()
    bench.tell(*WRITE, *READ_A)
    bench.judges.pulse(LATER)
    state, evidence, checked = bench.light("linearizable")
    assert (state, evidence) == ("ok", "")
    assert checked > 0
    assert bench.recorded == [*WRITE, *READ_A]


def test_a_stale_read_turns_the_light_red_with_evidence_and_it_stays_red() -> None:
    bench = Bench()
    bench.tell(*WRITE, *READ_NOTHING)
    bench.judges.pulse(LATER)
    state, evidence, _ = bench.light("linearizable")
    assert state == "violated"
    assert "k" in evidence
    bench.tell(_line(2, "invoke", "read", None, 50), _line(2, "ok", "read", "a", 60), now=LATER)
    bench.judges.pulse(2 * LATER)
    assert bench.light("linearizable")[0] == "violated"


def test_lines_are_judged_in_the_order_of_their_clock_and_not_of_their_sockets() -> None:
    """Law 2: the reader's socket was read first."""
    bench = Bench()
    bench.tell(*READ_A)
    bench.tell(*WRITE)
    bench.judges.pulse(LATER)
    assert bench.light("linearizable")[0] == "ok"


def test_nothing_is_judged_before_its_causes_may_have_arrived() -> None:
    bench = Bench()
    bench.tell(*READ_A, now=1_000)
    bench.judges.pulse(1_000 + 99_999)
    assert bench.light("linearizable")[2] == 0
    bench.tell(*WRITE, now=90_000)  # late, but in time
    bench.judges.pulse(1_000 + 100_000)
    bench.judges.pulse(LATER)
    assert bench.light("linearizable")[0] == "ok"
    assert bench.light("linearizable")[2] > 0


def test_more_than_can_be_held_is_unknown_and_never_a_false_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    """The write is dropped, the read that saw it is not: that proves nothing against the cluster."""
    monkeypatch.setattr(judges_module, "_LINES_MAX", 2)
    bench = Bench()
    bench.tell(*READ_A, *WRITE)
    bench.judges.pulse(LATER)
    assert bench.light("linearizable")[:2] == ("unknown", "more operations arrived than could be judged")
    bench.tell(_line(3, "invoke", "write", "b", 70), now=LATER)
    bench.judges.pulse(2 * LATER)
    assert bench.light("linearizable")[0] == "unknown"  # for the life of this cluster


def test_a_violation_found_before_the_flood_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    bench.tell(*WRITE, *READ_NOTHING)
    bench.judges.pulse(LATER)
    monkeypatch.setattr(judges_module, "_LINES_MAX", 0)
    bench.tell(*READ_A, now=LATER)
    bench.judges.pulse(2 * LATER)
    assert bench.light("linearizable")[0] == "violated"


def test_slots_are_judged_by_the_count_and_not_as_registers() -> None:
    bench = Bench()
    bench.tell(_line(1, "invoke", "write", "1", 10, "slot/x/0"), _line(1, "ok", "write", "1", 20, "slot/x/0"))
    bench.judges.pulse(LATER)
    assert bench.light("linearizable")[2] == 0


# ---- acknowledged writes ------------------------------------------------------------------------------------------


def _counted(acked: int, lost: int = 0, *, complete: bool = True) -> Counted:
    return Counted(1, acked, lost, ("slot/x/0: 4 was acknowledged, nothing is there",) if lost else (), complete)


def test_the_count_of_all_clients_together() -> None:
    bench = Bench()
    bench.judges.pulse(0)
    assert bench.light("acked") == ("ok", "not counted yet", 0)
    bench.judges.counted([_counted(40), _counted(2)], 5)
    assert bench.light("acked") == ("ok", "all 42 are there", 42)
    assert bench.all_of(AckedCounted) == [AckedCounted(5, 42, 0, ())]


def test_a_lost_write_turns_the_light_red_for_the_life_of_the_cluster() -> None:
    bench = Bench()
    bench.judges.counted([_counted(40), _counted(2, lost=1)], 5)
    state, evidence, _ = bench.light("acked")
    assert (state, evidence) == ("violated", "1 acknowledged writes are gone: slot/x/0: 4 was acknowledged, nothing is there")
    bench.judges.counted([_counted(90)], 6)
    bench.judges.counted([], 7)
    assert bench.light("acked")[0] == "violated"
    assert [counted.lost for counted in bench.all_of(AckedCounted)] == [1, 0]


@pytest.mark.parametrize("counts", [[], [_counted(40), _counted(2, complete=False)]])
def test_a_cluster_that_could_not_be_read_is_unknown_until_it_can(counts: list[Counted]) -> None:
    bench = Bench()
    bench.judges.counted(counts, 5)
    assert bench.light("acked")[:2] == ("unknown", "the cluster could not be read after the heal")
    assert bench.all_of(AckedCounted) == []
    bench.judges.counted([_counted(42)], 6)
    assert bench.light("acked")[:2] == ("ok", "all 42 are there")


def test_loss_seen_by_one_client_counts_even_if_another_could_not_look() -> None:
    bench = Bench()
    bench.judges.counted([_counted(40, lost=3), _counted(2, complete=False)], 5)
    assert bench.light("acked")[0] == "violated"


# ---- invariants ---------------------------------------------------------------------------------------------------


def test_two_votes_in_one_term_are_shown_at_once() -> None:
    bench = Bench()
    for candidate, at_us in (("n2", 5), ("n3", 6)):
        bench.judges.event(VoteGiven("n1", at_us, candidate, 4, False, True, ""))
    red = [event for event in bench.all_of(LightChanged) if event.state == "violated"]
    assert [event.at_us for event in red] == [6]
    assert "n1" in red[0].evidence


def test_two_leaders_of_one_term_are_shown_at_once() -> None:
    bench = Bench()
    bench.judges.event(role("n1", "leader", 3, 5))
    bench.judges.event(role("n2", "leader", 3, 9))
    assert [event.state for event in bench.all_of(LightChanged) if "3" in event.evidence] == ["violated"]


def test_lost_evidence_is_unknown() -> None:
    bench = Bench()
    bench.judges.event(TelemetryLost("n1", 5, 3))
    bench.judges.pulse(6)
    states = {event.light: event.state for event in bench.all_of(LightChanged)}
    assert "unknown" in states.values()
    assert states["linearizable"] == "ok"  # clients lost nothing


def test_after_a_reset_nothing_of_the_old_cluster_is_held_against_the_new_one() -> None:
    bench = Bench()
    bench.tell(*WRITE)
    bench.judges.counted([_counted(40, lost=3)], 5)
    bench.judges.event(role("n1", "leader", 3, 5))
    bench.judges.start_anew()
    bench.judges.event(role("n2", "leader", 3, 9))
    bench.tell(*READ_NOTHING)
    bench.judges.pulse(LATER)
    states = {event.light: event.state for event in bench.all_of(LightChanged)}
    assert set(states.values()) == {"ok"}
    assert bench.light("acked")[:2] == ("ok", "not counted yet")


def test_a_light_is_told_again_only_when_something_changed() -> None:
    bench = Bench()
    bench.judges.pulse(1)
    told = len(bench.published)
    bench.judges.pulse(2)
    assert len(bench.published) == told


# ---- counters -----------------------------------------------------------------------------------------------------


def test_operations_are_counted_by_how_they_ended() -> None:
    bench = Bench()
    bench.judges.rate = 40
    swap = HistoryLine(4, "fail", "cas", "k", ("a", "b"), 70, "n1", NOT_SWAPPED)
    bench.tell(*WRITE, *READ_A, _line(3, "info", "write", "c", 60), _line(3, "fail", "read", None, 65), swap)
    counted = bench.judges.ops(80)
    assert (counted.invoked, counted.ok, counted.failed, counted.unknown, counted.rate) == (2, 3, 1, 1, 40)


def test_latencies_are_of_the_last_interval() -> None:
    bench = Bench()
    bench.judges.history(History((), tuple(range(1, 101))), 0)
    counted = bench.judges.ops(1)
    assert (counted.p50_us, counted.p99_us) == (51, 100)
    assert (bench.judges.ops(2).p50_us, bench.judges.ops(2).p99_us) == (0, 0)


def test_latencies_are_bounded() -> None:
    bench = Bench()
    for _ in range(30):
        bench.judges.history(History((), (5,) * 1_000), 0)
    assert len(bench.judges._latencies) == 20_000


def _eras(bench: Bench, count: int) -> int:
    """`count` eras a minute and a half apart, each with a write of unknown outcome; the most keys that were held at once."""
    most = 0
    for number in range(count):
        at_us, key = number * 93_000_000, f"run/{number * 93}/k0"
        bench.tell(
            _line(number, "invoke", "write", "a", at_us, key),
            _line(number, "info", "write", "a", at_us + 10, key),
            _line(number + 1, "invoke", "read", None, at_us + 20, key),
            _line(number + 1, "ok", "read", "a", at_us + 30, key),
            now=at_us,
        )
        bench.judges.pulse(at_us + 1_000_000)
        most = max(most, bench.judges._checker.keys)
    return most


def test_keys_left_behind_are_forgotten_also_with_unknown_outcomes() -> None:
    """Law 4: over many eras no more keys are held than those of the last two."""
    bench = Bench()
    assert _eras(bench, 300) <= 2
    assert bench.light("linearizable")[0] == "ok"


def test_a_key_left_behind_is_judged_to_its_end_and_its_violation_stays() -> None:
    bench = Bench()
    key = "run/0/k0"
    bench.tell(
        *(
            _line(line.process, line.kind, line.f, line.value[0] if line.value else None, line.at_us, key)
            for line in (*WRITE, *READ_NOTHING)
        )
    )
    bench.judges.pulse(1_000_000)
    bench.judges.pulse(200_000_000)
    assert bench.judges._checker.keys == 0
    assert bench.light("linearizable")[0] == "violated"


def test_an_operation_on_a_forgotten_key_is_unknown_and_no_violation() -> None:
    bench = Bench()
    _eras(bench, 3)
    late = 400_000_000
    bench.tell(_line(9, "invoke", "read", None, late, "run/0/k0"), _line(9, "ok", "read", "a", late + 10, "run/0/k0"), now=late)
    bench.judges.pulse(late + 1_000_000)
    state, evidence, _ = bench.light("linearizable")
    assert (state, "left behind" in evidence) == ("unknown", True)
