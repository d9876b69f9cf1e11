"""The state machine as bytes: there and back without a difference, and refused when it is no image."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cluster.core.errors import ProtocolError
from cluster.core.kv.image import IMAGE_VERSION
from cluster.core.kv.ops import Cas, Delete, Put, Write, encode_write
from cluster.core.kv.store import Store

KEYS = st.sampled_from(["a", "ab", "b", "", "ü"])
VALUES = st.text(max_size=3)
WRITES = st.one_of(st.builds(Put, KEYS, VALUES), st.builds(Delete, KEYS), st.builds(Cas, KEYS, st.none() | VALUES, VALUES))


def applied(*writes: Write) -> Store:
    store = Store()
    for index, write in enumerate(writes, 1):
        store.apply(index, 1, 1, encode_write(write))
    return store


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
    data = applied(Put("a", "1"), Put("b", "2")).dump()
    for length in range(len(data)):
        with pytest.raises(ProtocolError):
            Store.load(data[:length])
    with pytest.raises(ProtocolError):
        Store.load(data + b"\x00")


def test_an_image_of_another_version_is_refused_by_its_number() -> None:
    with pytest.raises(ProtocolError, match=f"version {IMAGE_VERSION + 1}"):
        Store.load(msgspec.msgpack.encode((IMAGE_VERSION + 1, "a layout of the future")))


@pytest.mark.parametrize(
    "image",
    [
        (IMAGE_VERSION, 1, 2, 0, ()),  # more revisions than entries
        (IMAGE_VERSION, -1, -1, 0, ()),
        (IMAGE_VERSION, 1, 1, 1 << 32, ()),
        (IMAGE_VERSION, 2, 2, 0, (("b", "", 1, 1), ("a", "", 2, 1))),
        (IMAGE_VERSION, 2, 2, 0, (("a", "", 1, 1), ("a", "", 2, 1))),
        (IMAGE_VERSION, 2, 2, 0, (("a", "", 3, 1),)),
        (IMAGE_VERSION, 2, 2, 0, (("a", "", 1, 2),)),
    ],
)
def test_an_image_that_no_store_can_be_in_is_refused(image: object) -> None:
    with pytest.raises(ProtocolError):
        Store.load(msgspec.msgpack.encode(image))
