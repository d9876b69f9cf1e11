"""The first words between a front and the runner that it starts, before there is a socket: a `Commission` in, `Staged` or `Refused` out.

Law 1: the front's end of the runner's standard input is the run's life line: when it is closed, however, the run ends in order.
"""

from __future__ import annotations

from typing import BinaryIO

import msgspec

from cluster.core.errors import ProtocolError
from cluster.core.types import FRAME_BYTES_MAX
from cluster.framing import HEADER_BYTES, Codec


class Asked(msgspec.Struct, frozen=True):
    """What somebody wants of a run. `without`: "faults" or "workload" are left out, to see that nothing passes for nothing."""

    variant: str = "broken"
    settings: tuple[str, ...] = ()
    seed: int = 0  # 0: drawn
    scale: float = 1.0
    backends: dict[str, tuple[str, ...]] = {}
    without: tuple[str, ...] = ()


class Commission(msgspec.Struct, frozen=True, array_like=True, tag="run"):
    slug: str
    asked: Asked
    runs: str  # where run directories are kept


class Staged(msgspec.Struct, frozen=True, array_like=True, tag="staged"):
    """There are seats now."""

    socket: str
    run_dir: str


class Refused(msgspec.Struct, frozen=True, array_like=True, tag="refused"):
    """There will be no run. `usage`: because of what was asked; else because of this machine."""

    why: str
    usage: bool


COMMISSIONS: Codec[Commission] = Codec(Commission)
REPLIES: Codec[Staged | Refused] = Codec(Staged | Refused)


def read_commission(stream: BinaryIO) -> Commission:
    """One frame from the front. Raises `ProtocolError`."""
    header = stream.read(HEADER_BYTES)
    length = int.from_bytes(header, "big")
    if len(header) < HEADER_BYTES or length > FRAME_BYTES_MAX:
        raise ProtocolError("no run was asked for")
    return COMMISSIONS.decode_body(stream.read(length))
