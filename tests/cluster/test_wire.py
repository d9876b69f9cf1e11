"""Bytes from outside: whatever they are, they become a message or a `ProtocolError`, within bounds."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cluster import wire
from cluster.core.errors import ProtocolError
from cluster.core.gossip.messages import Digest, Syn
from cluster.core.kv.ops import Get, Put, Reply
from cluster.core.raft.messages import Append, Appended, Entry, RequestVote, TimeoutNow, Vote
from cluster.core.types import DATAGRAM_BYTES_MAX, FRAME_BYTES_MAX
from cluster.framing import FrameSplitter

SECRET = b"secret"
PEER_MESSAGES = [
    RequestVote(3, 10, 2, pre=True),
    Vote(3, True, reason="ok"),
    Append(3, 10, 2, (Entry(3, 1, b"x"),), 9, 4),
    Appended(3, False, 0, 5, 2, 4),
    TimeoutNow(3),
]
DATAGRAM = wire.GossipDatagram("n1", "n2", 4, Syn((Digest("n1", 1, 5, 2),)))


@pytest.mark.parametrize("message", PEER_MESSAGES)
def test_peer_messages_come_back_as_they_were(message: object) -> None:
    frame = wire.PEER.encode(message)
    (body,) = FrameSplitter().feed(frame)
    assert wire.PEER.decode_body(body) == message


def test_equal_messages_have_equal_bytes() -> None:
    one, other = wire.CLIENT.encode(wire.ClientRequest(1, Put("k", "v"))), wire.CLIENT.encode(wire.ClientRequest(1, Put("k", "v")))
    assert one == other


@given(st.lists(st.binary(max_size=40), max_size=8), st.data())
def test_a_stream_may_be_cut_anywhere(bodies: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(len(body).to_bytes(4, "big") + body for body in bodies)
    splitter, found, at = FrameSplitter(), [], 0
    while at < len(stream):
        step = data.draw(st.integers(1, len(stream) - at))
        found += splitter.feed(stream[at : at + step])
        at += step
    assert found == bodies
    assert splitter.waiting_bytes == 0


def test_an_oversized_header_is_refused_before_its_body_comes() -> None:
    with pytest.raises(ProtocolError, match="exceeds"):
        FrameSplitter().feed((FRAME_BYTES_MAX + 1).to_bytes(4, "big"))
    with pytest.raises(ProtocolError, match="exceeds"):
        FrameSplitter(limit_bytes=10).feed(b"\x00\x00\x00\x0b")


def test_a_message_that_nobody_would_accept_is_not_encoded() -> None:
    with pytest.raises(ProtocolError, match="exceeds"):
        wire.PEER.encode(Append(1, 0, 0, (Entry(1, 1, bytes(FRAME_BYTES_MAX)),), 0, 0))


@given(st.binary(max_size=200))
@example(b"\x91\xa5\x00\x00\x00\x00\x80")  # a name that is no text
@example(b"\x93\xa1\x71\x01\x93\xa1\x67\xa1\x80")
def test_any_body_is_a_message_or_a_protocol_error(body: bytes) -> None:
    for codec in (wire.PEER, wire.CLIENT, wire.CONTROL, wire.HANDSHAKE):
        try:
            codec.decode_body(body)
        except ProtocolError:
            continue


def test_a_message_of_another_union_is_refused() -> None:
    with pytest.raises(ProtocolError):
        wire.PEER.decode_body(wire.CLIENT.encode(wire.ClientRequest(1, Get("k")))[4:])
    with pytest.raises(ProtocolError):
        wire.CLIENT.decode_body(msgspec.msgpack.encode(["q", "not a number", []]))


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(ProtocolError):
        wire.CONTROL.decode_body(b"\x91" * 100_000)


@pytest.mark.parametrize(
    "change",
    [
        {"name": "n2"},
        {"kind": "client"},
        {"epoch": 2},
        {"mac": b"\x00" * wire.TAG_BYTES},
        {"mac": b""},
        {"version": wire.WIRE_VERSION + 1},
    ],
)
def test_a_proof_holds_for_nothing_else(change: dict[str, object]) -> None:
    proof = wire.prove(SECRET, b"nonce", "peer", "n1", 1)
    wire.check_proof(SECRET, b"nonce", proof)
    with pytest.raises(ProtocolError):
        wire.check_proof(SECRET, b"nonce", msgspec.structs.replace(proof, **change))


def test_a_proof_of_another_secret_or_challenge_is_refused() -> None:
    with pytest.raises(ProtocolError):
        wire.check_proof(SECRET, b"nonce", wire.prove(b"other", b"nonce", "peer", "n1", 1))
    with pytest.raises(ProtocolError):
        wire.check_proof(SECRET, b"nonce 2", wire.prove(SECRET, b"nonce 1", "peer", "n1", 1))


def test_a_datagram_comes_back_as_it_was() -> None:
    assert wire.unseal(SECRET, wire.seal(SECRET, DATAGRAM)) == DATAGRAM


def test_a_flip_of_any_byte_of_a_datagram_is_noticed() -> None:
    sealed = wire.seal(SECRET, DATAGRAM)
    for at in range(len(sealed)):
        damaged = bytearray(sealed)
        damaged[at] ^= 1
        with pytest.raises(ProtocolError):
            wire.unseal(SECRET, bytes(damaged))


@given(st.binary(max_size=100))
def test_any_datagram_is_a_message_or_a_protocol_error(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        wire.unseal(SECRET, data)


def test_datagrams_are_bounded_both_ways() -> None:
    large = wire.GossipDatagram("n1", "n2", 1, Syn(tuple(Digest(f"n{n}", 1, 1, 1) for n in range(3_000))))
    with pytest.raises(ProtocolError, match="exceeds"):
        wire.seal(SECRET, large)
    with pytest.raises(ProtocolError, match="too large"):
        wire.unseal(SECRET, bytes(DATAGRAM_BYTES_MAX + 1))


def test_replies_come_back_as_they_were() -> None:
    message = wire.ClientReply(7, Reply("ok", value="v", revision=3, items=(("a", "1"),)))
    assert wire.CLIENT.decode_body(wire.CLIENT.encode(message)[4:]) == message
