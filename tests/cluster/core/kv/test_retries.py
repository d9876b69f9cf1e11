"""Asking again: in a session it is harmless; without one the checker finds that a write was applied twice."""

from __future__ import annotations

import random

import pytest

from cluster.check.linearizability import check
from cluster.check.violation import OK, VIOLATED
from cluster.core.kv.ops import Cas, Get, InSession, Opened, OpenSession, Put, Reply, encode_write
from cluster.core.kv.retries import Retries, Wish
from cluster.core.kv.store import Store
from cluster.core.policy import ClientPolicy
from cluster.telemetry.control import HistoryLine

ONCE, SAFE, BLIND = ClientPolicy(), ClientPolicy(attempts=4), ClientPolicy(retry_without_session=True)
CLIENTS, STEPS = 4, 1_000


class Client:
    """Puts, swaps and gets on one key, one at a time, an attempt per turn."""

    def __init__(self, process: int, policy: ClientPolicy) -> None:
        self.process, self.retries = process, Retries(policy)
        self.asked: Put | Cas | Get | None = None
        self.wish: Wish | None = None
        self.attempt = 0
        self.seen: str | None = None


class World:
    """A store behind a network that loses requests and, worse, answers."""

    def __init__(self, policy: ClientPolicy, seed: int, loss: float = 0.3) -> None:
        self.dice, self.loss, self.store = random.Random(seed), loss, Store()
        self.clients = [Client(process, policy) for process in range(CLIENTS)]
        self.lines: list[HistoryLine] = []
        self.values = self.at_us = 0

    def run(self) -> list[HistoryLine]:
        for client in self.clients:
            if client.retries.needs_session:
                assert client.retries.opened(self.apply(client.retries.hello()))
        for _ in range(STEPS):
            client = self.dice.choice(self.clients)
            if client.asked is None:
                self.begin(client)
            else:
                self.attempt(client)
        return self.lines

    def apply(self, write: Put | Cas | InSession | OpenSession) -> Reply:
        return self.store.apply(self.store.applied + 1, 1, 1, encode_write(write))

    def begin(self, client: Client) -> None:
        luck = self.dice.random()
        self.values += 1
        if luck < 0.5:
            client.asked = Get("k")
        elif luck < 0.75:
            client.asked = Put("k", str(self.values))
        else:
            client.asked = Cas("k", client.seen, str(self.values))
        if not isinstance(client.asked, Get):
            client.wish, client.attempt = client.retries.begin(client.asked), 0
        self.tell(client, "invoke", None)

    def attempt(self, client: Client) -> None:
        assert client.asked is not None
        if isinstance(client.asked, Get):
            client.seen = self.store.get("k").value
            return self.tell(client, "ok", client.seen)
        assert client.wish is not None
        client.attempt += 1
        lost = self.dice.random()
        if lost >= self.loss / 2:
            reply = self.apply(client.retries.ask(client.wish))
            if lost >= self.loss:
                return self.end(client, reply)
        if client.attempt >= client.retries.attempts:
            self.end(client, Reply("unknown", error="nobody answered"))
        return None

    def end(self, client: Client, reply: Reply) -> None:
        assert client.wish is not None
        client.retries.settle(client.wish)
        if reply.outcome == "unknown":
            self.tell(client, "info", None)
            client.process += CLIENTS  # that process has an operation open for ever
        else:
            self.tell(client, "ok" if reply.outcome == "ok" and reply.swapped else "fail", None)

    def tell(self, client: Client, kind: str, read: str | None) -> None:
        self.at_us += 1_000
        match client.asked:
            case Put(value=value):
                f, said = "write", (value,)
            case Cas(expect=expect, value=value):
                f, said = "cas", (expect, value)  # type: ignore[assignment]
            case _:
                f, said = "read", () if kind == "invoke" else (read,)  # type: ignore[assignment]
        self.lines.append(HistoryLine(client.process, kind, f, "k", said, self.at_us, "n1"))
        if kind != "invoke":
            client.asked = None


@pytest.mark.parametrize("policy", [ONCE, SAFE], ids=["asked once", "asked again in a session"])
@pytest.mark.parametrize("seed", range(10))
def test_losses_alone_break_nothing(policy: ClientPolicy, seed: int) -> None:
    assert check(World(policy, seed).run()).state == OK


@pytest.mark.parametrize("seed", range(10))
def test_a_retry_without_a_session_is_found(seed: int) -> None:
    assert check(World(BLIND, seed).run()).state == VIOLATED


def test_without_losses_the_mistake_has_no_effect() -> None:
    """So that it is the second attempt that is found above, and nothing else."""
    assert check(World(BLIND, 1, loss=0.0).run()).state == OK


def test_asking_again_leaves_fewer_outcomes_unknown() -> None:
    unknown = {
        policy.attempts: sum(line.kind == "info" for seed in range(10) for line in World(policy, seed).run()) for policy in (ONCE, SAFE)
    }
    assert unknown[4] * 10 < unknown[1]


def test_numbers_are_kept_and_never_used_again() -> None:
    retries = Retries(SAFE)
    assert retries.needs_session
    assert retries.opened(Reply("ok", body=Opened(9)))
    first, second = retries.begin(Put("a", "1")), retries.begin(Put("b", "1"))
    assert retries.ask(first) == retries.ask(first) == InSession(9, 1, 1, Put("a", "1"))
    retries.settle(second)
    assert retries.ask(first) == InSession(9, 1, 1, Put("a", "1"))
    retries.settle(first)
    third = retries.begin(Put("c", "1"))
    assert retries.ask(third) == InSession(9, 3, 3, Put("c", "1"))


def test_a_session_that_was_refused_or_has_expired_is_asked_for_again() -> None:
    retries = Retries(SAFE)
    assert not retries.opened(Reply("fail", error="not leader"))
    retries.opened(Reply("ok", body=Opened(9)))
    assert not retries.needs_session
    old = retries.begin(Put("a", "1"))
    retries.expired(old)
    assert retries.needs_session
    retries.opened(Reply("ok", body=Opened(12)))
    new = retries.begin(Put("b", "1"))
    retries.settle(old)
    retries.expired(old)  # said late, of a session that is no longer ours
    assert retries.ask(new) == InSession(12, 1, 1, Put("b", "1"))
    assert retries.ask(old) == InSession(9, 1, 1, Put("a", "1"))
    assert not Retries(ONCE).needs_session
    assert not Retries(BLIND).needs_session
