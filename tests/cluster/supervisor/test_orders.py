"""What each order does to a lab, and how it is answered: once, whatever happens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cluster.leases import LEASES_MAX, MEMORY_LOST
from cluster.monotonic import now_us
from cluster.telemetry.events import CommandDone, FaultBegan, FaultEnded, FreezeChanged, PlanChanged
from tests.cluster.supervisor.pretend import PretendLab, pretended


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[PretendLab]:
    async with pretended(tmp_path) as lab:
        yield lab


# ---- who asks, and what is answered -------------------------------------------------------------------------------


async def test_roles_are_computed_at_the_moment_the_order_fires(lab: PretendLab) -> None:
    assert lab.order("isolate leader") == "#1 isolate n1"
    lab.leads("n4", 2)
    assert lab.order("pause leader,leader+1 3s") == "#2 pause n4,n5 for 3s"
    # Whoever is stopped leads no more, and follows nobody.
    assert lab.refused("crash leader") == "no leader is known now: name a node, or wait for an election"
    assert lab.order("crash followers.1") == "#3 crash n1"
    began = lab.all_of(FaultBegan)[0]
    assert (began.text, began.asked, began.targets, began.by) == ("isolate n1", "isolate leader", ("n1",), "ada")


async def test_an_observer_and_a_line_without_sense_are_refused_and_change_nothing(lab: PretendLab) -> None:
    lab.observers.add("eve")
    assert lab.refused("pause n1", "eve") == "observers watch, they do not command"
    assert lab.refused("paws n1").startswith("column 1: there is no verb 'paws'")
    assert lab.refused("pause n9") == "there is no n9 here (did you mean 'n5'?): the nodes are n1 to n5"
    assert not lab.chronicle.view.faults
    assert lab.brood.sent == []


async def test_a_lab_that_ends_obeys_nobody(lab: PretendLab) -> None:
    lab.lab.stop_clocks()
    assert lab.refused("pause n1") == "the lab is ending"


# ---- pauses and crashes -------------------------------------------------------------------------------------------


async def test_a_paused_node_is_paused_when_the_kernel_says_so(lab: PretendLab) -> None:
    lab.ask("pause n2")
    assert lab.brood.sent == [("n2.1", "SIGSTOP")]
    assert lab.process("n2") == "up"  # nobody has said so yet
    lab.kernel()
    assert lab.process("n2") == "paused"
    lab.order("heal")
    assert lab.process("n2") == "up"


async def test_a_crash_ends_the_pause_and_the_next_process_is_never_stopped(lab: PretendLab) -> None:
    lab.order("pause n2,n3")
    lab.order("crash n2")
    ended, began = lab.all_of(FaultEnded), lab.all_of(FaultBegan)
    assert ended == []  # the pause goes on for n3
    assert [(fault.id, fault.text) for fault in began] == [(1, "pause n2,n3"), (1, "pause n3"), (2, "crash n2")]
    assert lab.brood.sent == [("n2.1", "SIGSTOP"), ("n3.1", "SIGSTOP"), ("n2.1", "SIGKILL")]
    answer = lab.order("undo")
    assert answer == f"ended #2 crash n2 ({MEMORY_LOST})"
    assert lab.states("n2") == ["starting", "up", "paused", "down", "starting", "up"]
    assert lab.brood.sent[3:] == []
    assert lab.process("n3") == "paused"


async def test_what_has_no_process_cannot_be_hit(lab: PretendLab) -> None:
    lab.order("crash n2")
    assert lab.refused("pause n2") == "n2 is down already"
    assert lab.refused("crash n2") == "n2 is down already"
    assert lab.order("crash n2,n3") == "#2 crash n3"  # those that are there
    assert lab.refused("crash n2,n3") == "n2, n3 are down already"


async def test_a_node_stays_down_until_the_last_crash_of_it_ends(lab: PretendLab) -> None:
    lab.order("crash n2,n3")
    lab.order("restart n3")
    lab.order("crash n3")
    lab.order("heal 1")
    assert (lab.process("n2"), lab.process("n3")) == ("up", "down")
    lab.order("heal 2")
    assert lab.process("n3") == "up"


async def test_an_order_that_is_refused_for_its_number_changes_nothing(lab: PretendLab) -> None:
    lab.order("pause n2")
    for _ in range(LEASES_MAX - 1):
        lab.order("pause n3 1h")
    assert "the most there can be" in lab.refused("crash n2")
    assert len(lab.lab.leases) == LEASES_MAX
    assert lab.process("n2") == "paused"
    assert lab.all_of(FaultEnded) == []


async def test_restart_is_for_those_that_are_down(lab: PretendLab) -> None:
    assert lab.refused("restart n1,n2") == "n1, n2 are not down: crash first, or heal a pause"
    lab.order("crash n1")
    assert lab.order("restart all") == "n1 starts from disk"
    assert [ended.why for ended in lab.all_of(FaultEnded)] == ["undone"]


async def test_a_process_that_ended_by_itself_stays_down_until_somebody_starts_it(lab: PretendLab) -> None:
    lab.dies("n3", 4)
    assert lab.process("n3") == "down"
    assert lab.chronicle.view.nodes["n3"].why == "exited with 4"
    lab.order("pause n1")
    lab.order("heal")
    assert lab.process("n3") == "down"
    assert lab.order("restart n3") == "n3 starts from disk"
    assert lab.process("n3") == "up"


async def test_what_starts_in_a_frozen_world_stands_still_with_it(lab: PretendLab) -> None:
    lab.order("crash n2")
    lab.dies("n3", 1)
    lab.order("freeze")
    lab.order("restart n2,n3")
    assert {lab.process(node) for node in ("n1", "n2", "n3")} == {"paused"}
    lab.order("thaw")
    assert {lab.process(node) for node in lab.lab.members} == {"up"}


# ---- the world ----------------------------------------------------------------------------------------------------


async def test_freeze_holds_everything_and_thaw_lets_go_what_no_pause_holds(lab: PretendLab) -> None:
    lab.order("pause n4")
    assert lab.order("freeze") == "everything stands still; thaw lets it go on"
    assert {lab.process(node) for node in lab.lab.members} == {"paused"}
    assert lab.brood.sent.count(("c1.1", "SIGSTOP")) == 1
    assert lab.refused("freeze") == "the world is frozen already: thaw"
    assert lab.refused("put a b") == "no client can be asked now"
    lab.order("thaw")
    assert [node for node in lab.lab.members if lab.process(node) == "paused"] == ["n4"]
    assert lab.refused("thaw") == "nothing is frozen"
    assert [event.frozen for event in lab.all_of(FreezeChanged)] == [True, False]


async def test_undo_is_of_ones_own_faults_only(lab: PretendLab) -> None:
    lab.order("pause n1", "ada")
    lab.order("pause n2", "bob")
    assert lab.order("undo", "ada") == "ended #1 pause n1"
    assert lab.refused("undo", "ada") == "nothing to undo: no fault of yours is in force"
    assert (lab.process("n1"), lab.process("n2")) == ("up", "paused")
    assert lab.order("heal", "ada") == "ended #2 pause n2"  # healing is everybody's


async def test_heal_of_whom_nothing_touches(lab: PretendLab) -> None:
    assert lab.order("heal") == "no fault is in force"
    lab.order("loss n1>n2 20%")
    assert lab.refused("heal n3") == "no fault touches n3"
    assert lab.refused("heal 7") == "fault #7 is not in force: these are #1"
    assert lab.order("heal n2") == "ended #1 loss n1 > n2 20%"


async def test_many_ended_faults_are_named_in_one_line(lab: PretendLab) -> None:
    for node in lab.lab.members:
        lab.order(f"skew {node} +1s")
    assert lab.order("heal").endswith("#4 skew n4 +1s and 1 more")
    assert lab.all_of(PlanChanged)[-1].plan.nodes == ()


async def test_wipe_wants_a_node_without_a_process(lab: PretendLab, tmp_path: Path) -> None:
    disk = tmp_path / "nodes" / "n2"
    (disk / "0001.wal").write_bytes(b"x")
    assert lab.refused("wipe n2") == "n2 has a process: crash first, then wipe"
    lab.order("crash n2")
    assert lab.order("wipe n2") == "the disk of n2 is empty"
    assert list(disk.iterdir()) == []
    assert lab.all_of(FaultEnded)[-1].residue == "what was on disk is gone for good"
    assert lab.refused("undo", "bob").startswith("nothing to undo")
    assert lab.order("undo") == f"ended #1 crash n2 ({MEMORY_LOST})"  # the wipe itself is over


async def test_transfer_goes_to_one_other_voter(lab: PretendLab) -> None:
    assert lab.refused("transfer n1") == "n1 leads already"
    assert lab.refused("transfer followers") == "leadership goes to one node, not to 4"
    assert lab.refused("transfer n2") == "n1 leads, but does not listen"  # it has no connection here
    lab.order("pause n1")
    assert lab.refused("transfer n2") == "no leader is known now who could hand over"


async def test_without_anybody_who_listens(lab: PretendLab) -> None:
    assert lab.refused("rumour tea") == "no node listens"
    assert lab.refused("put a b") == "no client can be asked now"
    assert lab.refused("get a") == "no client can be asked now"


async def test_the_workload_is_paced(lab: PretendLab) -> None:
    assert lab.order("workload on") == "40 operations per second"
    assert lab.order("workload 7") == "7 operations per second"
    assert lab.lab.collector.rate_each == 7
    assert lab.order("workload off") == "the workload is off"
    assert lab.order("workload on") == "7 operations per second"  # as it was


async def test_a_field_of_the_policy_is_set_for_those_that_start_later(lab: PretendLab) -> None:
    assert lab.order("set ack_before_fsync on") == "ack_before_fsync is on for every node that starts from now on"
    assert lab.lab.policy.raft.ack_before_fsync
    assert lab.refused("set election_min_us 9s").startswith("election_min_us would be 9s, above election_max_us")
    assert lab.lab.policy.raft.election_min_us == 150_000


async def test_a_reset_refuses_what_comes_meanwhile_and_gives_a_clean_cluster(lab: PretendLab, tmp_path: Path) -> None:
    (tmp_path / "nodes" / "n3" / "0001.wal").write_bytes(b"x")
    lab.order("crash n1")
    lab.order("freeze")
    lab.orders.obey("ada", 900, "reset")
    assert lab.refused("pause n2") == "a reset is under way: wait for it"
    plans = len(lab.all_of(PlanChanged))
    assert await lab.chronicle.until(lambda view: not view.faults, 5_000_000)
    lab.kernel()  # all are killed
    assert await lab.chronicle.until(lambda view: len(lab.all_of(PlanChanged)) > plans, 5_000_000)
    lab.kernel()  # all are started anew
    lab.leads("n5", 1)
    assert await lab.chronicle.until(lambda view: view.last_command == "reset", 5_000_000)
    done = [event for event in lab.all_of(CommandDone) if event.request == 900]
    assert [(event.ok, event.answer.split(" after")[0]) for event in done] == [(True, "a clean cluster")]
    assert {lab.process(node) for node in lab.lab.members} == {"up"}
    assert not lab.chronicle.view.frozen
    assert list((tmp_path / "nodes" / "n3").iterdir()) == []
    assert lab.order("pause n2") == "#2 pause n2"


async def test_an_expired_fault_is_told_as_such(lab: PretendLab) -> None:
    lab.order("pause n1 1ms")
    assert await lab.chronicle.until(lambda view: not view.faults, 5_000_000)
    lab.kernel()
    assert [ended.why for ended in lab.all_of(FaultEnded)] == ["expired"]
    assert lab.process("n1") == "up"
    assert lab.chronicle.view.now_us <= now_us()
