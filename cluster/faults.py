"""The faults in force, as one value, and the one decision every edge of the network makes from it.

Law 1: `decide` is pure; node, proxy and simulator call the same one, each with its own dice.
Law 2: a cut is judged at both ends (what is already in a kernel's buffer must not slip through); everything else at the sender.
Law 3: leases compose by `compose`: cuts by union, losses as independent chances, delays by sum, the tightest throttle wins.
"""

from __future__ import annotations

import msgspec

from cluster.core.types import Dice, Micros, NodeId


class LinkFault(msgspec.Struct, frozen=True, array_like=True):
    """What happens to messages from `source` to `target` (one direction)."""

    source: NodeId
    target: NodeId
    cut: bool = False
    loss: float = 0.0  # chance, 0…1
    duplicate: float = 0.0
    reorder: float = 0.0  # chance that a message is held back behind later ones
    delay_us: Micros = 0
    jitter_us: Micros = 0  # uniform ± around delay
    bytes_per_s: int = 0  # 0: not throttled
    lease: int = 0  # the fault that a drop is blamed on


class NodeFault(msgspec.Struct, frozen=True, array_like=True):
    """Clock and disk faults of one node. `disk`: "ok" | "slow" | "hang" | "fail"."""

    node: NodeId
    skew_us: Micros = 0
    drift: float = 1.0
    disk: str = "ok"
    disk_delay_us: Micros = 0


class FaultPlan(msgspec.Struct, frozen=True, array_like=True):
    """All of it. `version` rises with every change; an absent link or node is healthy."""

    version: int = 0
    links: tuple[LinkFault, ...] = ()
    nodes: tuple[NodeFault, ...] = ()


class Decision(msgspec.Struct, frozen=True):
    """What to do with one message: copies to send, each after its delay. No copies: dropped."""

    delays_us: tuple[Micros, ...]
    blame: int = 0


PASS = Decision(delays_us=(0,))


def decide(fault: LinkFault | None, size_bytes: int, dice: Dice) -> Decision:
    """What becomes of one message of `size_bytes` on this link."""
    if fault is None:
        return PASS
    if fault.cut or (fault.loss > 0 and dice.random() < fault.loss):
        return Decision(delays_us=(), blame=fault.lease)
    copies = 2 if fault.duplicate > 0 and dice.random() < fault.duplicate else 1
    return Decision(delays_us=tuple(_delay(fault, dice) for _ in range(copies)), blame=fault.lease)


def _delay(fault: LinkFault, dice: Dice) -> Micros:
    delay = fault.delay_us
    if fault.jitter_us:
        delay += dice.randrange(2 * fault.jitter_us + 1) - fault.jitter_us
    if fault.reorder > 0 and dice.random() < fault.reorder:
        # Behind whatever follows within a few heartbeats' worth of round trips.
        delay += 5_000 + dice.randrange(45_000)
    return max(0, delay)
