"""What waits for a node's turn, and its bounds."""

from __future__ import annotations

import pytest

from cluster.core.effects import FromClient, FromClients, FromPeer, Order
from cluster.core.kv.ops import Get
from cluster.core.raft.messages import TimeoutNow
from cluster.core.raft.ready import Persisted
from cluster.node import inbox as inbox_module
from cluster.node.inbox import Inbox


@pytest.fixture
def inbox() -> Inbox:
    return Inbox(wake=lambda: None)


def test_one_turn_takes_the_disk_first_and_the_clients_as_one_batch(inbox: Inbox) -> None:
    inbox.clients([FromClient(1, Get("a"))])
    inbox.peer("n2", [TimeoutNow(1)])
    inbox.clients([FromClient(2, Get("b"))])
    inbox.order("transfer", "n2")
    inbox.durable(4)
    inbox.durable(7)
    disk, order, peer, clients = inbox.take()
    assert disk == Persisted(7)
    assert order == Order("transfer", "n2")
    assert peer == FromPeer("n2", TimeoutNow(1))
    assert isinstance(clients, FromClients)
    assert [each.token for each in clients.requests] == [1, 2]
    assert len(inbox) == 0
    assert inbox.take() == []


def test_every_arrival_wakes(inbox: Inbox) -> None:
    woken: list[int] = []
    inbox = Inbox(wake=lambda: woken.append(1))
    inbox.clients([FromClient(1, Get("a"))])
    inbox.peer("n2", [TimeoutNow(1)])
    inbox.order("rumour", "x")
    inbox.durable(1)
    assert len(woken) == 4


def test_bounds_are_kept_and_counted(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MESSAGES_MAX", "CLIENTS_MAX", "ORDERS_MAX"):
        monkeypatch.setattr(inbox_module, name, 2)
    for number in range(3):
        inbox.peer("n2", [TimeoutNow(number)])
        inbox.order("rumour", str(number))
        assert inbox.room == max(0, 2 - number)
        if inbox.room:
            inbox.clients([FromClient(number, Get("a"))])
        else:
            inbox.refused()
    assert inbox.overflowed == 3
    assert inbox.received == 3
    assert len(inbox) == 6


def test_a_flood_is_taken_in_several_turns(inbox: Inbox) -> None:
    for number in range(inbox_module.TURN_MAX + 1):
        inbox.peer("n2", [TimeoutNow(number)])
    assert len(inbox.take()) == inbox_module.TURN_MAX
    assert len(inbox.take()) == 1
