"""The log against a plain list of terms."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cluster.core.errors import LawBroken
from cluster.core.raft.log import Log
from cluster.core.raft.messages import Entry
from cluster.core.types import APPEND_BYTES_MAX, APPEND_ENTRIES_MAX


def entries(*terms: int) -> list[Entry]:
    return [Entry(term, 1, b"") for term in terms]


# Logs as they come about: batches of one or more terms, never falling, and cuts.
BATCHES = st.lists(st.lists(st.integers(0, 1), max_size=4), max_size=8)
CUTS = st.lists(st.integers(1, 12), max_size=8)


@settings(max_examples=150, deadline=None)
@given(BATCHES, CUTS, st.integers(1, 5))
def test_runs_and_terms_follow_a_plain_list(batches: list[list[int]], cuts: list[int], first: int) -> None:
    log, model = Log(first_index=first, base_term=1), list[int]()
    for number, steps in enumerate(batches):
        term = model[-1] if model else 1
        batch = [term := term + step for step in steps]
        log.append(entries(*batch))
        model += batch
        if number < len(cuts) and cuts[number] <= len(model):
            log.truncate(first + cuts[number] - 1)
            del model[cuts[number] - 1 :]
    assert log.last_index == first + len(model) - 1
    assert log.last_term == (model[-1] if model else 1)
    assert [log.term_at(first + i) for i in range(len(model))] == model
    starts = [(first + i, term) for i, term in enumerate(model) if i == 0 or model[i - 1] != term]
    assert list(log.runs(100)) == starts
    assert log.runs(2) == tuple(starts[-2:])
    for term in range(1, 12):
        held = [first + i for i, each in enumerate(model) if each == term]
        assert log.last_of_term(term) == (held[-1] if held else 0)


def test_the_consistency_check_accepts_only_the_same_term_at_the_same_place() -> None:
    log = Log(entries(1, 1, 3))
    assert [log.holds(index, 1) for index in range(5)] == [False, True, True, False, False]
    assert log.holds(0, 0)
    assert log.holds(3, 3)


def test_a_refusal_names_the_first_index_of_the_conflicting_term_or_the_end() -> None:
    log = Log(entries(1, 1, 4, 4, 4, 5))
    assert log.conflict_hint(5) == (3, 4)
    assert log.conflict_hint(2) == (1, 1)
    assert log.conflict_hint(9) == (7, 0)


def test_only_a_real_conflict_is_one() -> None:
    log = Log(entries(1, 1, 2))
    assert log.first_conflict(1, entries(1, 2)) == 2  # all held
    assert log.first_conflict(1, entries(1, 2, 2)) == 2  # the third is missing
    assert log.first_conflict(1, entries(1, 3)) == 1
    assert log.first_conflict(3, entries(3)) == 0
    assert log.first_conflict(0, []) == 0


def test_which_log_is_newer() -> None:
    log = Log(entries(1, 2, 2))
    assert log.newer_than(9, 1)  # §5.4.1: the later last term wins, however long the other is
    assert log.newer_than(2, 2)
    assert not log.newer_than(3, 2)
    assert not log.newer_than(1, 3)


def test_one_message_carries_no_more_than_the_limits_but_always_something() -> None:
    log = Log(entries(*[1] * (APPEND_ENTRIES_MAX + 5)))
    assert len(log.sendable(1)) == APPEND_ENTRIES_MAX
    assert len(log.sendable(APPEND_ENTRIES_MAX + 1)) == 5
    assert log.sendable(APPEND_ENTRIES_MAX + 6) == ()
    third = Entry(1, 1, b"x" * (APPEND_BYTES_MAX // 3))
    assert len(Log([third] * 5).sendable(1)) == 3
    huge = Entry(1, 1, b"x" * (APPEND_BYTES_MAX + 1))
    assert len(Log([huge] * 2).sendable(1)) == 1


def test_a_cut_outside_the_log_is_refused() -> None:
    log = Log(entries(1, 1))
    for index in (0, 3):
        with pytest.raises(LawBroken):
            log.truncate(index)
    with pytest.raises(LawBroken):
        log.term_at(3)
