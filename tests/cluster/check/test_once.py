"""Extra, missing and strange effects are told apart."""

from __future__ import annotations

import hypothesis
import hypothesis.strategies as st

from cluster.check.once import exactly_once, repeats

KEYS = st.sampled_from("abcdef")


@hypothesis.given(st.sets(KEYS), st.lists(KEYS))
def test_every_effect_is_accounted_for(wanted: set[str], effects: list[str]) -> None:
    count = exactly_once(sorted(wanted), effects)
    assert len(effects) == len(wanted) - len(count.missing) + len(count.strange) + sum(count.extra.values())
    assert not set(count.missing) & set(effects)
    assert not set(count.strange) & wanted


def test_an_example() -> None:
    count = exactly_once(["a", "b"], ["a", "a", "a", "z"])
    assert (count.extra, count.missing, count.strange) == ({"a": 2}, ("b",), ("z",))


def test_each_beyond_the_first_comes_behind_the_first() -> None:
    effects = [("a", 1), ("b", 2), ("a", 3), ("a", 4)]
    assert list(repeats(effects, lambda effect: effect[0])) == [(("a", 1), ("a", 3)), (("a", 1), ("a", 4))]


@hypothesis.given(st.lists(st.tuples(KEYS, st.integers())))
def test_as_many_as_are_counted_extra(effects: list[tuple[str, int]]) -> None:
    extra = exactly_once([], (key for key, _ in effects)).extra
    assert len(list(repeats(effects, lambda effect: effect[0]))) == sum(extra.values())
