from __future__ import annotations

from statistics import median

import pytest

from cluster.core.types import MS
from tui.bench import simulated_failover as sf


@pytest.mark.parametrize("loss", ["crash", "pause"])
def test_a_lost_leader_is_replaced_after_about_one_timeout(loss: str) -> None:
    took = [sf.failover_us(loss, (150, 300), seed, 5) for seed in range(8)]
    assert all(90 * MS < each < 1_000 * MS for each in took), "not before the followers' patience is out, less a heartbeat"
    assert took == [sf.failover_us(loss, (150, 300), seed, 5) for seed in range(8)], "a seed is a seed"


def test_without_width_candidates_collide_and_with_it_they_do_not() -> None:
    narrow, wide = (median(sf.failover_us("crash", width, seed, 5) for seed in range(12)) for width in ((150, 150), (150, 300)))
    assert narrow > wide


def test_a_small_group_is_looked_at_before_it_has_its_next_leader() -> None:
    took = [sf.failover_us("pause", (150, 300), seed, 3) for seed in (9, 11, 18)]
    assert all(90 * MS < each < 1_000 * MS for each in took)
