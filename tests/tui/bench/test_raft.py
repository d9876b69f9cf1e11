from __future__ import annotations

import asyncio
import struct

import pytest

from cluster.core.errors import EnvironmentFailed, UsageError
from tests.tui.bench import http2_server
from tui.bench.kinds import raft
from tui.bench.rivals import etcd
from tui.bench.rivals.faultline import Faultline
from tui.bench.rivals.grpc_load import GrpcLoad, put_request
from tui.bench.rivals.rival import CONNECTIONS_MAX, Loaded, Slots, requests, shares


def loaded(per_s: int, cpu_s: float) -> Loaded:
    return Loaded(done=per_s, failed=0, took_s=1.0, latencies_us=[1_000] * per_s, server_cpu_s=cpu_s, load_cpu_s=0.1)


@pytest.mark.parametrize(("inflight", "expected"), [(1, [1]), (8, [1] * 8), (16, [2] * 8), (11, [2, 2, 2, 1, 1, 1, 1, 1])])
def test_all_that_is_in_flight_is_shared_out(inflight: int, expected: list[int]) -> None:
    assert shares(inflight) == expected
    assert sum(shares(inflight)) == inflight
    assert len(shares(inflight)) <= CONNECTIONS_MAX


def test_requests_are_the_same_for_everybody() -> None:
    first, second = (requests(2, lambda slot, key, value: f"{slot} {key} {len(value)}".encode()) for _ in range(2))
    assert first == second
    assert first[1][0].startswith(b"1 key-")
    assert first[0][0].endswith(b" 100")


def test_ratios_are_taken_within_a_round_and_against_the_best_setting() -> None:
    figures: raft.Figures = {
        (raft.OURS, 64): [loaded(300, 0.3), loaded(1_000, 0.5)],
        ("pysyncobj", 64): [loaded(100, 0.2), loaded(100, 0.2)],
        ("pysyncobj-fast", 64): [loaded(150, 0.3), loaded(50, 0.1)],
    }
    per_s, cpu = raft._ratios(figures, "pysyncobj", 64)
    assert per_s == pytest.approx((2.0 + 10.0) / 2)
    assert cpu == pytest.approx((0.5 + 0.25) / 2)


def test_targets_say_when_they_are_missed() -> None:
    missed, kept = raft._targets({("etcd", 64): (2.9, 0.30)})
    assert (missed.met, kept.met) == (False, True)


def test_an_unknown_peer_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="there is no peer 'zookeeper'"):
        raft.measure(print, nodes=3, against="zookeeper", inflight=(1,), for_us=1, rounds=1)


async def test_without_etcd_it_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(etcd.shutil, "which", lambda name: None)
    with pytest.raises(EnvironmentFailed, match="no etcd on the path"):
        await etcd.Etcd().start(3)


def test_a_put_is_encoded_as_protobuf_says() -> None:
    assert put_request(b"k", b"v" * 200) == b"\x0a\x01k\x12\xc8\x01" + b"v" * 200


async def test_the_grpc_load_speaks_http2_and_keeps_to_the_window() -> None:
    """Against a server of our own that grants little window, answers some calls without a message, and counts what it gets."""
    loop = asyncio.get_running_loop()
    server = http2_server.Counter()
    listening = await loop.create_server(lambda: server, "127.0.0.1", 0)
    slots = Slots()
    slots.counting = True
    load = GrpcLoad(etcd.PUT, 600, slots)
    await loop.create_connection(lambda: load, "127.0.0.1", listening.sockets[0].getsockname()[1])
    load.begin()
    async with asyncio.timeout(10):
        await server.until(2_000)
    slots.running = False
    load.close()
    listening.close()
    assert server.breaches == []
    assert server.paths == {etcd.PUT}
    assert slots.done > 0
    assert slots.failed > 0
    assert struct.unpack(">BI", server.first_message[:5]) == (0, len(server.first_message) - 5)


@pytest.mark.processes
async def test_our_own_nodes_take_the_load_and_leave_nothing() -> None:
    rival = Faultline()
    await rival.start(3)
    house = rival._house
    assert house is not None
    try:
        found = await rival.load(4, 0.2)
    finally:
        await rival.stop()
    assert found.done > 0
    assert found.failed == 0
    assert len(found.latencies_us) == found.done
    assert not house.path.exists()
    assert all(process.returncode is not None for process in house.processes)
