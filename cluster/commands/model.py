"""What an operator may ask: one frozen struct per idea, in one closed union.

Law 1: a command holds target *expressions*; roles are computed by `resolve` when it fires, never when it is parsed.
Law 2: nothing here is text to be parsed again: `canonical` writes a command down, `parse` reads it back, equal to what it was.
"""

from __future__ import annotations

import msgspec

from cluster.core.types import Micros

# Atoms of a target expression, in the order they were named: "n3", "leader", "followers.2", "leader+1", "rest", "all" …
Targets = tuple[str, ...]

# A fault that nobody ends ends by itself: long enough for a talk, short enough not to outlive the operator's memory.
LEASE_DEFAULT_US: Micros = 600_000_000
PAUSE_DEFAULT_US: Micros = 10_000_000  # a pause stands for a GC or a stalled VM, and those are short
LEASE_MAX_US: Micros = 3_600_000_000


class Links(msgspec.Struct, frozen=True):
    """Directed links: from every `source` to every `target`. An empty `target`: all links from and to `source`."""

    source: Targets
    target: Targets = ()


class Cut(msgspec.Struct, frozen=True, kw_only=True):
    """Sides that cannot reach each other; `one_way`: two sides, and only messages from the first to the second are lost.

    A node that is on no side keeps contact with all of them (it is a bridge); say `rest` to put it on one.
    """

    sides: tuple[Targets, ...]
    one_way: bool = False
    for_us: Micros = 0


class CutShape(msgspec.Struct, frozen=True, kw_only=True):
    """`ring`: every voter keeps only the neighbours that make up its own majority. `bridge`: two halves and one voter that sees both."""

    shape: str
    for_us: Micros = 0


class Isolate(msgspec.Struct, frozen=True, kw_only=True):
    """Each target alone, cut off from everyone, the other targets included."""

    targets: Targets
    for_us: Micros = 0


class Pause(msgspec.Struct, frozen=True, kw_only=True):
    targets: Targets
    for_us: Micros = 0


class Crash(msgspec.Struct, frozen=True, kw_only=True):
    targets: Targets
    for_us: Micros = 0


class Restart(msgspec.Struct, frozen=True):
    targets: Targets


class Wipe(msgspec.Struct, frozen=True):
    targets: Targets


class Slow(msgspec.Struct, frozen=True, kw_only=True):
    links: Links
    delay_us: Micros
    jitter_us: Micros = 0
    for_us: Micros = 0


class Spoil(msgspec.Struct, frozen=True, kw_only=True):
    """`verb`: "loss" | "dup" | "reorder", each with a chance of 0…1."""

    verb: str
    links: Links
    chance: float
    for_us: Micros = 0


class Throttle(msgspec.Struct, frozen=True, kw_only=True):
    links: Links
    bytes_per_s: int
    for_us: Micros = 0


class Skew(msgspec.Struct, frozen=True, kw_only=True):
    targets: Targets
    skew_us: Micros
    for_us: Micros = 0


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    targets: Targets
    factor: float
    for_us: Micros = 0


class Disk(msgspec.Struct, frozen=True, kw_only=True):
    """`mode`: "slow" (by `delay_us`) | "hang" | "fail"."""

    targets: Targets
    mode: str
    delay_us: Micros = 0
    for_us: Micros = 0


class Heal(msgspec.Struct, frozen=True):
    """Ends the faults with these ids and all that touch these targets; both empty: every fault."""

    ids: tuple[int, ...] = ()
    targets: Targets = ()


class Undo(msgspec.Struct, frozen=True):
    """Ends the newest fault of the seat that asks."""


class Freeze(msgspec.Struct, frozen=True):
    """Stops every node and client, and the clocks of all faults, to look around."""


class Thaw(msgspec.Struct, frozen=True):
    pass


class Reset(msgspec.Struct, frozen=True):
    """A clean cluster: no fault, empty disks, new processes."""


class Transfer(msgspec.Struct, frozen=True):
    targets: Targets


class Add(msgspec.Struct, frozen=True):
    """Nodes to join the Raft group: with a vote once they have caught up, or as learners. Those that do not exist are started."""

    nodes: Targets
    learner: bool = False


class Remove(msgspec.Struct, frozen=True):
    """Nodes to leave the Raft group. Their processes go on, outside it."""

    targets: Targets


class Replace(msgspec.Struct, frozen=True):
    """One voter to leave, and `node` to take its place, in one change."""

    targets: Targets
    node: str


class Put(msgspec.Struct, frozen=True):
    key: str
    value: str


class Get(msgspec.Struct, frozen=True):
    key: str
    mode: str = "linearizable"


class Workload(msgspec.Struct, frozen=True):
    """`rate`: operations per second of all clients together; 0 is off, None is on at the lab's own rate."""

    rate: int | None


class Rumour(msgspec.Struct, frozen=True):
    text: str = ""


class SetToggle(msgspec.Struct, frozen=True):
    """A field of the policy, for every process that starts from now on."""

    toggle: str
    value: str


class DropResponse(msgspec.Struct, frozen=True):
    """Of the next `hits` calls from `caller` to `called` the answers are lost; the calls have had their effect.

    `field`: only of calls that carry it with one of `values`, and so many for each of them; "": of any.
    """

    caller: str
    called: str
    hits: int = 1
    field: str = ""
    values: tuple[str, ...] = ()


class HoldResponse(msgspec.Struct, frozen=True):
    """The same, but the answers come `hold_us` late."""

    caller: str
    called: str
    hold_us: Micros
    hits: int = 1
    field: str = ""
    values: tuple[str, ...] = ()


class Arm(msgspec.Struct, frozen=True):
    """What a process does to itself when it next comes to a failpoint. `action`: "pause" | "crash" | "term" | "delay".

    `for_us`: how long it stands still, is down (0: for good), or is held up there.
    """

    failpoint: str
    process: str
    action: str
    for_us: Micros = 0


LinkCommand = Slow | Spoil | Throttle
NodeCommand = Skew | Drift | Disk
Fault = Cut | CutShape | Isolate | Pause | Crash | Slow | Spoil | Throttle | Skew | Drift | Disk
GroupCommand = Add | Remove | Replace
RunCommand = DropResponse | HoldResponse | Arm  # of an incident's run alone
Command = (
    Fault | Restart | Wipe | Heal | Undo | Freeze | Thaw | Reset | Transfer | GroupCommand | Put | Get | Workload | Rumour | SetToggle
    | RunCommand
)  # fmt: skip


def lasting(command: Fault) -> Micros:
    """How long a fault is to last when nobody ends it earlier."""
    if command.for_us:
        return command.for_us
    return PAUSE_DEFAULT_US if isinstance(command, Pause) else LEASE_DEFAULT_US
