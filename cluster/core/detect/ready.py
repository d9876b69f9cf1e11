"""What a detector reports.

Law 1: a verdict changes by silence (convicted) or by evidence (cleared), never by a recomputed average.
"""

from __future__ import annotations

import msgspec

from cluster.core.types import Micros, NodeId


class VerdictChanged(msgspec.Struct, frozen=True):
    """The deciding detector convicted or cleared `subject`. `silence_us` is how long nothing advanced."""

    subject: NodeId
    convicted: bool
    phi: float
    detector: str
    silence_us: Micros


class ShadowConvicted(msgspec.Struct, frozen=True):
    """A detector that does not decide would have convicted now."""

    subject: NodeId
    detector: str
    silence_us: Micros


class Opinion(msgspec.Struct, frozen=True):
    """What the decider thinks of one subject now.

    `phi_tenths` is φ in tenths, 0…999; -1 while there is no evidence. `countdown_us`: silence still needed until conviction
    (0: convicted; -1: not counting yet).
    """

    subject: NodeId
    phi_tenths: int
    alive: bool
    countdown_us: Micros


DetectEvent = VerdictChanged | ShadowConvicted
