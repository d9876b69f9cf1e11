"""The first decision stands, whoever looks, whatever they wanted, and whatever became of the answer."""

from __future__ import annotations

import asyncio
from pathlib import Path

from scenarios.kit.decisions import LocalDecisions, ReplicatedDecisions
from tests.scenarios.kit.memory_kv import MemoryKv


async def test_a_file_keeps_the_first_decision_over_its_owners_death(tmp_path: Path) -> None:
    path = tmp_path / "c1.decisions"
    first = LocalDecisions(path)
    assert await first.decide("t1", "commit") == "commit"
    assert await first.decide("t1", "abort") == "commit"
    with path.open("ab") as file:
        file.write(b'{"txn":"t2","outc')  # killed in the middle of a line
    second = LocalDecisions(path)
    assert await second.decide("t1", "abort") == "commit"
    assert await second.decide("t2", "abort") == "abort"
    assert await LocalDecisions(path).decide("t2", "commit") == "abort"


async def test_of_two_coordinators_one_is_the_first_and_both_learn_which() -> None:
    kv = MemoryKv()
    old, new = ReplicatedDecisions(kv, "run:"), ReplicatedDecisions(kv, "run:")
    assert await new.decide("t1", "abort") == "abort"
    assert await old.decide("t1", "commit") == "abort"
    assert set(await asyncio.gather(old.decide("t2", "commit"), new.decide("t2", "abort"))) in ({"commit"}, {"abort"})
    assert await ReplicatedDecisions(kv, "other:").decide("t1", "commit") == "commit"


async def test_a_lost_answer_is_asked_for_again() -> None:
    kv = MemoryKv()
    kv.lost_answers = 2
    assert await ReplicatedDecisions(kv, "").decide("t1", "commit") == "commit"
