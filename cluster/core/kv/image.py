"""The whole state machine as bytes: what a snapshot holds, and what a replica that fell far behind begins from.

Law 1: equal states give equal bytes, on every machine and under every hash seed: everything is listed in order.
Law 2: bytes from elsewhere are untrusted: whatever is no image raises `ProtocolError`, and leaves no half-made store behind.
Law 3: the version comes first. An image of another version is refused, never guessed at.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import msgspec

from cluster.core.errors import UNDECODABLE, ProtocolError
from cluster.core.kv.limits import SESSION_WINDOW
from cluster.core.kv.ops import KeyValue, Reply
from cluster.core.kv.sessions import Session, reply_chars
from cluster.core.types import Micros

IMAGE_VERSION = 1
# More than any store may become, were all its characters outside the basic plane; a longer image is an attack or a bug.
IMAGE_BYTES_MAX = 512 * 1024 * 1024


class Counters(msgspec.Struct, frozen=True, array_like=True):
    applied: int
    revision: int
    digest: int
    time_us: Micros
    compacted: int
    dropped: int
    weight_due: int


class LeaseImage(msgspec.Struct, frozen=True, array_like=True):
    """Which keys are bound to it, the keys say."""

    lease: int
    ttl_us: Micros
    deadline_us: Micros


class SessionImage(msgspec.Struct, frozen=True, array_like=True):
    """`replies` rise by sequence."""

    session: int
    active_us: Micros
    active_index: int
    unanswered: int
    replies: tuple[tuple[int, Reply], ...]

    @classmethod
    def of(cls, session: int, held: Session) -> SessionImage:
        return cls(session, held.active_us, held.active_index, held.unanswered, tuple(sorted(held.replies.items())))

    def state(self) -> Session:
        chars = sum(reply_chars(reply) for _, reply in self.replies)
        return Session(self.active_us, self.active_index, self.unanswered, dict(self.replies), chars)


class Image(msgspec.Struct, frozen=True, array_like=True):
    """`base` is what there was at the last compaction, by key; `changes` is what happened since."""

    version: int
    counters: Counters
    base: tuple[KeyValue, ...]
    changes: tuple[KeyValue, ...]
    leases: tuple[LeaseImage, ...]
    sessions: tuple[SessionImage, ...]


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
    except UNDECODABLE as error:
        raise ProtocolError(f"malformed image: {error}") from error
    _check(image)
    return image


def _check(image: Image) -> None:
    """What the store itself would not notice while it becomes this image."""
    counters = image.counters
    if min(msgspec.structs.astuple(counters)) < 0 or counters.compacted > counters.revision or counters.digest >= 1 << 32:
        raise ProtocolError("malformed image: its counters contradict each other")
    if counters.revision != (image.changes[-1].mod_revision if image.changes else counters.compacted):
        raise ProtocolError("malformed image: its revision is not that of its last change")
    if not (_rises(held.key for held in image.base) and all(_possible(held, counters.compacted) for held in image.base)):
        raise ProtocolError("malformed image: its keys are out of order or have impossible revisions")
    if not (_rises(lease.lease for lease in image.leases) and _rises(session.session for session in image.sessions)):
        raise ProtocolError("malformed image: its leases or sessions are out of order")
    if not all(_plausible(session, counters) for session in image.sessions):
        raise ProtocolError("malformed image: a session remembers what it cannot")


def _rises(numbers: Iterable[int] | Iterable[str]) -> bool:
    listed = list(numbers)
    return all(one < other for one, other in pairwise(listed))  # type: ignore[operator]


def _possible(held: KeyValue, compacted: int) -> bool:
    return 1 <= held.create_revision <= held.mod_revision <= compacted and 1 <= held.version <= held.mod_revision


def _plausible(session: SessionImage, counters: Counters) -> bool:
    sequences = [sequence for sequence, _ in session.replies]
    if session.active_index > counters.applied or session.active_us > counters.time_us or len(sequences) > SESSION_WINDOW:
        return False
    return _rises(sequences) and (not sequences or sequences[0] >= session.unanswered)
