from __future__ import annotations

from cluster.core.types import MS
from cluster.telemetry.events import FaultBegan, RoleTaken
from tui.bench.kinds import failover


def began(at_us: int) -> FaultBegan:
    return FaultBegan(at_us, 1, "crash", "crash n1", "crash leader", ("n1",), 0, "bench")


def role(node: str, at_us: int, name: str, term: int) -> RoleTaken:
    return RoleTaken(node, at_us, name, term, node, "")


def test_the_stopwatch_runs_from_the_fault_to_the_first_leader_of_a_higher_term() -> None:
    watch = failover._Stopwatch(term=3)
    for event in (role("n9", 5, "leader", 4), began(1_000), role("n2", 1_100, "candidate", 5), role("n1", 1_150, "leader", 4)):
        watch.hears(event)
    assert watch.took_us is None, "a leader before the fault, a candidate, and a leader of a term known already do not count"
    watch.hears(role("n3", 1_200, "leader", 5))
    watch.hears(role("n4", 9_000, "leader", 6))
    assert watch.took_us == 200


def test_quantiles_are_values_that_were_measured() -> None:
    assert [failover.at([1.0, 2.0, 3.0, 4.0], share) for share in (0.0, 0.25, 0.5, 0.75, 0.99, 1.0)] == [1.0, 1.0, 2.0, 3.0, 4.0, 4.0]


def test_the_chart_ends_with_everybody() -> None:
    lines = list(failover._chart([100.0, 150.0, 300.0]))
    assert lines[-1].endswith("100%")
    assert "300 ms" in lines[-1]


def test_the_target_is_the_median_over_the_smallest_timeout() -> None:
    report = failover._report(5, "demo", {"crash": [150 * MS, 180 * MS, 300 * MS], "pause": [200 * MS]})
    assert (report.targets[0].measured, report.targets[0].met) == (1.2, True)
    assert report.document["trials_ms"]["crash"] == [150.0, 180.0, 300.0]
