"""Leases: who holds what until when, however they overlap, and whose an undo is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from cluster.commands import model
from cluster.commands.grammar import parse
from cluster.commands.meaning import resolved
from cluster.commands.roster import Roster
from cluster.core.errors import UsageError
from cluster.faults import compose
from cluster.leases import LEASES_MAX, MEMORY_LOST, Lease, Leases

ROSTER = Roster(nodes=("n1", "n2", "n3", "n4", "n5"), voters=("n1", "n2", "n3", "n4", "n5"), leader="n2")
S = 1_000_000


def _grant(leases: Leases, text: str, now: int = 0, by: str = "ada") -> Lease:
    fault = resolved(parse(text), ROSTER)
    assert isinstance(fault, model.Fault)
    return leases.grant(fault, ROSTER, text, by, now)


def _heal(leases: Leases, text: str) -> list[int]:
    heal = resolved(parse(text), ROSTER)
    assert isinstance(heal, model.Heal)
    return [lease.id for lease in leases.meant(heal)]


def test_a_lease_says_what_it_is() -> None:
    leases = Leases()
    lease = _grant(leases, "crash leader for 5s", now=3 * S)
    assert (lease.id, lease.kind, lease.text, lease.asked) == (1, "crash", "crash n2 for 5s", "crash leader for 5s")
    assert (lease.by, lease.targets, lease.began_us, lease.until_us) == ("ada", ("n2",), 3 * S, 8 * S)
    assert lease.residue == MEMORY_LOST
    assert _grant(leases, "pause n1").residue == ""


def test_a_lease_without_a_length_ends_by_itself() -> None:
    leases = Leases()
    assert _grant(leases, "pause n1").until_us == model.PAUSE_DEFAULT_US
    assert _grant(leases, "cut ring").until_us == model.LEASE_DEFAULT_US


# ---- deadlines ----------------------------------------------------------------------------------------------------


def test_a_lease_is_due_at_its_deadline_and_not_a_microsecond_before() -> None:
    leases = Leases()
    lease = _grant(leases, "isolate n1 for 1s", now=5)
    assert leases.deadline() == 5 + S
    assert leases.due(4 + S) == ()
    assert leases.due(5 + S) == (lease,)


def test_what_is_over_is_told_in_the_order_in_which_it_was_over() -> None:
    leases = Leases()
    for text in ("pause n1 3s", "pause n2 1s", "pause n3 2s", "pause n4 9s"):
        _grant(leases, text)
    assert [lease.text for lease in leases.due(3 * S)] == ["pause n2 for 1s", "pause n3 for 2s", "pause n1 for 3s"]
    assert leases.deadline() == S


def test_in_a_frozen_world_no_deadline_comes_nearer() -> None:
    leases = Leases()
    early = _grant(leases, "pause n1 5s")
    leases.freeze(2 * S)
    during = _grant(leases, "pause n2 1s", now=60 * S)
    assert leases.frozen
    assert leases.deadline() is None
    assert leases.due(900 * S) == ()
    leases.freeze(70 * S)  # again: the first freeze counts
    moved = {lease.id: lease.until_us for lease in leases.thaw(100 * S)}
    assert moved == {early.id: 103 * S, during.id: 101 * S}  # three seconds were left of one; the other begins now
    assert not leases.frozen
    assert leases.thaw(200 * S) == ()
    assert [lease.id for lease in leases.due(101 * S)] == [during.id]


# ---- overlap ------------------------------------------------------------------------------------------------------


def test_a_node_is_held_until_the_last_pause_of_it_ends() -> None:
    leases = Leases()
    one, other = _grant(leases, "pause n1"), _grant(leases, "pause n1,n2")
    leases.end(one.id)
    assert (leases.paused("n1"), leases.paused("n2"), leases.paused("n3")) == (True, True, False)
    leases.end(other.id)
    assert not leases.paused("n1")


def test_a_link_carries_messages_again_when_no_cut_of_it_is_left() -> None:
    leases = Leases()
    wide, narrow = _grant(leases, "isolate n1"), _grant(leases, "cut n1 > n2")
    leases.end(wide.id)
    assert [(link.source, link.target, link.lease) for link in leases.plan().links] == [("n1", "n2", narrow.id)]
    leases.end(narrow.id)
    assert leases.plan().links == ()


def test_the_version_of_the_plan_rises_with_every_change_and_with_nothing_else() -> None:
    leases = Leases()
    versions = [leases.plan().version]
    pause = _grant(leases, "pause n1")
    cut = _grant(leases, "cut n1 | n2")
    versions.append(leases.plan().version)
    _grant(leases, "skew n1 +1s")
    versions.append(leases.plan().version)
    leases.end(cut.id)
    versions.append(leases.plan().version)
    leases.end(pause.id)
    leases.freeze(0)
    leases.thaw(5)
    versions.append(leases.plan().version)
    assert versions == [0, 1, 2, 3, 3]


def test_a_crash_takes_a_node_out_of_its_pauses() -> None:
    leases = Leases()
    alone, both, crash = _grant(leases, "pause n1"), _grant(leases, "pause n1,n2 7s"), _grant(leases, "crash n3")
    over, smaller = leases.release(model.Pause, ("n1", "n3"))
    assert [lease.id for lease in over] == [alone.id]
    assert [(lease.id, lease.targets, lease.text, lease.until_us) for lease in smaller] == [(both.id, ("n2",), "pause n2 for 7s", 7 * S)]
    assert [lease.id for lease in leases.active()] == [both.id, crash.id]
    assert leases.crashed("n3")  # a release of pauses lets no crash go
    assert leases.release(model.Pause, ("n1",)) == ([], [])


# ---- undo and heal ------------------------------------------------------------------------------------------------


def test_undo_is_of_ones_own_newest_fault() -> None:
    leases = Leases()
    first, second = _grant(leases, "pause n1", by="ada"), _grant(leases, "pause n2", by="ada")
    theirs = _grant(leases, "pause n3", by="bob")
    assert leases.newest_of("ada") == second
    assert leases.newest_of("bob") == theirs
    assert leases.newest_of("ad") is None
    leases.end(second.id)
    assert leases.newest_of("ada") == first
    leases.end(first.id)
    assert leases.newest_of("ada") is None
    assert leases.active() == (theirs,)


def test_a_lease_made_smaller_or_thawed_is_no_newer_for_it() -> None:
    leases = Leases()
    _grant(leases, "pause n1,n2")
    newest = _grant(leases, "cut ring")
    leases.release(model.Pause, ("n1",))
    leases.freeze(1)
    leases.thaw(2)
    found = leases.newest_of("ada")
    assert found is not None
    assert found.id == newest.id


def test_heal_ends_what_is_named_or_touched_or_everything() -> None:
    leases = Leases()
    for text in ("pause n1", "cut n2 > n3", "crash n4", "cut ring", "slow n5 1s"):
        _grant(leases, text)
    assert _heal(leases, "heal") == [1, 2, 3, 4, 5]
    assert _heal(leases, "heal 3") == [3]
    assert _heal(leases, "heal #5 1") == [1, 5]
    assert _heal(leases, "heal n3") == [2, 4]  # whom a cut keeps from hearing is touched by it; a ring touches everyone
    assert _heal(leases, "heal 1 leader") == [1, 2, 4]
    assert _heal(Leases(), "heal") == []
    assert _heal(Leases(), "heal n1") == []


def test_a_number_that_is_not_in_force_is_refused_with_those_that_are() -> None:
    leases = Leases()
    with pytest.raises(UsageError, match=r"^fault #4 is not in force: none is$"):
        _heal(leases, "heal 4")
    _grant(leases, "pause n1")
    leases.end(_grant(leases, "pause n2").id)
    _grant(leases, "pause n3")
    with pytest.raises(UsageError, match=r"^fault #2 is not in force: these are #1, #3$"):
        _heal(leases, "heal 1 2")


# ---- refusals -----------------------------------------------------------------------------------------------------


def test_a_fault_that_touches_no_link_is_refused_and_takes_no_number() -> None:
    leases = Leases()
    with pytest.raises(UsageError, match=r"^loss n1 > n1 20% touches no link: name other nodes$"):
        _grant(leases, "loss n1>n1 20%")
    assert _grant(leases, "pause n1").id == 1


def test_leases_are_bounded() -> None:
    leases = Leases()
    for _ in range(LEASES_MAX):
        _grant(leases, "loss n1>n2 1%")
    with pytest.raises(UsageError, match="256 faults are in force, the most there can be: heal some first"):
        _grant(leases, "pause n1")
    leases.end(1)
    assert _grant(leases, "pause n1").id == LEASES_MAX + 1


def test_what_is_over_at_once_has_a_number_of_its_own() -> None:
    leases = Leases()
    assert (leases.next_id(), _grant(leases, "pause n1").id, leases.next_id()) == (1, 2, 3)


# ---- all of it together -------------------------------------------------------------------------------------------

_TEXTS = st.sampled_from(
    [
        "pause n1 2s", "pause n1,n2 5s", "crash n1 3s", "crash n3", "cut n1 | n2 4s", "isolate n1 1s", "cut ring 3s",
        "slow n1>n2 80ms for 2s", "loss all 10% for 6s", "skew n1 +1s for 2s", "disk n1 hang for 2s",
    ]
)  # fmt: skip


class Overlap(RuleBasedStateMachine):
    """Law 1 and law 3 against the plainest model there is: a list of (lease, time left to run)."""

    def __init__(self) -> None:
        super().__init__()
        self.leases = Leases()
        self.now = 1_000
        self.left_us: dict[int, int] = {}
        self.known: dict[int, Lease] = {}

    @rule(text=_TEXTS, by=st.sampled_from(["ada", "bob"]))
    def grant(self, text: str, by: str) -> None:
        lease = _grant(self.leases, text, self.now, by)
        self.known[lease.id], self.left_us[lease.id] = lease, model.lasting(lease.command)

    @rule(us=st.integers(0, 2 * S))
    def pass_time(self, us: int) -> None:
        self.now += us
        if not self.leases.frozen:
            self.left_us = {number: left - us for number, left in self.left_us.items()}
        due = self.leases.due(self.now)
        assert {lease.id for lease in due} == (
            set() if self.leases.frozen else {number for number, left in self.left_us.items() if left <= 0}
        )
        for lease in due:
            self._forget(self.leases.end(lease.id).id)

    @rule()
    def freeze(self) -> None:
        self.leases.freeze(self.now)

    @rule()
    def thaw(self) -> None:
        self.leases.thaw(self.now)

    @precondition(lambda self: self.known)
    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        self._forget(self.leases.end(data.draw(st.sampled_from(sorted(self.known)))).id)

    def _forget(self, number: int) -> None:
        del self.known[number], self.left_us[number]

    @invariant()
    def the_next_deadline_is_that_of_the_least_time_left(self) -> None:
        if self.leases.frozen:
            assert self.leases.deadline() is None
        else:
            assert self.leases.deadline() == (self.now + min(self.left_us.values()) if self.left_us else None)

    @invariant()
    def what_holds_is_what_some_lease_says(self) -> None:
        for node in ROSTER.nodes:
            pauses = [x for x in self.known.values() if isinstance(x.command, model.Pause) and node in x.targets]
            crashes = [x for x in self.known.values() if isinstance(x.command, model.Crash) and node in x.targets]
            assert (self.leases.paused(node), self.leases.crashed(node)) == (bool(pauses), bool(crashes))
        assert self.leases.plan().links == compose(lease.plan for lease in self.known.values()).links


TestOverlap = Overlap.TestCase


@given(st.lists(_TEXTS, max_size=12))
def test_when_all_are_ended_nothing_is_left(texts: list[str]) -> None:
    leases = Leases()
    for text in texts:
        _grant(leases, text)
    for lease in leases.active():
        leases.end(lease.id)
    assert len(leases) == 0
    assert (leases.plan().links, leases.plan().nodes, leases.deadline()) == ((), (), None)
    assert not any(leases.paused(node) or leases.crashed(node) for node in ROSTER.nodes)
