"""Amounts: what is written is read back unchanged, and what is no amount is None."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.commands import quantities as q

_FAR = 10**15


@given(st.integers(-_FAR, _FAR))
def test_durations(duration_us: int) -> None:
    assert q.read_duration(q.write_duration(duration_us)) == duration_us


@given(st.floats(0, 1))
def test_shares(chance: float) -> None:
    assert q.read_percent(q.write_percent(chance)) == chance


@given(st.integers(1, _FAR))
def test_rates(bytes_per_s: int) -> None:
    assert q.read_rate(q.write_rate(bytes_per_s)) == bytes_per_s


@given(st.floats(0, 1e17))
def test_numbers(value: float) -> None:
    assert q.read_number(q.write_number(value)) == value


@pytest.mark.parametrize(
    ("text", "us"),
    [
        ("2s", 2_000_000), ("80ms", 80_000), ("1.5s", 1_500_000), (".5s", 500_000), ("250us", 250), ("250µs", 250),
        ("2min", 120_000_000), ("2m", 120_000_000), ("1h", 3_600_000_000), ("+1s", 1_000_000), ("-1s", -1_000_000),
        ("0.4us", 0), ("999999999999999999h", 999_999_999_999_999_999 * 3_600_000_000),
    ],
)  # fmt: skip
def test_a_duration_in_words(text: str, us: int) -> None:
    assert q.read_duration(text) == us


@pytest.mark.parametrize("text", ["", "2", "s", "2 s", "2S", "--2s", "1e3s", "2.s", "1_0s", "٣s", "2s\n", "9" * 19 + "s", "nan", "infs"])
def test_what_is_no_duration(text: str) -> None:
    assert q.read_duration(text) is None


@pytest.mark.parametrize("text", ["", "20", "%", "-1%", "100.1%", "1e1%", "nan%", "9" * 400 + "%"])
def test_what_is_no_share(text: str) -> None:
    assert q.read_percent(text) is None


@pytest.mark.parametrize("text", ["", "64", "kB/s", "-1kB/s", "64kB/h", "9" * 400 + "MB/s"])
def test_what_is_no_rate(text: str) -> None:
    assert q.read_rate(text) is None


@pytest.mark.parametrize("text", ["", "-1", "+1", "1e3", "inf", "nan", "1_0", "9" * 400])
def test_what_is_no_number(text: str) -> None:
    assert q.read_number(text) is None


@pytest.mark.parametrize(
    ("us", "text"),
    [(0, "0us"), (1, "1us"), (1_000, "1ms"), (1_500, "1.5ms"), (999_999, "999.999ms"), (1_000_500, "1000.5ms"), (90_000_000, "90s")],
)
def test_a_duration_is_written_shortly(us: int, text: str) -> None:
    assert q.write_duration(us) == text
