"""The state machine as bytes: there and back without a difference, and refused when it is no image."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cluster.core.errors import ProtocolError
from cluster.core.kv.image import IMAGE_VERSION
from cluster.core.kv.ops import Cas, Compact, Delete, Grant, InSession, OpenSession, Put, Stamped, Write, encode_write
from cluster.core.kv.store import Store
from cluster.core.types import SECOND
from tests.cluster.core.kv.entries import applied

KEYS = st.sampled_from(["a", "ab", "b", "", "ü"])
VALUES = st.text(max_size=3)
WRITES = st.one_of(st.builds(Put, KEYS, VALUES), st.builds(Delete, KEYS), st.builds(Cas, KEYS, st.none() | VALUES, VALUES))


@settings(max_examples=60, deadline=None)
@given(st.lists(WRITES, max_size=20), st.lists(WRITES, max_size=20))
def test_a_loaded_store_goes_on_exactly_like_the_dumped_one(before: list[Write], after: list[Write]) -> None:
    one = applied(*before)
    other = Store.load(one.dump())
    assert other.dump() == one.dump()
    for write in after:
        index, data = one.applied + 1, encode_write(write)
        assert one.apply(index, 2, 1, data) == other.apply(index, 2, 1, data)
    assert (other.applied, other.digest, other.revision, len(other)) == (one.applied, one.digest, one.revision, len(one))
    assert other.dump() == one.dump()


def test_the_order_in_which_keys_came_into_being_leaves_no_trace() -> None:
    one, other = applied(Put("a", "1"), Put("b", "1"), Delete("a"), Put("a", "2")), applied(Put("a", "1"), Put("b", "1"))
    other.apply(3, 1, 1, encode_write(Delete("a")))
    other = Store.load(other.dump())
    other.apply(4, 1, 1, encode_write(Put("a", "2")))
    assert one.dump() == other.dump()


def test_every_cut_of_an_image_is_refused() -> None:
    data = rich().dump()
    for length in range(len(data)):
        with pytest.raises(ProtocolError):
            Store.load(data[:length])
    with pytest.raises(ProtocolError):
        Store.load(data + b"\x00")


def test_an_image_of_another_version_is_refused_by_its_number() -> None:
    with pytest.raises(ProtocolError, match=f"version {IMAGE_VERSION + 1}"):
        Store.load(msgspec.msgpack.encode((IMAGE_VERSION + 1, "a layout of the future")))


def rich() -> Store:
    """A store with everything an image tells: a past, deleted keys, leases, sessions with kept replies."""
    return applied(
        Stamped(0, Grant(9 * SECOND)),
        Stamped(SECOND, OpenSession()),
        Put("a", "1"),
        Put("b", "1", 1),
        Put("a", "2"),
        Compact(2),
        Delete("b"),
        Put("b", "2", 1),
        InSession(2, 1, 1, Put("c", "1")),
        InSession(2, 2, 1, Put("c", "2")),
    )


def layers(data: bytes) -> list[Any]:
    decoded: list[Any] = msgspec.msgpack.decode(data)
    return decoded


def test_a_rich_store_survives_and_so_does_its_past() -> None:
    one = rich()
    other = Store.load(one.dump())
    assert other.get("a", 2).value == "1"
    assert other.get("b", 4).value is None
    assert [len(other.leases), len(other.sessions), len(other.history.changes)] == [1, 1, len(one.history.changes)]


def set_at(path: tuple[int, ...], value: object) -> bytes:
    image = layers(rich().dump())
    place = image
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return msgspec.msgpack.encode(image)


COUNTERS, BASE, CHANGES, LEASES, SESSIONS = 1, 2, 3, 4, 5


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ((COUNTERS, 0), -1, "counters"),
        ((COUNTERS, 2), 1 << 32, "counters"),
        ((COUNTERS, 4), 99, "counters"),
        ((COUNTERS, 1), 8, "last change"),
        ((BASE, 0, 0), "z", "out of order"),
        ((BASE, 0, 3), 3, "impossible revisions"),
        ((BASE, 0, 4), 9, "impossible revisions"),
        ((BASE, 0, 2), 0, "impossible revisions"),
        ((CHANGES, 0, 3), 1, "cannot be"),
        ((CHANGES, 1, 3), 9, "cannot be"),
        ((CHANGES, 0, 4), 7, "cannot be"),
        ((CHANGES, 0, 4), 0, "cannot be"),
        ((CHANGES, 0, 2), 2, "cannot be"),
        ((LEASES, 0, 0), 7, "bound to no lease"),
        ((SESSIONS, 0, 2), 99, "cannot"),
        ((SESSIONS, 0, 1), 99 * SECOND, "cannot"),
        ((SESSIONS, 0, 3), 2, "cannot"),
        ((SESSIONS, 0, 4, 0, 0), 2, "cannot"),
        ((SESSIONS, 0, 4, 0, 1), "no reply", "malformed image"),
    ],
)
def test_an_image_that_no_store_can_be_in_is_refused(path: tuple[int, ...], value: object, reason: str) -> None:
    with pytest.raises(ProtocolError, match=reason):
        Store.load(set_at(path, value))


@pytest.mark.parametrize("part", [LEASES, SESSIONS])
def test_what_is_listed_twice_is_refused(part: int) -> None:
    image = layers(rich().dump())
    image[part] *= 2
    with pytest.raises(ProtocolError, match="out of order"):
        Store.load(msgspec.msgpack.encode(image))
