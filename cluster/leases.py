"""Every fault in force, as leases: who asked, what it does, until when, and what its end cannot bring back.

Law 1: faults overlap freely. What holds for a node or link is computed from *all* leases, never from the last one to begin or end.
Law 2: a crash ends the pauses of that node: a dead process is not paused, and the one that follows it was never stopped.
Law 3: while the world is frozen no deadline comes nearer.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from cluster.commands import model
from cluster.commands.canonical import canonical, verb_of
from cluster.commands.meaning import pairs_of, targets_of
from cluster.commands.model import lasting
from cluster.commands.roster import Roster
from cluster.core.errors import UsageError
from cluster.core.types import Micros, NodeId
from cluster.faults import FaultPlan, LinkFault, NodeFault, compose

LEASES_MAX = 256
MEMORY_LOST = "what was in memory is lost"


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """One fault in force. `plan` is its own share of the fault plan (empty for pauses and crashes)."""

    id: int
    command: model.Fault
    asked: str
    by: str
    targets: tuple[NodeId, ...]
    began_us: Micros
    until_us: Micros
    plan: FaultPlan = FaultPlan()

    @property
    def kind(self) -> str:
        return verb_of(self.command)

    @property
    def text(self) -> str:
        return canonical(self.command)

    @property
    def residue(self) -> str:
        """What ending it cannot bring back."""
        return MEMORY_LOST if isinstance(self.command, model.Crash) else ""


class Leases:
    """The table of leases. Pure: time comes in, decisions come out; whoever holds the processes acts on them."""

    def __init__(self) -> None:
        self._leases: dict[int, Lease] = {}
        self._last_id = 0
        self._version = 0
        self._frozen_since: Micros | None = None

    # ---- questions ----------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._leases)

    def active(self) -> tuple[Lease, ...]:
        """Oldest first."""
        return tuple(self._leases.values())

    def paused(self, node: NodeId) -> bool:
        return any(isinstance(lease.command, model.Pause) and node in lease.targets for lease in self._leases.values())

    def crashed(self, node: NodeId) -> bool:
        return any(isinstance(lease.command, model.Crash) and node in lease.targets for lease in self._leases.values())

    def plan(self) -> FaultPlan:
        """The links, clocks and disks of all leases together."""
        return compose((lease.plan for lease in self._leases.values()), self._version)

    def deadline(self) -> Micros | None:
        """When the next lease expires; None while frozen or when none will."""
        if self._frozen_since is not None:
            return None
        return min((lease.until_us for lease in self._leases.values() if lease.until_us), default=None)

    def due(self, now: Micros) -> tuple[Lease, ...]:
        """Leases whose time is over, in the order of their deadlines: after a stall several may be, and the log must not invert them."""
        if self._frozen_since is not None:
            return ()
        over = (lease for lease in self._leases.values() if lease.until_us and lease.until_us <= now)
        return tuple(sorted(over, key=lambda lease: lease.until_us))

    def newest_of(self, seat: str) -> Lease | None:
        return next((lease for lease in reversed(self._leases.values()) if lease.by == seat), None)

    def meant(self, heal: model.Heal) -> tuple[Lease, ...]:
        """The leases that a *resolved* `heal` ends. Raises `UsageError` for an id that is not in force."""
        if not heal.ids and not heal.targets:
            return self.active()
        for wanted in heal.ids:
            if wanted not in self._leases:
                raise UsageError(f"fault #{wanted} is not in force{self._which()}")
        touching = (lease for lease in self._leases.values() if lease.id in heal.ids or set(heal.targets) & set(lease.targets))
        return tuple(touching)

    def _which(self) -> str:
        return ": these are " + ", ".join(f"#{lease}" for lease in self._leases) if self._leases else ": none is"

    # ---- changes ------------------------------------------------------------------------------------------------

    def next_id(self) -> int:
        """A number for something that is over as soon as it is done (`wipe`), and so is no lease."""
        self._last_id += 1
        return self._last_id

    def grant(self, command: model.Fault, roster: Roster, asked: str, by: str, now: Micros) -> Lease:
        """Begin a *resolved* fault. Raises `UsageError` when too many are in force or when it would change nothing."""
        if len(self._leases) >= LEASES_MAX:
            raise UsageError(f"{LEASES_MAX} faults are in force, the most there can be: heal some first")
        number = self._last_id + 1
        plan = _plan_of(command, roster, number)
        if not plan.links and not plan.nodes and not isinstance(command, model.Pause | model.Crash):
            raise UsageError(f"{canonical(command)} touches no link: name other nodes")
        self._last_id = number
        lease = Lease(
            id=number,
            command=command,
            asked=asked,
            by=by,
            targets=targets_of(command, roster),
            began_us=now,
            until_us=self._clock(now) + lasting(command),
            plan=plan,
        )
        self._leases[number] = lease
        self._touch(lease)
        return lease

    def _clock(self, now: Micros) -> Micros:
        """A lease granted in a frozen world begins to run when the world does."""
        return now if self._frozen_since is None else self._frozen_since

    def end(self, number: int) -> Lease:
        lease = self._leases.pop(number)
        self._touch(lease)
        return lease

    def release(self, kind: type[model.Pause] | type[model.Crash], nodes: Iterable[NodeId]) -> tuple[list[Lease], list[Lease]]:
        """Take `nodes` out of all pauses or crashes: (leases that are over, leases that go on with fewer targets)."""
        over: list[Lease] = []
        smaller: list[Lease] = []
        for lease in self.active():
            left = tuple(node for node in lease.targets if node not in nodes)
            if not isinstance(lease.command, kind) or left == lease.targets:
                continue
            if not left:
                over.append(self.end(lease.id))
                continue
            command = msgspec.structs.replace(lease.command, targets=left)
            self._leases[lease.id] = msgspec.structs.replace(lease, command=command, targets=left)
            smaller.append(self._leases[lease.id])
        return over, smaller

    def freeze(self, now: Micros) -> None:
        if self._frozen_since is None:
            self._frozen_since = now

    def thaw(self, now: Micros) -> tuple[Lease, ...]:
        """Law 3: every deadline moves by the time the world stood still. Returns the leases with their new deadlines."""
        if self._frozen_since is None:
            return ()
        stood_us = now - self._frozen_since
        self._frozen_since = None
        for number, lease in self._leases.items():
            if lease.until_us:
                self._leases[number] = msgspec.structs.replace(lease, until_us=lease.until_us + stood_us)
        return self.active()

    @property
    def frozen(self) -> bool:
        return self._frozen_since is not None

    def _touch(self, lease: Lease) -> None:
        if lease.plan.links or lease.plan.nodes:
            self._version += 1


def _plan_of(command: model.Fault, roster: Roster, number: int) -> FaultPlan:
    """A resolved fault's own links and nodes."""
    nodes = tuple(_node_fault(command, node) for node in getattr(command, "targets", ()) if _is_node_fault(command))
    links = tuple(_link_fault(command, source, target, number) for source, target in pairs_of(command, roster))
    return FaultPlan(links=links, nodes=nodes)


def _is_node_fault(command: model.Fault) -> bool:
    return isinstance(command, model.Skew | model.Drift | model.Disk)


def _link_fault(command: model.Fault, source: NodeId, target: NodeId, number: int) -> LinkFault:
    match command:
        case model.Slow(delay_us=delay, jitter_us=jitter):
            return LinkFault(source, target, delay_us=delay, jitter_us=jitter, lease=number)
        case model.Spoil(verb="loss", chance=chance):
            return LinkFault(source, target, loss=chance, lease=number)
        case model.Spoil(verb="dup", chance=chance):
            return LinkFault(source, target, duplicate=chance, lease=number)
        case model.Spoil(verb="reorder", chance=chance):
            return LinkFault(source, target, reorder=chance, lease=number)
        case model.Throttle(bytes_per_s=rate):
            return LinkFault(source, target, bytes_per_s=rate, lease=number)
    return LinkFault(source, target, cut=True, lease=number)


def _node_fault(command: model.Fault, node: NodeId) -> NodeFault:
    match command:
        case model.Skew(skew_us=skew):
            return NodeFault(node, skew_us=skew)
        case model.Drift(factor=factor):
            return NodeFault(node, drift=factor)
        case model.Disk(mode=mode, delay_us=delay):
            return NodeFault(node, disk=mode, disk_delay_us=delay)
    raise AssertionError(f"{command!r} is no fault of a node")
