"""What an operator's line does to a lab: one small function per verb.

Law 1: roles are resolved here, at the moment the command fires, against the truth of that moment.
Law 2: every line gets exactly one `CommandDone`, refused or not, and whoever listens hears it.
Law 3: a command that has to wait (`put`, `get`, `reset`) never holds up the next one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from cluster.commands import model
from cluster.commands.canonical import canonical
from cluster.commands.grammar import parse
from cluster.commands.meaning import resolved
from cluster.commands.roster import Roster
from cluster.commands.toggles import with_toggle
from cluster.core.errors import EnvironmentFailed, UsageError
from cluster.core.types import NODES_MAX, NodeId
from cluster.leases import Lease
from cluster.monotonic import now_us
from cluster.supervisor.lab import Lab, began
from cluster.telemetry.events import CommandDone, FaultBegan, FaultEnded, FreezeChanged
from cluster.telemetry.roster import roster_of

_WAITING_MAX = 32
_OPERATION_WITHIN_S = 4.0

Answer = str | Awaitable[str]


class Orders:
    """`obey(seat, request, text)` is all that seats and scripts call."""

    def __init__(self, lab: Lab, observes: Callable[[str], bool]) -> None:
        self._lab = lab
        self._observes = observes
        self._waiting: set[asyncio.Task[None]] = set()
        self._resetting = False
        self._rumours = 0  # without a text of their own

    def obey(self, seat: str, request: int, text: str) -> None:
        try:
            if self._lab.ending:
                raise UsageError("the lab is ending")
            if self._observes(seat):
                raise UsageError("observers watch, they do not command")
            command = parse(text)
            answer = self._carry_out(command, seat, text)
        except UsageError as refusal:
            self._done(seat, request, text, ok=False, answer=str(refusal))
            return
        if isinstance(answer, str):
            self._done(seat, request, text, ok=True, answer=answer)
        else:
            self._wait_for(answer, seat, request, text)

    def _wait_for(self, answer: Awaitable[str], seat: str, request: int, text: str) -> None:
        """Law 3, within bounds."""

        async def finish() -> None:
            try:
                told, ok = await answer, True
            except UsageError as refusal:
                told, ok = str(refusal), False
            self._done(seat, request, text, ok=ok, answer=told)

        task = self._lab.tasks.create_task(finish())
        self._waiting.add(task)
        task.add_done_callback(self._waiting.discard)

    def _done(self, seat: str, request: int, text: str, *, ok: bool, answer: str) -> None:
        self._lab.chronicle.tell(CommandDone(now_us(), seat, request, text, ok, answer))

    def _carry_out(self, command: model.Command, seat: str, asked: str) -> Answer:
        roster = roster_of(self._lab.chronicle.view, self._lab.dice.randrange(1 << 30))
        concrete = resolved(command, roster)
        if self._resetting and not isinstance(concrete, model.Get):
            raise UsageError("a reset is under way: wait for it")
        if isinstance(concrete, model.Pause | model.Crash):
            return self._hit_processes(concrete, roster, seat, asked)
        if isinstance(concrete, model.Fault):
            return self._begin(concrete, roster, seat, asked)
        return _VERBS[type(concrete)](self, concrete, seat)

    # ---- faults -------------------------------------------------------------------------------------------------

    def _begin(self, fault: model.Fault, roster: Roster, seat: str, asked: str) -> str:
        lease = self._lab.leases.grant(fault, roster, asked, seat, now_us())
        self._lab.begin(lease)
        return f"#{lease.id} {lease.text}"

    def _hit_processes(self, fault: model.Pause | model.Crash, roster: Roster, seat: str, asked: str) -> str:
        """Only what has a process can be paused or crashed; those that have none are left out, or refused together."""
        there = tuple(node for node in fault.targets if self._lab.fleet.there(node) and self._lab.fleet.wanted(node))
        if not there:
            plural = "are" if len(fault.targets) > 1 else "is"
            raise UsageError(f"{', '.join(fault.targets)} {plural} down already")
        kind: type[model.Pause] | type[model.Crash] = type(fault)
        lease = self._lab.leases.grant(kind(targets=there, for_us=fault.for_us), roster, asked, seat, now_us())
        if isinstance(fault, model.Crash):  # granted before anything is let go: a refusal must change nothing
            self._release(model.Pause, there, "the process was killed")
        self._lab.begin(lease)
        return f"#{lease.id} {lease.text}"

    def _release(self, kind: type[model.Pause] | type[model.Crash], nodes: tuple[NodeId, ...], why: str) -> None:
        over, smaller = self._lab.leases.release(kind, nodes)
        for lease in over:
            self._lab.finish(lease, why)
        for lease in smaller:
            self._lab.chronicle.tell(began(lease))

    def _heal(self, heal: model.Heal, seat: str) -> str:
        leases = self._lab.leases.meant(heal)
        if not leases and heal.targets:
            raise UsageError(f"no fault touches {', '.join(heal.targets)}")
        self._lab.finish_all(leases, "healed")
        if not len(self._lab.leases):
            self._lab.count_again()  # also when nothing was left to heal: whoever asks for a healthy cluster wants the proof
        return _ended(leases)

    def _undo(self, _undo: model.Undo, seat: str) -> str:
        lease = self._lab.leases.newest_of(seat)
        if lease is None:
            raise UsageError("nothing to undo: no fault of yours is in force")
        self._lab.finish_all((lease,), "undone")
        return _ended((lease,))

    # ---- processes and disks ------------------------------------------------------------------------------------

    def _restart(self, restart: model.Restart, seat: str) -> str:
        fleet = self._lab.fleet
        up = [node for node in restart.targets if fleet.there(node) and fleet.wanted(node)]
        down = tuple(node for node in restart.targets if node not in up)
        if not down:
            raise UsageError(f"{', '.join(up)} {'are' if len(up) > 1 else 'is'} not down: crash first, or heal a pause")
        self._release(model.Crash, down, "undone")
        self._lab.settle(because="restarted by hand")
        for node in down:
            if not fleet.wanted(node):  # it had ended by itself: no crash held it
                self._lab.start(node, "restarted by hand")
        return f"{', '.join(down)} {'start' if len(down) > 1 else 'starts'} from disk"

    def _wipe(self, wipe: model.Wipe, seat: str) -> str:
        up = [node for node in wipe.targets if self._lab.fleet.there(node)]
        if up:
            raise UsageError(f"{', '.join(up)} {'have' if len(up) > 1 else 'has'} a process: crash first, then wipe")
        number, text, now = self._lab.leases.next_id(), canonical(wipe), now_us()
        for node in wipe.targets:
            self._lab.wipe(node)
        self._lab.chronicle.tell(
            FaultBegan(now, number, "wipe", text, text, wipe.targets, 0, seat),
            FaultEnded(now, number, "done", "what was on disk is gone for good"),
        )
        return f"the disk of {', '.join(wipe.targets)} is empty"

    # ---- the world ----------------------------------------------------------------------------------------------

    def _freeze(self, _freeze: model.Freeze, seat: str) -> str:
        if self._lab.leases.frozen:
            raise UsageError("the world is frozen already: thaw")
        self._lab.leases.freeze(now_us())
        self._lab.settle(because="freeze")
        self._lab.chronicle.tell(FreezeChanged(now_us(), True))
        return "everything stands still; thaw lets it go on"

    def _thaw(self, _thaw: model.Thaw, seat: str) -> str:
        if not self._lab.leases.frozen:
            raise UsageError("nothing is frozen")
        self._lab.thaw_leases()
        self._lab.settle(because="thaw")
        self._lab.chronicle.tell(FreezeChanged(now_us(), False))
        return "everything goes on"

    async def _reset_lab(self) -> str:
        began_us = now_us()
        try:
            if self._lab.leases.frozen:
                self._lab.chronicle.tell(FreezeChanged(began_us, False))
            led = await self._lab.reset()
        finally:
            self._resetting = False
        took_s = (now_us() - began_us) / 1e6
        if not led:
            raise UsageError(f"a clean cluster, but no leader after {took_s:.1f} s")
        return f"a clean cluster after {took_s:.1f} s"

    def _reset(self, _reset: model.Reset, seat: str) -> Answer:
        self._resetting = True
        return self._reset_lab()

    # ---- protocols and data -------------------------------------------------------------------------------------

    def _transfer(self, transfer: model.Transfer, seat: str) -> str:
        leader = roster_of(self._lab.chronicle.view).leader
        if len(transfer.targets) != 1:
            raise UsageError(f"leadership goes to one node, not to {len(transfer.targets)}")
        target = transfer.targets[0]
        if target not in roster_of(self._lab.chronicle.view).voters:
            raise UsageError(f"{target} has no vote and cannot lead")
        if leader is None:
            raise UsageError("no leader is known now who could hand over")
        if leader == target:
            raise UsageError(f"{target} leads already")
        if not self._lab.collector.order(leader, "transfer", target):
            raise UsageError(f"{leader} leads, but does not listen")
        return f"{leader} was asked to hand over to {target}"

    def _add(self, add: model.Add, seat: str) -> str:
        leader, verb = self._who_leads(), "learn" if add.learner else "add"
        new = [node for node in add.nodes if node not in self._lab.members]
        self._enlist(new)
        self._tell_leader(leader, verb, " ".join(add.nodes))
        started = f"{', '.join(new)} {'start' if len(new) > 1 else 'starts'}; " if new else ""
        return f"{started}{leader} was asked to let {', '.join(add.nodes)} {'learn' if add.learner else 'join'}"

    def _remove(self, remove: model.Remove, seat: str) -> str:
        leader = self._who_leads()
        self._tell_leader(leader, "remove", " ".join(remove.targets))
        return f"{leader} was asked to let {', '.join(remove.targets)} go"

    def _replace(self, change: model.Replace, seat: str) -> str:
        if len(change.targets) != 1:
            raise UsageError(f"one node is replaced at a time, not {len(change.targets)}")
        leader, old = self._who_leads(), change.targets[0]
        if old not in roster_of(self._lab.chronicle.view).voters:
            raise UsageError(f"{old} has no vote that another could take over")
        self._enlist([change.node] if change.node not in self._lab.members else [])
        self._tell_leader(leader, "replace", f"{old} {change.node}")
        return f"{leader} was asked to put {change.node} in the place of {old}"

    def _enlist(self, nodes: list[NodeId]) -> None:
        if len(self._lab.members) + len(nodes) > NODES_MAX:
            raise UsageError(f"a lab has at most {NODES_MAX} nodes")
        if self._lab.leases.frozen and nodes:
            raise UsageError("the world is frozen: thaw it first")
        for node in nodes:
            try:
                self._lab.enlist(node)
            except EnvironmentFailed as error:
                raise UsageError(str(error)) from error

    def _who_leads(self) -> NodeId:
        leader = roster_of(self._lab.chronicle.view).leader
        if leader is None:
            raise UsageError("no leader is known now who could change the group")
        return leader

    def _tell_leader(self, leader: NodeId, verb: str, argument: str) -> None:
        if not self._lab.collector.order(leader, verb, argument):
            raise UsageError(f"{leader} leads, but does not listen")

    def _rumour(self, rumour: model.Rumour, seat: str) -> str:
        running = roster_of(self._lab.chronicle.view).running
        text = rumour.text or f"rumour {self._rumours + 1}"
        while running:
            node = running[self._lab.dice.randrange(len(running))]
            if self._lab.collector.order(node, "rumour", text):
                self._rumours += not rumour.text
                return f"{node} was told: {text}"
            running = tuple(other for other in running if other != node)
        raise UsageError("no node listens")

    def _put(self, put: model.Put, seat: str) -> Answer:
        return self._operate("put", put.key, put.value, "")

    def _get(self, get: model.Get, seat: str) -> Answer:
        return self._operate("get", get.key, "", get.mode)

    def _operate(self, verb: str, key: str, value: str, mode: str) -> Answer:
        clients = list(self._lab.collector.clients.values())
        if not clients or self._lab.leases.frozen:
            raise UsageError("no client can be asked now")
        if len(self._waiting) >= _WAITING_MAX:
            raise UsageError(f"{_WAITING_MAX} operations are waiting already")
        client = clients[len(self._waiting) % len(clients)]

        async def operate() -> str:
            ran = await client.run_once(verb, key, value, mode, _OPERATION_WITHIN_S)
            if ran is None:
                raise UsageError(f"no answer within {_OPERATION_WITHIN_S:g} s: nobody knows whether it happened")
            if ran.outcome != "ok":
                raise UsageError(f"{ran.outcome}: {ran.text}")
            return ran.text

        return operate()

    def _workload(self, workload: model.Workload, seat: str) -> str:
        if workload.rate is None and not self._lab.rate:
            self._lab.rate = 40.0
        rate = self._lab.rate if workload.rate is None else float(workload.rate)
        self._lab.pace(rate)
        return f"{rate:g} operations per second" if rate else "the workload is off"

    def _set(self, toggle: model.SetToggle, seat: str) -> str:
        self._lab.policy = with_toggle(self._lab.policy, toggle.toggle, toggle.value)
        return f"{toggle.toggle} is {toggle.value} for every node that starts from now on"


def _ended(leases: tuple[Lease, ...]) -> str:
    if not leases:
        return "no fault is in force"
    residues = sorted({lease.residue for lease in leases if lease.residue})
    text = "ended " + ", ".join(f"#{lease.id} {lease.text}" for lease in leases[:4])
    more = f" and {len(leases) - 4} more" if len(leases) > 4 else ""
    return text + more + (f" ({'; '.join(residues)})" if residues else "")


_VERBS: dict[type, Callable[[Orders, Any, str], Answer]] = {
    model.Heal: Orders._heal,
    model.Undo: Orders._undo,
    model.Restart: Orders._restart,
    model.Wipe: Orders._wipe,
    model.Freeze: Orders._freeze,
    model.Thaw: Orders._thaw,
    model.Reset: Orders._reset,
    model.Transfer: Orders._transfer,
    model.Add: Orders._add,
    model.Remove: Orders._remove,
    model.Replace: Orders._replace,
    model.Rumour: Orders._rumour,
    model.Put: Orders._put,
    model.Get: Orders._get,
    model.Workload: Orders._workload,
    model.SetToggle: Orders._set,
}
