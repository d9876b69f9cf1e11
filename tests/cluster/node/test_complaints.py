"""Every case counted, one line a second."""

from __future__ import annotations

from cluster.core.types import SECOND
from cluster.node.complaints import Complaints


def test_a_flood_is_one_line_and_a_number() -> None:
    told: list[str] = []
    now = [0]
    complaints = Complaints(told.append, lambda: now[0])
    for _ in range(100):
        complaints.add("garbage", "garbage on the port")
    assert told == ["garbage on the port"]
    assert complaints.counts["garbage"] == 100
    now[0] = SECOND
    complaints.add("refused", "wrong secret")
    assert told[1:] == ["wrong secret (and 99 more)"]
    now[0] = 2 * SECOND
    complaints.add("refused", "wrong secret")
    assert told[2:] == ["wrong secret"]


def test_a_line_is_bounded() -> None:
    told: list[str] = []
    Complaints(told.append, lambda: 0).add("garbage", "x" * 10_000)
    assert len(told[0]) <= 300
