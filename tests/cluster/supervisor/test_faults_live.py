"""Faults on real processes: what the kernel and the nodes say, overlaps included."""

from __future__ import annotations

import os
import signal

import pytest

from cluster.leases import MEMORY_LOST
from cluster.telemetry.control import LabSpec
from cluster.telemetry.events import AckedCounted, FaultEnded, LogTruncated, NodeComplaint, PlanChanged, ProcessChanged
from cluster.telemetry.roster import leader_of
from cluster.telemetry.view import ClusterView
from tests.cluster.supervisor.labs import Labs, children_of, parent_of, standing, state_of

pytestmark = pytest.mark.processes


def _process(view: ClusterView, node: str) -> str:
    return view.nodes[node].process


async def test_two_pauses_of_one_node_end_with_the_last(labs: Labs) -> None:
    lab = await labs.open()
    short = await lab.fault("pause n1 300ms")
    long = await lab.fault("pause n1,n2 900ms")
    await lab.until(lambda view: short.id not in view.faults)
    assert lab.view.faults.keys() == {long.id}
    assert state_of(lab.view.nodes["n1"].pid) == "T"  # the longer one still holds it
    await lab.until(lambda view: _process(view, "n1") == "up" and _process(view, "n2") == "up")
    paused = [event for event in lab.all_of(ProcessChanged) if event.node == "n1" and event.state == "paused"]
    assert len(paused) == 1
    assert [ended.why for ended in lab.all_of(FaultEnded)] == ["expired", "expired"]


async def test_a_crash_ends_the_pause_of_that_node_and_undo_restarts_it_from_disk(labs: Labs) -> None:
    lab = await labs.open()
    pause = await lab.fault("pause n1,n2 60s")
    await lab.until(lambda view: _process(view, "n1") == "paused")
    before = lab.view.nodes["n1"]
    crash = await lab.fault("crash n1")
    view = await lab.until(lambda view: _process(view, "n1") == "down")
    assert view.nodes["n1"].why == f"SIGKILL (crash #{crash.id})"
    assert view.faults[pause.id].fault.targets == ("n2",)
    answer = await lab.order("undo")
    assert MEMORY_LOST in answer.answer
    view = await lab.until(lambda view: _process(view, "n1") == "up")
    assert view.nodes["n1"].epoch == before.epoch + 1
    assert view.nodes["n1"].pid != before.pid
    assert _process(view, "n2") == "paused"


async def test_a_node_killed_from_outside_is_reported_and_the_lab_goes_on(labs: Labs) -> None:
    lab = await labs.open()
    victim = leader_of(lab.view)
    assert victim is not None
    os.kill(lab.view.nodes[victim].pid, signal.SIGKILL)
    view = await lab.until(lambda view: _process(view, victim) == "down")
    assert view.nodes[victim].why == "SIGKILL from outside"
    assert not view.faults  # nobody here broke it
    await lab.until(lambda view: leader_of(view) not in (None, victim))
    await lab.order(f"restart {victim}")
    await lab.until(standing)


async def test_a_node_stopped_from_outside_is_reported_and_does_not_outlive_the_lab(labs: Labs) -> None:
    lab = await labs.open()
    os.kill(lab.view.nodes["n1"].pid, signal.SIGSTOP)
    view = await lab.until(lambda view: _process(view, "n1") == "paused")
    assert view.nodes["n1"].why == "SIGSTOP from outside"
    await lab.session.close()
    await lab.over()
    assert lab.view.clean


async def test_a_pause_holds_against_a_continue_from_outside(labs: Labs) -> None:
    lab = await labs.open()
    await lab.fault("pause n1 60s")
    view = await lab.until(lambda view: _process(view, "n1") == "paused")
    os.kill(view.nodes["n1"].pid, signal.SIGCONT)
    await lab.until(lambda _: len([event for event in lab.all_of(ProcessChanged) if event.node == "n1" and event.state == "paused"]) == 2)
    assert [e.why for e in lab.all_of(ProcessChanged) if e.node == "n1"][-2] == "SIGCONT from outside"
    assert state_of(view.nodes["n1"].pid) == "T"


async def test_a_client_killed_from_outside_is_told(labs: Labs) -> None:
    lab = await labs.open()
    zygote = parent_of(lab.node_pids[0])
    client = next(pid for pid in children_of(zygote) if pid not in lab.node_pids)
    os.kill(client, signal.SIGKILL)
    await lab.until(lambda _: any("workload client c" in told.what for told in lab.all_of(NodeComplaint)))
    await lab.order("put a b")  # the others are asked
    await lab.order("heal")
    view = await lab.until(lambda view: view.lights["acked"].state == "unknown")
    assert view.closed == ""


async def test_a_node_restarted_under_a_cut_is_cut(labs: Labs) -> None:
    lab = await labs.open()
    await lab.order("crash n3")
    await lab.until(lambda view: _process(view, "n3") == "down")
    await lab.order("isolate n3")
    assert lab.view.sides == (("n1", "n2"), ("n3",))
    await lab.order("restart n3")
    await lab.until(lambda view: _process(view, "n3") == "up")
    # It has to ask the others who leads, and nobody hears it.
    view = await lab.until(lambda view: (state := view.nodes["n3"].state) and dict(state.dropped).get("n1", 0) > 0)
    assert [known.fault.kind for known in view.faults.values()] == ["isolate"]
    await lab.order("heal")
    view = await lab.until(lambda view: (state := view.nodes["n3"].state) and state.leader == leader_of(view))
    assert view.sides == (("n1", "n2", "n3"),)


async def test_a_deposed_leader_loses_nothing_that_was_acknowledged(labs: Labs) -> None:
    lab = await labs.open(LabSpec(nodes=5, seed=3, workload_rate=100))
    await lab.until(lambda view: view.ops and view.ops.ok > 20)
    cut = await lab.fault("cut leader | rest")
    old = cut.targets[0]
    await lab.until(lambda view: leader_of(view) not in (None, old))
    await lab.until(lambda view, ok=lab.view.ops.ok if lab.view.ops else 0: view.ops and view.ops.ok > ok + 20)
    await lab.order(f"heal {cut.id}")
    await lab.until(lambda view: view.acked)
    counted = lab.all_of(AckedCounted)[-1]
    assert counted.lost == 0
    assert counted.acked > 0
    assert lab.view.lights["acked"].state == "ok"
    assert lab.view.lights["linearizable"].state == "ok"
    assert lab.view.lights["linearizable"].checked > 20
    assert all(cut_entries.node == old for cut_entries in lab.all_of(LogTruncated))


async def test_freeze_stops_the_world_and_the_clocks_of_its_faults(labs: Labs) -> None:
    lab = await labs.open()
    pause = await lab.fault("pause n1 1s")
    await lab.until(lambda view: _process(view, "n1") == "paused")
    await lab.order("freeze")
    await lab.until(lambda view: all(node.process == "paused" for node in view.nodes.values()))
    frozen_us = lab.view.now_us
    await lab.until(lambda view: view.now_us > frozen_us + 1_200_000)  # the supervisor's heart goes on
    assert pause.id in lab.view.faults
    assert (await lab.ask("freeze")).ok is False
    await lab.order("thaw")
    assert lab.view.faults[pause.id].fault.until_us > pause.until_us + 1_000_000
    assert _process(lab.view, "n1") == "paused"  # the world goes on, the pause does, too
    await lab.until(lambda view: all(node.process == "up" for node in view.nodes.values()))
    assert not lab.view.frozen


async def test_wipe_wants_a_node_that_is_down_and_leaves_an_empty_disk(labs: Labs) -> None:
    lab = await labs.open()
    refused = await lab.ask("wipe n2")
    assert not refused.ok
    assert "crash first" in refused.answer
    await lab.order("crash n2")
    await lab.until(lambda view: _process(view, "n2") == "down")
    disk = lab.session.run_dir / "nodes" / "n2"
    assert list(disk.iterdir())
    await lab.order("wipe n2")
    assert list(disk.iterdir()) == []
    assert lab.view.past_faults[-1].fault.kind == "wipe"
    await lab.order("restart n2")
    await lab.until(standing)


async def test_reset_gives_a_clean_cluster_in_under_three_seconds(labs: Labs) -> None:
    lab = await labs.open(LabSpec(nodes=5, seed=5))
    await lab.order("put colour blue")
    await lab.order("crash n1")
    await lab.order("cut n2 | n3 n4 n5")
    await lab.order("freeze")
    began_us = lab.view.now_us
    done = await lab.order("reset")
    assert done.at_us - began_us < 3_000_000, done.answer
    view = await lab.until(standing)
    assert not view.faults
    assert not view.frozen
    assert (await lab.order("get colour")).answer.startswith("colour does not exist")
    assert {light.state for light in view.lights.values()} == {"ok"}


async def test_clients_serve_operators_and_the_workload_can_be_paced(labs: Labs) -> None:
    lab = await labs.open()
    assert (await lab.order("put a key with spaces")).answer.startswith("written by")
    assert (await lab.order("get a")).answer.startswith("a = key with spaces")
    await lab.order("workload off")
    await lab.until(lambda view: view.ops and view.ops.rate == 0)
    await lab.order("workload 200")
    await lab.until(lambda view: view.ops and view.ops.rate == 200 and view.ops.ok > 100)


async def test_leadership_can_be_handed_over(labs: Labs) -> None:
    lab = await labs.open()
    target = next(node for node in lab.view.nodes if node != leader_of(lab.view))
    await lab.order(f"transfer {target}")
    await lab.until(lambda view: leader_of(view) == target)
    assert (await lab.ask(f"transfer {target}")).answer == f"{target} leads already"


async def test_a_rumour_reaches_every_node(labs: Labs) -> None:
    lab = await labs.open()
    await lab.order("rumour the tea is ready")
    await lab.until(lambda view: any(told.text == "the tea is ready" and len(told.learned) == 3 for told in view.rumours))


async def test_an_observer_hears_everything_and_commands_nothing(labs: Labs) -> None:
    lab = await labs.open()
    observer = await labs.attach(lab, "guest", observer=True)
    await lab.until(lambda view: set(view.seats) == {"tester", "guest"})
    await lab.order("pause n1 30s")
    await observer.until(lambda view: _process(view, "n1") == "paused")
    from cluster.telemetry.control import Ask

    observer.session._line.send(Ask(1, "heal"))  # past its own refusal, as a dishonest client would
    await lab.until(lambda view: view.last_answer == "observers watch, they do not command")
    assert lab.view.faults


async def test_undo_is_of_ones_own_faults_and_the_lab_lives_while_an_operator_stays(labs: Labs) -> None:
    lab = await labs.open()
    second = await labs.attach(lab, "second")
    mine = await lab.fault("loss n1>n2 10%")
    theirs = await second.fault("loss n2>n1 10%")
    await lab.until(lambda view: theirs.id in view.faults)
    await lab.order("undo")
    assert lab.view.faults.keys() == {theirs.id}
    assert mine.by == "tester"
    await lab.session.close()
    await second.order("undo")
    assert not second.view.faults
    assert second.view.closed == ""


async def test_every_link_fault_is_in_the_plan_and_leaves_it(labs: Labs) -> None:
    lab = await labs.open()
    for line in ("slow n1>n2 20ms ±5ms", "dup all 5%", "reorder n3 10%", "throttle n1 64kB/s", "skew n2 +500ms", "disk n3 slow 5ms"):
        await lab.order(line)
    link = next(link for link in lab.view.plan.links if (link.source, link.target) == ("n1", "n2"))
    assert (link.delay_us, link.jitter_us, link.bytes_per_s) == (20_000, 5_000, 64_000)
    assert {fault.node: fault.skew_us for fault in lab.view.plan.nodes}["n2"] == 500_000
    await lab.until(lambda view: (state := view.nodes["n2"].state) and state.skew_us == 500_000)
    await lab.order("heal")
    last = lab.all_of(PlanChanged)[-1]
    assert last.plan.links == ()
    assert last.plan.nodes == ()
    await lab.until(lambda view: (state := view.nodes["n2"].state) and state.skew_us == 0)


async def test_what_cannot_be_done_is_refused_in_words(labs: Labs) -> None:
    lab = await labs.open()
    for line, reason in {
        "restart n1": "n1 is not down",
        "undo": "nothing to undo",
        "heal 99": "#99 is not in force",
        "crash n9": "there is no n9",
        "thaw": "nothing is frozen",
        "transfer n1,n2": "to one node",
    }.items():
        done = await lab.ask(line)
        assert not done.ok
        assert reason in done.answer
