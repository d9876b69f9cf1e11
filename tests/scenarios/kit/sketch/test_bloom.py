"""Nothing that was added is ever missed, and the error is what the formula says, for fixed keys under a fixed hash."""

from __future__ import annotations

import hypothesis
import hypothesis.strategies as st
import pytest

from scenarios.kit.sketch.bloom import Bloom, ScalableBloom, Seen, Shape, error_of, positions, shape_for

ITEMS = st.lists(st.text(max_size=20), max_size=60)
SMALL = st.builds(Shape, st.integers(1, 400), st.integers(1, 9))


@pytest.mark.parametrize(
    ("expected", "error_rate", "bits", "hashes"),
    [(4_000, 0.01, 38_341, 7), (6_000, 0.01, 57_511, 7), (12_000, 0.01, 115_021, 7), (1, 0.5, 2, 1)],
)
def test_the_size_that_the_formula_asks_for(expected: int, error_rate: float, bits: int, hashes: int) -> None:
    assert shape_for(expected, error_rate) == Shape(bits, hashes)


def test_bits_are_the_same_in_every_process_and_for_ever() -> None:
    # Written down once: another hash, byte order or salt would be another filter, and all figures of the incident would move.
    assert positions("https://site.example/00000", Shape(38_341, 7)) == [3992, 22902, 3471, 22381, 2950, 21860, 2429]


@hypothesis.given(SMALL, ITEMS)
def test_what_was_added_is_found_however_full_it_is(shape: Shape, items: list[str]) -> None:
    bloom = Bloom(shape)
    for i, item in enumerate(items):
        was_there = item in bloom
        assert bloom.add(item) is not was_there
        assert all(earlier in bloom for earlier in items[: i + 1])


@hypothesis.given(SMALL, ITEMS)
def test_order_does_not_matter_and_adding_again_changes_nothing(shape: Shape, items: list[str]) -> None:
    first, second = Bloom(shape), Bloom(shape)
    for item in items:
        first.add(item)
    for item in reversed(items + items):
        second.add(item)
    assert first.fill == second.fill
    assert not any(first.add(item) for item in items)


@hypothesis.given(ITEMS)
def test_a_growing_filter_forgets_nothing_either(items: list[str]) -> None:
    scalable = ScalableBloom(3, 0.1)
    for item in items:
        scalable.add(item)
    assert all(item in scalable for item in items)


def wrong_rate(seen: Seen, asked: int = 20_000) -> float:
    """Share of items never added that it claims to know."""
    return sum(f"never {i}" in seen for i in range(asked)) / asked


@pytest.mark.parametrize("items", [1_000, 2_000, 4_000, 6_000, 8_000])
def test_the_error_is_the_formulas_below_at_and_beyond_its_size(items: int) -> None:
    bloom = Bloom(shape_for(4_000, 0.01))
    for i in range(items):
        bloom.add(f"item {i}")
    formula = error_of(bloom.shape, items)
    # 20 000 questions answer to about 4 standard deviations; keys and hash are fixed, so this is the same number every time.
    tolerance = 4 * (formula * (1 - formula) / 20_000) ** 0.5 + 0.05 * formula
    assert abs(wrong_rate(bloom) - formula) < tolerance
    assert abs(bloom.error - formula) < 0.05 * formula + 1e-4


def test_a_growing_filter_keeps_its_error_where_a_fixed_one_does_not() -> None:
    fixed, scalable = Bloom(shape_for(1_000, 0.01)), ScalableBloom(1_000, 0.01)
    for i in range(8_000):
        fixed.add(f"item {i}")
        scalable.add(f"item {i}")
    assert wrong_rate(fixed) > 0.9
    assert wrong_rate(scalable) < 0.01
    assert scalable.error < 0.01
    assert scalable.bits > 8 * fixed.bits
