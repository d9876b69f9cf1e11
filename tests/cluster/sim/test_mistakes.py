"""Every mistake that can be chosen is found, near the seed that is known to find it; the shrunk repro is found again."""

from __future__ import annotations

import msgspec
import pytest

from cluster.commands.toggles import mistakes
from cluster.core.types import MS
from cluster.sim.repro import read, replay, repro_of, written
from cluster.sim.run import run
from cluster.sim.setup import Setup
from cluster.sweep import sweep

# Where each mistake is quickly found: the first seed is known to find it. When the core changes, so do its runs: the seeds after it
# are tried then, and the known one wants to be written anew.
HUNTS: dict[str, Setup] = {
    "pre_vote": Setup(seed=0, faults=()),
    "check_quorum": Setup(seed=0, steps=8_000, faults=("cut",)),
    "forget_vote_on_restart": Setup(seed=0, faults=("crash",)),
    "ack_before_fsync": Setup(seed=0, steps=5_000, faults=("crash", "disk")),
    "commit_old_terms_by_counting": Setup(seed=43, steps=17_000, faults=("cut",), think_us=400 * MS),
    "serve_reads_locally": Setup(seed=6, steps=5_000, faults=("cut", "pause")),
    "append_without_prev_check": Setup(seed=0, faults=("loss", "reorder")),
    "credit_acks_to_wrong_follower": Setup(seed=0, steps=3_000, faults=("crash", "cut")),
    "apply_before_commit": Setup(seed=0, faults=()),
    "lease_outlives_election": Setup(seed=13, steps=6_000, faults=("slow",)),
    "overlapping_changes": Setup(seed=0, steps=5_000, faults=("group",)),
    "retry_without_session": Setup(seed=0, steps=5_000, faults=("crash", "cut")),
}
# The property that each breaks. Some break several; whichever is seen first.
BREAKS: dict[str, set[str]] = {
    "pre_vote": {"terms begin with leave"},
    "check_quorum": {"leaders are heard"},
    "forget_vote_on_restart": {"one vote per term", "election safety"},
    "ack_before_fsync": {"leader completeness", "state-machine safety", "reads are fresh"},
    "commit_old_terms_by_counting": {"leader completeness", "state-machine safety", "committed entries stay"},
    "serve_reads_locally": {"reads are fresh", "linearizable"},
    "append_without_prev_check": {"log matching", "state-machine safety", "leader completeness"},
    "credit_acks_to_wrong_follower": {"leader completeness", "state-machine safety", "committed entries stay", "reads are fresh"},
    "apply_before_commit": {"applied ≤ commit ≤ last"},
    "lease_outlives_election": {"reads are fresh", "linearizable"},
    "overlapping_changes": {"quorums overlap"},
    "retry_without_session": {"linearizable", "reads are fresh"},
}
TRIES = 120


def test_there_is_a_hunt_for_every_mistake() -> None:
    assert set(HUNTS) == set(BREAKS) == set(mistakes())


@pytest.mark.timeout(300)
@pytest.mark.parametrize("mistake", HUNTS)
def test_a_mistake_is_found_shrunk_and_found_again(mistake: str) -> None:
    hunt = msgspec.structs.replace(HUNTS[mistake], mistakes=(mistake,))
    (failure,) = sweep(hunt, hunt.seed, hunt.seed + TRIES, stop_after=1, shrink_runs=12).failures
    found, smallest = failure.outcome, failure.smallest
    assert found.violation is not None
    assert smallest.violation is not None
    assert found.violation.light == smallest.violation.light
    assert found.violation.light in BREAKS[mistake]
    assert (len(smallest.schedule), smallest.at_step) <= (len(found.schedule), found.at_step)
    outcome, same = replay(read(written(repro_of(smallest)), "repro"))
    assert same
    assert outcome.violation == smallest.violation


@pytest.mark.parametrize("mistake", HUNTS)
def test_without_the_mistake_the_same_seed_is_good(mistake: str) -> None:
    assert run(HUNTS[mistake]).violation is None


def test_a_lease_is_over_before_a_successor_writes() -> None:
    hunt = HUNTS["lease_outlives_election"]
    assert sweep(hunt, 0, 60).verdict == "good"


@pytest.mark.slow
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("mistake", HUNTS)
def test_every_mistake_is_found_within_two_thousand_seeds(mistake: str) -> None:
    assert sweep(Setup(seed=0, mistakes=(mistake,)), 0, 1_999, stop_after=1, shrink_runs=0).violating == 1


@pytest.mark.slow
@pytest.mark.timeout(3_600)
def test_two_thousand_seeds_keep_every_law() -> None:
    totals = sweep(Setup(seed=0), 0, 1_999)
    assert totals.verdict == "good"
    assert totals.exercised.truncations > 0
