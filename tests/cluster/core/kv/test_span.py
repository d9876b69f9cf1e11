"""Ranges of keys, against the definition of a prefix and of an order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cluster.core.kv import span

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=4) | st.text("a\ud7ff\ue000\U0010ffff\0", max_size=4)


@given(TEXTS, TEXTS)
def test_a_prefix_range_holds_exactly_what_begins_with_the_prefix(prefix: str, key: str) -> None:
    assert span.holds(*span.of_prefix(prefix), key) is key.startswith(prefix)
    assert span.holds(*span.of_prefix(prefix), prefix + key)


@given(TEXTS, TEXTS)
def test_a_key_range_holds_only_the_key(key: str, other: str) -> None:
    assert span.holds(*span.of_key(key), key)
    assert span.holds(*span.of_key(key), other) is (other == key)


@given(st.lists(TEXTS, unique=True), TEXTS, st.none() | TEXTS)
def test_a_slice_is_what_the_range_holds(keys: list[str], first: str, end: str | None) -> None:
    ordered = sorted(keys)
    start, stop = span.slice_of(ordered, first, end)
    assert ordered[start:stop] == [key for key in ordered if span.holds(first, end, key)]


@given(TEXTS, TEXTS)
def test_keys_go_in_the_order_of_their_bytes(one: str, other: str) -> None:
    assert (one < other) is (one.encode() < other.encode())
