"""The whole state machine as bytes: what a snapshot holds, and what a replica that fell far behind begins from.

Law 1: equal states give equal bytes, on every machine and under every hash seed: everything is listed in key order.
Law 2: bytes from elsewhere are untrusted: whatever is no image raises `ProtocolError`, and leaves no half-made store behind.
Law 3: the version comes first. An image of another version is refused, never guessed at.
"""

from __future__ import annotations

import msgspec

from cluster.core.errors import ProtocolError

IMAGE_VERSION = 1
# Larger than any store may become; a longer image is an attack or a bug.
IMAGE_BYTES_MAX = 256 * 1024 * 1024


class Item(msgspec.Struct, frozen=True, array_like=True):
    """One key that exists."""

    key: str
    value: str
    mod_revision: int
    version: int


class Image(msgspec.Struct, frozen=True, array_like=True):
    """`items` rise by key."""

    version: int
    applied: int
    revision: int
    digest: int
    items: tuple[Item, ...]


class _Head(msgspec.Struct, frozen=True, array_like=True):
    version: int


_encode = msgspec.msgpack.Encoder().encode
_head = msgspec.msgpack.Decoder(_Head)
_image = msgspec.msgpack.Decoder(Image)


def to_bytes(image: Image) -> bytes:
    return _encode(image)


def from_bytes(data: bytes | bytearray | memoryview) -> Image:
    """Raises `ProtocolError` for what is no image of this version, or none that a store can be in."""
    if len(data) > IMAGE_BYTES_MAX:
        raise ProtocolError(f"image of {len(data)} bytes exceeds the limit of {IMAGE_BYTES_MAX}")
    try:
        if (version := _head.decode(data).version) != IMAGE_VERSION:
            raise ProtocolError(f"image has version {version}, this is {IMAGE_VERSION}")
        image = _image.decode(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ProtocolError(f"malformed image: {error}") from error
    _check(image)
    return image


def _check(image: Image) -> None:
    if min(image.applied, image.revision, image.digest) < 0 or image.revision > image.applied or image.digest >= 1 << 32:
        raise ProtocolError("malformed image: its counters contradict each other")
    before: str | None = None
    for item in image.items:
        if before is not None and item.key <= before:
            raise ProtocolError(f"malformed image: key {item.key!r} is out of order")
        if not 1 <= item.version <= item.mod_revision <= image.revision:
            raise ProtocolError(f"malformed image: key {item.key!r} has impossible revisions")
        before = item.key
