"""Which messages wait for which write."""

from __future__ import annotations

from cluster.core.raft.mailbox import HELD_MAX, Mailbox
from cluster.core.raft.messages import HardState, TimeoutNow

HARD = HardState(2, "n1")


def box(durable: int = 5) -> Mailbox:
    return Mailbox(HardState(), durable)


def test_nothing_waits_while_nothing_is_being_written() -> None:
    assert box().awaited(5) == 0


def test_a_message_waits_for_term_and_vote_and_for_the_entries_it_promises() -> None:
    mailbox = box()
    hard = mailbox.post(HARD, covers=5, now=0)
    entries = mailbox.post(None, covers=8, now=0)
    later = mailbox.post(None, covers=9, now=0)
    assert mailbox.awaited(0) == hard
    assert mailbox.awaited(5) == hard
    assert mailbox.awaited(7) == entries
    assert mailbox.awaited(9) == later
    assert mailbox.handed_out == HARD


def test_one_token_stands_for_all_before_it() -> None:
    mailbox = box()
    for covers in (6, 7, 8):
        mailbox.post(None, covers, now=covers)
    mailbox.hold(2, "n2", TimeoutNow(1))
    mailbox.hold(3, "n2", TimeoutNow(2))
    mailbox.hold(1, "n3", TimeoutNow(3))
    assert [(held.to, held.message.term) for held in mailbox.done(2)] == [("n2", 1), ("n3", 3)]
    assert mailbox.durable_index == 7
    assert mailbox.oldest_us() == 8
    assert [held.message.term for held in mailbox.done(3)] == [2]
    assert mailbox.oldest_us() is None


def test_writes_of_what_was_cut_off_stand_for_less() -> None:
    mailbox = box()
    old = mailbox.post(None, covers=9, now=0)
    mailbox.truncated(4)
    new = mailbox.post(None, covers=6, now=0)
    assert mailbox.durable_index == 3
    mailbox.done(old)
    assert mailbox.durable_index == 3
    mailbox.done(new)
    assert mailbox.durable_index == 6


def test_a_hung_disk_stalls_by_its_oldest_write_and_collects_a_bounded_number_of_messages() -> None:
    mailbox = box()
    mailbox.post(None, 6, now=100)
    mailbox.post(None, 7, now=500)
    assert not mailbox.stalled(699, 600)
    assert mailbox.stalled(700, 600)
    for term in range(HELD_MAX + 10):
        mailbox.hold(1, "n2", TimeoutNow(term))
    assert len(mailbox.done(1)) == HELD_MAX
