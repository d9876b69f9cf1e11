"""What a client may ask of the key-value store, and what it hears back.

Law 1: a reply is `ok`, `fail` (certainly did not happen) or `unknown` (may have happened, or may yet).
"""

from __future__ import annotations

import msgspec

from cluster.core.errors import ProtocolError
from cluster.core.types import NodeId


class Put(msgspec.Struct, frozen=True, array_like=True, tag="put"):
    key: str
    value: str


class Get(msgspec.Struct, frozen=True, array_like=True, tag="get"):
    """`mode`: "linearizable" (ReadIndex) or "serializable" (whatever this replica holds)."""

    key: str
    mode: str = "linearizable"


class Delete(msgspec.Struct, frozen=True, array_like=True, tag="del"):
    key: str


class Cas(msgspec.Struct, frozen=True, array_like=True, tag="cas"):
    """Set `key` to `value` if it now holds `expect` (None: if it does not exist)."""

    key: str
    expect: str | None
    value: str


class Scan(msgspec.Struct, frozen=True, array_like=True, tag="scan"):
    """A linearizable read of every key with this prefix, at most `limit` of them."""

    prefix: str
    limit: int = 10_000


Operation = Put | Get | Delete | Cas | Scan
Write = Put | Delete | Cas

_encode = msgspec.msgpack.Encoder().encode
_decode: msgspec.msgpack.Decoder[Write] = msgspec.msgpack.Decoder(Write)


def encode_write(write: Write) -> bytes:
    """A write as the data of a log entry. Equal writes give equal bytes."""
    return _encode(write)


def decode_write(data: bytes) -> Write:
    """The write in a log entry. Raises `ProtocolError` for bytes that are none; it does so alike on every replica."""
    try:
        return _decode.decode(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ProtocolError(f"log entry holds no write: {error}") from error


class Reply(msgspec.Struct, frozen=True, array_like=True, tag="rep"):
    """`revision` is the store's revision after a write, or at the read. `items` is filled by `Scan` only.

    `swapped` is False when a compare-and-set met another value: that is an `ok` outcome, and the write did not happen.
    `leader` hints where to go after a `fail` with error "not leader".
    """

    outcome: str  # "ok" | "fail" | "unknown"
    value: str | None = None
    revision: int = 0
    swapped: bool = True
    error: str = ""
    leader: NodeId | None = None
    items: tuple[tuple[str, str], ...] = ()
