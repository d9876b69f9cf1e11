"""Dice that fall alike everywhere: these numbers must be the same on every machine and Python."""

from __future__ import annotations

from cluster.sim.dice import SeededDice


def test_the_first_throws_of_a_known_stream() -> None:
    dice = SeededDice(7, "known", 1)
    assert [dice.randrange(1_000_000) for _ in range(5)] == [383127, 159132, 437016, 567496, 158914]
    assert [dice.tailed_us(1_000) for _ in range(5)] == [71, 403, 1252, 820, 499]
    assert dice.sample(["n1", "n2", "n3", "n4", "n5"], 3) == ["n3", "n5", "n2"]


def test_streams_differ_by_seed_and_by_name() -> None:
    streams = [SeededDice(1, "a"), SeededDice(2, "a"), SeededDice(1, "b"), SeededDice(1, "a", 0)]
    assert len({dice.random() for dice in streams}) == 4


def test_bounds_are_kept() -> None:
    dice = SeededDice(1, "bounds")
    assert {dice.randrange(3) for _ in range(200)} == {0, 1, 2}
    assert {dice.between(2, 4) for _ in range(200)} == {2, 3, 4}
    assert sorted(dice.sample(["n1", "n2", "n3"], 3)) == ["n1", "n2", "n3"]


def test_tails_are_long_and_their_middle_is_typical() -> None:
    dice = SeededDice(1, "tail")
    waits = sorted(dice.tailed_us(1_000) for _ in range(2_001))
    assert 900 < waits[1_000] < 1_100
    assert 10_000 < waits[-1] <= 100_000
    assert waits[0] > 0
