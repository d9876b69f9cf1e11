"""The state machine: what each write does, and that every replica does the same."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cluster.core.errors import LawBroken, ProtocolError
from cluster.core.kv.keyspace import REPLY_CHARS_MAX
from cluster.core.kv.ops import Cas, Delete, KeyValue, Put, Reply, Write, decode_write, encode_write
from cluster.core.kv.store import Store
from cluster.core.types import KEY_BYTES_MAX, VALUE_BYTES_MAX


def apply(store: Store, *writes: Write) -> list[Reply]:
    return [store.apply(store.applied + 1, 1, 1, encode_write(write)) for write in writes]


def test_revision_and_version_count_what_changed() -> None:
    store = Store()
    replies = apply(store, Put("a", "1"), Put("a", "2"), Put("b", "1"), Delete("a"), Delete("a"), Put("a", "3"))
    assert [reply.revision for reply in replies] == [1, 2, 3, 4, 4, 5]
    assert store.find("a") == KeyValue("a", "3", create_revision=5, mod_revision=5, version=1)
    assert store.find("b") == KeyValue("b", "1", create_revision=3, mod_revision=3, version=1)
    assert len(store) == 2


def test_compare_and_set_changes_only_what_it_expects() -> None:
    store = Store()
    first, second, third = apply(store, Cas("a", None, "1"), Cas("a", None, "2"), Cas("a", "1", "3"))
    assert (first.swapped, second.swapped, third.swapped) == (True, False, True)
    assert second.value == "1"
    assert store.get("a").value == "3"
    assert store.revision == 2


def test_scan_is_in_order_bounded_and_follows_later_writes() -> None:
    store = Store()
    apply(store, Put("b/2", "x"), Put("a", "x"), Put("b/1", "x"))
    assert [key for key, _ in store.scan("b/", 10).items] == ["b/1", "b/2"]
    apply(store, Put("b/0", "x"), Delete("b/1"))
    assert [key for key, _ in store.scan("b/", 10).items] == ["b/0", "b/2"]
    assert [key for key, _ in store.scan("", 2).items] == ["a", "b/0"]


def test_a_scan_too_large_for_a_frame_fails_instead_of_answering_with_less() -> None:
    store = Store()
    large = "v" * VALUE_BYTES_MAX
    apply(store, *(Put(f"k{number}", large) for number in range(REPLY_CHARS_MAX // VALUE_BYTES_MAX + 1)))
    assert store.scan("", 10_000).outcome == "fail"
    assert store.scan("k1", 3).outcome == "ok"


@pytest.mark.parametrize("data", [b"\xff", b"\x00garbage", b"\x93\xa3put", encode_write(Put("k", "v"))[:-1]])
def test_malformed_data_fails_alike_everywhere_and_counts_as_applied(data: bytes) -> None:
    one, two = Store(), Store()
    assert one.apply(1, 1, 1, data) == two.apply(1, 1, 1, data)
    assert one.apply(2, 1, 1, encode_write(Put("a", "1"))).outcome == "ok"
    assert one.applied == 2
    with pytest.raises(ProtocolError):
        decode_write(data)


def test_an_oversized_write_that_reached_the_log_fails_without_effect() -> None:
    store = Store()
    replies = apply(store, Put("k" * (KEY_BYTES_MAX + 1), "v"), Put("k", "v" * (VALUE_BYTES_MAX + 1)))
    assert [reply.outcome for reply in replies] == ["fail", "fail"]
    assert (store.revision, len(store)) == (0, 0)


def test_entries_apply_in_order_and_once() -> None:
    store = Store()
    store.apply(1, 1, 0, b"")
    for index in (1, 3):
        with pytest.raises(LawBroken, match="in order"):
            store.apply(index, 1, 0, b"")


def test_the_digest_covers_index_term_kind_and_data() -> None:
    def digest(*entries: tuple[int, int, bytes]) -> int:
        store = Store()
        for index, (term, kind, data) in enumerate(entries, 1):
            store.apply(index, term, kind, data)
        return store.digest

    put = encode_write(Put("a", "1"))
    digests = [
        digest((1, 0, b"")),
        digest((2, 0, b"")),
        digest((1, 1, b"")),
        digest((1, 1, put)),
        digest((1, 1, put), (1, 1, put)),
    ]
    assert len(set(digests)) == len(digests)


KEYS = st.sampled_from(["a", "ab", "b", ""])
VALUES = st.text(max_size=3)
WRITES = st.one_of(st.builds(Put, KEYS, VALUES), st.builds(Delete, KEYS), st.builds(Cas, KEYS, st.none() | VALUES, VALUES))


@settings(max_examples=60, deadline=None)
@given(st.lists(WRITES, max_size=30), st.integers(0, 30))
def test_the_store_behaves_like_a_dictionary_however_it_is_scanned(writes: list[Write], scan_at: int) -> None:
    store, model = Store(), {}
    for number, write in enumerate(writes):
        if number == scan_at:
            store.scan("", 10)  # from here on, order is kept up to date
        apply(store, write)
        if isinstance(write, Put):
            model[write.key] = write.value
        elif isinstance(write, Delete):
            model.pop(write.key, None)
        elif model.get(write.key) == write.expect:
            model[write.key] = write.value
        assert decode_write(encode_write(write)) == write
    assert dict(store.scan("", 100).items) == model
    assert [key for key, _ in store.scan("", 100).items] == sorted(model)
