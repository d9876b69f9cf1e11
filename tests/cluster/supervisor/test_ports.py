"""Ports: free for both protocols, out of the system's own range, and never two labs' at once."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from cluster.core.errors import EnvironmentFailed, FaultlineError
from cluster.supervisor import ports


def test_a_block_is_one_labs_own_until_it_is_given_back() -> None:
    one = ports.allocate(5)
    other = ports.allocate(5)
    assert len(set(one.ports)) == len(set(other.ports)) == 5
    assert not set(one.ports) & set(other.ports)
    assert max(*one.ports, *other.ports) < ports._ephemeral_start()
    one.close()
    one.close()  # twice is once
    other.close()


def test_a_block_is_held_by_its_first_port_which_no_node_gets() -> None:
    allocated = ports.allocate(3)
    guard = (allocated.ports[0] - ports._LOWEST) // ports._BLOCK * ports._BLOCK + ports._LOWEST
    assert guard not in allocated.ports
    assert ports._guard(guard) is None
    allocated.close()


def test_a_lab_of_the_greatest_size_finds_its_ports() -> None:
    allocated = ports.allocate(100)
    assert len(set(allocated.ports)) == 100
    allocated.close()


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_a_port_is_free_only_for_both_protocols(kind: int) -> None:
    """One of a block of our own: a port of the system's range may be somebody else's as soon as it is given back."""
    allocated = ports.allocate(1)
    try:
        (port,) = allocated.ports
        with socket.socket(socket.AF_INET, kind) as held:
            if kind == socket.SOCK_STREAM:  # as a node does it: connections of the lab that had it before may linger
                held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            held.bind(("127.0.0.1", port))
            if kind == socket.SOCK_STREAM:
                held.listen()
            assert not ports.free(port)
        assert ports.free(port)
    finally:
        allocated.close()


def test_a_port_that_somebody_holds_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    empty = ports.allocate(3)
    first = empty.ports[0]
    empty.close()
    monkeypatch.setattr(ports, "free", lambda port: port >= first and port not in (first, first + 2))
    allocated = ports.allocate(3)
    assert allocated.ports == (first + 1, first + 3, first + 4)
    allocated.close()


def test_a_machine_without_free_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "free", lambda port: False)
    with pytest.raises(EnvironmentFailed, match="no 3 free ports between 15000 and"):
        ports.allocate(3)


def test_wished_ports_are_given_or_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "free", lambda port: port != 20_002)
    assert ports.allocate(2, 20_000).ports == (20_000, 20_001)
    with pytest.raises(FaultlineError, match="port 20002 is in use"):
        ports.allocate(3, 20_000)


@pytest.mark.parametrize("first", [1, 1_023, 65_535])
def test_wished_ports_outside_the_range(first: int) -> None:
    with pytest.raises(FaultlineError, match="are not all between 1024 and 65535"):
        ports.allocate(3, first)


@pytest.mark.parametrize(("content", "start"), [("32768\t60999\n", 32_768), ("1024 65535", 15_256), ("nonsense", 32_768), (None, 32_768)])
def test_where_the_systems_own_ports_begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None, start: int) -> None:
    file = tmp_path / "range"
    if content is not None:
        file.write_text(content)
    monkeypatch.setattr(ports, "_EPHEMERAL_FILE", file)
    assert ports._ephemeral_start() == start
