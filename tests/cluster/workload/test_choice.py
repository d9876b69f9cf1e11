"""Choices: no value twice, one writer per slot, and hot keys left behind by a clock that all clients share."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.core.kv.ops import Cas, Get, Put
from cluster.core.types import SECOND
from cluster.telemetry.control import SLOT_PREFIX
from cluster.workload.choice import HOT_KEYS, OPERATIONS_PER_KEY, SLOTS, Chooser, Chosen, era

NOW = 1_000_000 * SECOND


def _chooser(client: str = "c1", incarnation: int = 0, secret: bytes = b"run", seed: int = 1) -> Chooser:
    return Chooser(client, incarnation, secret, 4, random.Random(seed))


def _many(chooser: Chooser, count: int = 3_000) -> list[Chosen]:
    chosen: list[Chosen] = []
    for number in range(count):
        one = chooser.next(NOW, 10.0)
        if isinstance(one.operation, Get):
            chooser.saw(one.operation.key, f"seen{number}")
        chosen.append(one)
    return chosen


def _values(chosen: list[Chosen]) -> list[str]:
    return [one.operation.value for one in chosen if isinstance(one.operation, Put | Cas)]


def test_no_value_is_ever_written_twice_by_anybody() -> None:
    hot = [
        one
        for client in ("c1", "c2")
        for incarnation in (0, 1)
        for one in _many(_chooser(client, incarnation))
        if one.slot < 0
    ]  # fmt: skip
    assert len(_values(hot)) == len(set(_values(hot)))


def test_every_kind_of_operation_is_chosen_in_its_share() -> None:
    chosen = _many(_chooser(), 10_000)
    shares = [
        sum(one.slot >= 0 for one in chosen) / len(chosen),
        sum(isinstance(one.operation, Cas) for one in chosen) / len(chosen),
        sum(isinstance(one.operation, Get) for one in chosen) / len(chosen),
    ]
    assert shares == pytest.approx([0.20, 0.10, 0.45], abs=0.02)  # four sigma of ten thousand draws


def test_a_swap_expects_what_was_read_last() -> None:
    chooser = _chooser()
    seen: dict[str, str] = {}
    for number in range(2_000):
        operation = chooser.next(NOW, 10.0).operation
        if isinstance(operation, Get):
            seen[operation.key] = f"v{number}"
            chooser.saw(operation.key, f"v{number}")
        elif isinstance(operation, Cas):
            assert operation.expect == seen[operation.key]


def test_a_key_that_does_not_exist_cannot_be_expected() -> None:
    chooser = _chooser()
    for _ in range(500):
        operation = chooser.next(NOW, 10.0).operation
        assert not isinstance(operation, Cas)
        if isinstance(operation, Get):
            chooser.saw(operation.key, None)


def test_slots_have_one_writer_and_their_numbers_rise() -> None:
    chooser = _chooser()
    written: dict[int, list[int]] = {}
    for one in _many(chooser, 60_000):
        if one.slot >= 0:
            assert isinstance(one.operation, Put)
            assert one.operation == Put(chooser.slot_key(one.slot), str(one.number))
            written.setdefault(one.slot, []).append(one.number)
    assert max(written) == SLOTS - 1
    assert any(len(numbers) > 1 for numbers in written.values())
    assert all(older < newer for numbers in written.values() for older, newer in pairwise(numbers))


def test_nobody_shares_a_slot_with_another_client_an_earlier_life_or_another_lab() -> None:
    prefixes = {
        _chooser(client, incarnation, secret).slot_prefix
        for client in ("c1", "c11") for incarnation in (0, 1) for secret in (b"run", b"other run")
    }  # fmt: skip
    assert len(prefixes) == 8
    assert all(prefix.startswith(SLOT_PREFIX) and prefix.endswith("/") for prefix in prefixes)
    assert not any(one != other and one.startswith(other) for one in prefixes for other in prefixes)


def test_the_memory_of_what_was_read_is_bounded() -> None:
    chooser = _chooser()
    for number in range(10_000):
        chooser.saw(f"k{number}", "v")
    assert len(chooser._seen) == 4 * HOT_KEYS


def test_clients_meet_on_the_same_few_keys() -> None:
    keys = [{one.operation.key for one in _many(_chooser(client, seed=seed)) if one.slot < 0} for client, seed in (("c1", 1), ("c2", 2))]
    assert keys[0] == keys[1]
    assert len(keys[0]) == HOT_KEYS


# ---- eras ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rate", "length_s"), [(0, 32), (10, 32), (40, 32), (63, 16), (100, 16), (500, 2), (1_000, 1), (100_000, 1)])
def test_an_era_lasts_until_its_keys_have_been_used_enough(rate: float, length_s: int) -> None:
    begins = {era(second * SECOND, rate) for second in range(1_024)}
    assert begins == set(range(0, 1_024, length_s))


@given(st.integers(0, 1 << 50), st.floats(0.1, 100_000))
def test_an_era_has_begun_and_is_not_over(now: int, rate: float) -> None:
    began = era(now, rate)
    assert 0 <= now - began * SECOND < 32 * SECOND
    assert era(began * SECOND, rate) == began
    assert (now - began * SECOND) / SECOND * rate <= max(32 * rate, 2 * HOT_KEYS * OPERATIONS_PER_KEY + rate)
