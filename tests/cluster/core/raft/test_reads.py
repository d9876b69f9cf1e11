"""Reads, rounds and what confirms them."""

from __future__ import annotations

from cluster.core.raft.reads import Reads
from cluster.core.raft.ready import ReadReady, ReadRefused


def test_a_round_answers_only_reads_that_were_there_when_it_began() -> None:
    reads = Reads()
    reads.ask(1)
    reads.bind(seq=5, commit=10)
    reads.ask(2)
    assert not reads.wants_broadcast()  # one round at a time: the next is shared by all that arrive meanwhile
    assert reads.confirm(4) == []
    assert reads.confirm(5) == [ReadReady(1, 10)]
    assert reads.wants_broadcast()
    reads.bind(seq=6, commit=12)
    assert reads.confirm(9) == [ReadReady(2, 12)]
    assert len(reads) == 0


def test_a_freeze_voids_open_rounds_but_loses_no_read() -> None:
    reads = Reads()
    reads.ask(1)
    reads.bind(5, 10)
    reads.ask(2)
    reads.unbind()
    assert reads.confirm(99) == []
    reads.bind(6, 11)
    assert reads.confirm(6) == [ReadReady(1, 11), ReadReady(2, 11)]


def test_a_leader_that_leads_no_more_refuses_all_of_them_once() -> None:
    reads = Reads()
    reads.ask(1)
    reads.bind(5, 10)
    reads.ask(2)
    assert reads.refuse("gone") == [ReadRefused(1, "gone"), ReadRefused(2, "gone")]
    assert reads.refuse("gone") == []
    assert reads.confirm(5) == []
