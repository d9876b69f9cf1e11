"""What no transcript can say: strangers, broken laws, deadlines, shared messages."""

from __future__ import annotations

import random

import pytest

from cluster.core.errors import LawBroken
from cluster.core.policy import RaftPolicy
from cluster.core.raft.machine import APPLY_MAX, NEVER, Raft
from cluster.core.raft.membership import Membership
from cluster.core.raft.messages import Append, Appended, Entry, HardState, RaftMessage, RequestVote, Snapshot, Vote
from cluster.core.raft.ready import (
    AskRead,
    Persist,
    Persisted,
    Propose,
    RaftInput,
    ReadReady,
    Ready,
    Received,
    Tick,
)
from cluster.core.raft.roles import ROLES, Turn, turned
from cluster.core.types import APPEND_ENTRIES_MAX, MS, Micros, Role

VOTERS = ("n1", "n2", "n3")
CORRECT = RaftPolicy()


def raft(policy: RaftPolicy = CORRECT, term: int = 0, entries: int = 0, voters: tuple[str, ...] = VOTERS) -> Raft:
    log = tuple(Entry(1, 1, b"") for _ in range(entries))
    return Raft("n1", voters, policy, random.Random(1), hard=HardState(term), entries=log)


def step(machine: Raft, input: RaftInput, now: Micros = 0) -> list[Ready]:
    """One input on an instant disk: what it causes, and what durability then causes."""
    made = [machine.step(input, now)]
    while isinstance(persist := made[-1].persist, Persist):
        made.append(machine.step(Persisted(persist.token), now))
    return made


def hear(machine: Raft, sender: str, message: RaftMessage, now: Micros = 0) -> list[Ready]:
    return step(machine, Received(sender, message), now)


def leader(voters: tuple[str, ...] = VOTERS) -> Raft:
    machine = raft(RaftPolicy(pre_vote=False), voters=voters)
    step(machine, Tick())
    step(machine, Tick(), machine.deadline())
    hear(machine, "n2", Vote(1, True), machine.deadline())
    assert machine.role is Role.LEADER
    return machine


def test_strangers_and_echoes_are_not_counted() -> None:
    machine = raft(RaftPolicy(pre_vote=False))
    step(machine, Tick())
    step(machine, Tick(), machine.deadline())
    for sender in ("n9", "n1"):
        hear(machine, sender, Vote(1, True))
    assert (machine.role, machine.term) == (Role.CANDIDATE, 1)


def test_a_node_without_a_vote_waits_for_a_leader_and_follows_whoever_is_one() -> None:
    machine = raft(voters=("n2", "n3"))
    step(machine, Tick())
    assert machine.deadline() == NEVER
    assert step(machine, Tick(), 60_000 * MS) == [Ready()]
    # It has never heard of n9: the configuration that names it may be in the very entries that come (dissertation §4.1).
    (answer,) = hear(machine, "n9", Append(7, 0, 0, (), 0, 1))[-1].sends
    assert answer == ("n9", Appended(7, True, 0, 0, 0, 1))
    assert (machine.leader, machine.term) == ("n9", 7)


def test_a_log_must_meet_its_snapshot() -> None:
    snapshot = Snapshot(7, 1, Membership(VOTERS), b"")
    with pytest.raises(ValueError, match=r"the log 1\.\.0 does not meet the snapshot of 7"):
        Raft("n1", VOTERS, CORRECT, random.Random(1), snapshot=snapshot)
    with pytest.raises(ValueError, match=r"the log 9\.\.8 does not meet the snapshot of 7"):
        Raft("n1", VOTERS, CORRECT, random.Random(1), snapshot=snapshot, base=(8, 1))


def test_two_leaders_of_one_term_are_a_broken_law() -> None:
    with pytest.raises(LawBroken, match="election safety"):
        hear(leader(), "n2", Append(1, 0, 0, (), 0, 1))
    machine = raft()
    hear(machine, "n2", Append(1, 0, 0, (), 0, 1))
    with pytest.raises(LawBroken, match="election safety"):
        hear(machine, "n3", Append(1, 0, 0, (), 0, 1))


def test_a_committed_entry_is_never_cut() -> None:
    machine = raft(term=1, entries=3)
    hear(machine, "n2", Append(1, 3, 1, (), 3, 1))
    assert machine.commit == 3
    with pytest.raises(LawBroken, match="committed entries stay"):
        hear(machine, "n3", Append(2, 1, 1, (Entry(2, 1, b""),), 0, 1))
    with pytest.raises(LawBroken, match="leader completeness"):
        hear(machine, "n3", Append(2, 2, 2, (), 0, 1))


def test_a_follower_commits_no_further_than_what_the_message_proved() -> None:
    machine = raft(term=1, entries=3)  # its third entry may not be the leader's
    hear(machine, "n2", Append(2, 2, 1, (), commit=9, seq=1))
    assert machine.commit == 2


def test_a_heartbeat_is_answered_with_what_is_durable() -> None:
    machine = raft(term=1)
    entry = Entry(1, 1, b"")
    ready = machine.step(Received("n2", Append(1, 0, 0, (entry,), 0, 1)), 0)
    assert not ready.sends
    ready = machine.step(Received("n2", Append(1, 1, 1, (), 0, 2)), 0)
    assert ready.sends == [("n2", Appended(1, True, 0, 0, 0, 2))]
    ready = machine.step(Persisted(1), 0)
    assert ready.sends == [("n2", Appended(1, True, 1, 0, 0, 1))]


def test_followers_at_one_position_share_one_message_object() -> None:
    machine = leader(tuple(f"n{number}" for number in range(1, 4)))
    for peer in ("n2", "n3"):
        hear(machine, peer, Appended(1, True, 1, 0, 0, 1))
    ready = machine.step(Propose((b"a", b"b")), 0)
    (_, first), (_, second) = ready.sends
    assert first is second
    assert ready.accepted == (2, 1)


def test_a_leader_is_due_at_its_heartbeat_and_a_follower_at_its_election() -> None:
    machine = raft()
    assert machine.deadline() == 0  # it has not heard the time yet
    step(machine, Tick(), 1_000 * MS)
    assert 1_150 * MS <= machine.deadline() < 1_300 * MS
    assert machine.election_in_us(1_100 * MS) == machine.deadline() - 1_100 * MS
    lead = leader()
    before = lead.deadline()
    assert [to for ready in step(lead, Tick(), before) for to, _ in ready.sends] == ["n2", "n3"]
    assert lead.deadline() == before + RaftPolicy().heartbeat_us
    assert lead.election_in_us(before) == -1


def test_a_tick_before_the_deadline_does_nothing() -> None:
    machine = leader()
    ready = machine.step(Tick(), machine.deadline() - 1)
    assert ready == Ready()


def test_a_long_log_is_applied_in_portions() -> None:
    count = APPLY_MAX + 10
    machine = raft(term=1, entries=count)
    ready = machine.step(Received("n2", Append(1, count, 1, (), count, 1)), 5)
    assert len(ready.committed) == APPLY_MAX
    assert machine.deadline() == 0  # more is due at once
    ready = machine.step(Tick(), 5)
    assert (ready.committed_first, len(ready.committed)) == (APPLY_MAX + 1, 10)
    assert machine.deadline() > 5


def test_a_single_voter_serves_by_itself() -> None:
    machine = Raft("n1", ("n1",), RaftPolicy(), random.Random(1))
    step(machine, Tick())
    due = machine.deadline()
    ready = machine.step(Tick(), due)
    assert ready.persist is not None
    ready = machine.step(Persisted(ready.persist.token), due)
    assert machine.role is Role.LEADER
    machine.step(AskRead(7), due)
    assert ready.persist is not None
    ready = machine.step(Persisted(ready.persist.token), due)
    assert ready.reads == [ReadReady(7, 1)]
    assert machine.step(AskRead(8), due).reads == [ReadReady(8, 1)]


def test_the_table_of_roles() -> None:
    # Whatever happens, a higher term makes a follower; only a candidate can win; only a leader can lose a quorum.
    assert all(turned(role, Turn.HIGHER_TERM) is Role.FOLLOWER for role in Role if role not in (Role.OBSERVER, Role.LEARNER))
    assert [role for role, turn in ROLES if turn is Turn.WON] == [Role.CANDIDATE]
    assert [role for role, turn in ROLES if turn is Turn.QUORUM_LOST] == [Role.LEADER]
    with pytest.raises(LawBroken, match="by the table"):
        turned(Role.FOLLOWER, Turn.WON)


def test_an_old_terms_entries_do_not_commit_by_being_on_a_majority() -> None:
    # More old entries than one message holds, so that they reach a follower before the new term's no-op (§5.4.2).
    count = APPEND_ENTRIES_MAX + 10
    machine = raft(RaftPolicy(pre_vote=False), term=1, entries=count)
    step(machine, Tick())
    step(machine, Tick(), machine.deadline())
    hear(machine, "n2", Vote(2, True), machine.deadline())
    assert (machine.role, machine.term, machine.last_index) == (Role.LEADER, 2, count + 1)
    hear(machine, "n2", Appended(2, True, APPEND_ENTRIES_MAX, 0, 0, 1))
    assert machine.commit == 0
    hear(machine, "n2", Appended(2, True, count + 1, 0, 0, 1))
    assert machine.commit == count + 1


def test_a_grant_for_an_earlier_question_does_not_count() -> None:
    machine = raft()
    step(machine, Tick())
    step(machine, Tick(), machine.deadline())  # asks about term 1
    hear(machine, "n2", Append(1, 0, 0, (), 0, 1), machine.deadline())
    step(machine, Tick(), machine.deadline())  # asks about term 2
    hear(machine, "n3", Vote(1, True, pre=True))
    assert (machine.role, machine.term) == (Role.PRECANDIDATE, 1)
    hear(machine, "n3", Vote(2, True, pre=True))
    assert (machine.role, machine.term) == (Role.CANDIDATE, 2)


def test_a_promise_to_a_leader_outlives_its_term() -> None:
    machine = raft()
    hear(machine, "n2", Append(1, 0, 0, (), 0, 1), 0)
    hear(machine, "n3", Appended(2, False, 0, 0, 0, 0), 10 * MS)  # a late answer: term 2 exists, and here nobody leads it
    assert (machine.term, machine.leader, machine.vote) == (2, None, None)
    ready = hear(machine, "n3", RequestVote(2, 9, 1), 149 * MS)[-1]
    assert ready.sends == [("n3", Vote(2, False, reason="heard from a leader 149 ms ago"))]
    assert machine.vote is None
    hear(machine, "n3", RequestVote(2, 9, 1), 150 * MS)
    assert machine.vote == "n3"
