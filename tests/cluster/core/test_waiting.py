"""Who hears which reply, however runs of proposals and what is applied overlap."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cluster.core.kv.ops import Reply
from cluster.core.waiting import SKIPPED, Proposals


def reply(index: int) -> Reply:
    return Reply("ok", None, index)


def test_a_run_that_is_applied_whole_is_answered_in_order() -> None:
    proposals = Proposals()
    proposals.add(4, (70, 71))
    assert list(proposals.settle(4, [reply(4), reply(5)])) == [(70, reply(4)), (71, reply(5))]
    assert len(proposals) == 0


def test_entries_that_nobody_waits_for_are_nobodys() -> None:
    proposals = Proposals()
    proposals.add(4, (70,))
    assert list(proposals.settle(2, [reply(2), reply(3)])) == []
    assert len(proposals) == 1


def test_what_was_applied_over_is_skipped() -> None:
    proposals = Proposals()
    proposals.add(4, (70, 71))
    assert list(proposals.settle(5, [reply(5)])) == [(70, SKIPPED), (71, reply(5))]


def test_the_end_of_a_reign_is_heard_by_all_who_wait() -> None:
    proposals = Proposals()
    proposals.add(4, (70, 71))
    proposals.add(9, (72,))
    assert proposals.forsake() == [70, 71, 72]
    assert len(proposals) == 0


@given(runs=st.lists(st.integers(1, 5), max_size=6), cuts=st.lists(st.integers(1, 7), min_size=12, max_size=12))
def test_however_it_is_cut_each_token_hears_the_reply_of_its_entry(runs: list[int], cuts: list[int]) -> None:
    proposals, first = Proposals(), 1
    for run in runs:
        proposals.add(first, tuple(100 + index for index in range(first, first + run)))
        first += run
    heard, at = [], 1
    for cut in cuts:
        heard += proposals.settle(at, [reply(index) for index in range(at, at + cut)])
        at += cut
        assert len(heard) + len(proposals) == first - 1
    assert heard == [(100 + index, reply(index)) for index in range(1, min(first, at))]
