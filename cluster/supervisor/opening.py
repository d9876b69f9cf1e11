"""The first words between a front and its supervisor, before there is a socket: a `LabSpec` in, `Opened` or `NotOpened` out."""

from __future__ import annotations

from typing import BinaryIO

import msgspec

from cluster.core.errors import UNDECODABLE, ProtocolError
from cluster.core.types import FRAME_BYTES_MAX
from cluster.framing import HEADER_BYTES, Codec
from cluster.telemetry.control import LabSpec, NotOpened, Opened

OPENING: Codec[Opened | NotOpened] = Codec(Opened | NotOpened)


def read_spec(stream: BinaryIO) -> LabSpec:
    """One frame from the front. Raises `ProtocolError`."""
    header = stream.read(HEADER_BYTES)
    length = int.from_bytes(header, "big")
    if len(header) < HEADER_BYTES or length > FRAME_BYTES_MAX:
        raise ProtocolError("no lab was asked for")
    try:
        return msgspec.msgpack.decode(stream.read(length), type=LabSpec)
    except UNDECODABLE as error:
        raise ProtocolError(f"not a lab's description: {error}") from error
