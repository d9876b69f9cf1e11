"""Leases, sessions, watches and transactions through whole replicas: what survives an election, and whose clock counts."""

from __future__ import annotations

import pytest

from cluster.core.effects import FromClient
from cluster.core.kv.ops import (
    NO_LEASE,
    NO_SESSION,
    SERIALIZABLE,
    Acknowledge,
    Branch,
    Cas,
    Changes,
    Compare,
    Get,
    Grant,
    InSession,
    KeepAlive,
    KeyValue,
    Leased,
    Opened,
    OpenSession,
    Page,
    Put,
    Range,
    TimeToLive,
    Txn,
    Unwatch,
    Watch,
)
from cluster.core.kv.sessions import SESSION_TTL_US
from cluster.core.types import MS, SECOND, VALUE_BYTES_MAX, NodeId, Role
from tests.cluster.core.test_replica import Lab


@pytest.fixture
def lab() -> Lab:
    lab = Lab(3, 3)
    lab.run(1 * SECOND)
    return lab


def granted(lab: Lab, ttl_us: int) -> int:
    body = lab.asked(lab.leader, Grant(ttl_us)).body
    assert isinstance(body, Leased)
    return body.lease


def opened(lab: Lab) -> int:
    body = lab.asked(lab.leader, OpenSession()).body
    assert isinstance(body, Opened)
    return body.session


def depose(lab: Lab) -> NodeId:
    """Another leader; the old one stays cut off."""
    old = lab.leader
    lab.cut = {old}
    lab.run(1 * SECOND)
    (new,) = [name for name in lab.voters if name != old and lab.replicas[name].role is Role.LEADER]
    return new


def seen(lab: Lab, token: int) -> list[KeyValue]:
    found: list[KeyValue] = []
    for reply in lab.streams.get(token, []):
        assert isinstance(reply.body, Changes)
        found += reply.body.changes
    return found


# ---- bounds

TOO_LONG = "v" * (VALUE_BYTES_MAX + 1)


@pytest.mark.parametrize(
    "operation",
    [Put("k" * 300, "v"), Put("é" * 200, "v"), Put("k", TOO_LONG), Get("k" * 257), Cas("k", TOO_LONG, "v")],
    ids=["key", "key in UTF-8", "value", "key of a read", "expected value"],
)
def test_keys_and_values_are_bounded_in_bytes(lab: Lab, operation: Put | Get | Cas) -> None:
    before = lab.replicas[lab.leader].raft.last_index  # type: ignore[union-attr]
    reply = lab.asked(lab.leader, operation)
    assert reply.outcome == "fail"
    assert "exceeds" in reply.error
    assert lab.replicas[lab.leader].raft.last_index == before  # type: ignore[union-attr]


# ---- leases


def test_a_lease_lasts_its_time_and_not_much_longer(lab: Lab) -> None:
    lease = granted(lab, 2 * SECOND)
    lab.asked(lab.leader, Put("here", "n1", lease))
    lab.run(1_900 * MS)
    assert lab.asked(lab.leader, Get("here")).value == "n1"
    lab.run(200 * MS)
    assert lab.asked(lab.leader, Get("here")).value is None
    assert lab.asked(lab.leader, KeepAlive(lease)).error == NO_LEASE
    lab.run(200 * MS)
    assert len({lab.replicas[name].store.digest for name in lab.names}) == 1


def test_a_lease_expires_while_readers_never_let_the_leader_rest(lab: Lab) -> None:
    lease = granted(lab, 200 * MS)
    lab.asked(lab.leader, Put("here", "n1", lease))
    for _ in range(40):  # each read is confirmed by a round of messages, so that no heartbeat is ever due
        lab.run(20 * MS)
        reply = lab.asked(lab.leader, Get("here"))
    assert reply.value is None


def test_a_lease_that_is_kept_alive_stays(lab: Lab) -> None:
    lease = granted(lab, 1 * SECOND)
    for _ in range(5):
        lab.run(800 * MS)
        assert lab.asked(lab.leader, KeepAlive(lease)).outcome == "ok"
    body = lab.asked(lab.leader, TimeToLive(lease)).body
    assert isinstance(body, Leased)
    assert body.left_us == 1 * SECOND


def test_nothing_is_proposed_for_time_as_long_as_nothing_is_due(lab: Lab) -> None:
    granted(lab, 100 * SECOND)
    raft = lab.replicas[lab.leader].raft
    assert raft is not None
    before = raft.last_index
    lab.run(20 * SECOND)
    assert raft.last_index == before


def test_an_election_never_shortens_a_lease(lab: Lab) -> None:
    lease = granted(lab, 2 * SECOND)
    lab.asked(lab.leader, Put("here", "n1", lease))
    lab.run(1_500 * MS)
    new = depose(lab)
    assert lab.asked(new, Get("here")).value == "n1"  # 2.5 s after it was granted: nobody's clock ran in between
    lab.run(3 * SECOND)
    assert lab.asked(new, Get("here")).value is None


# ---- sessions


def test_a_write_asked_again_at_the_next_leader_is_done_once(lab: Lab) -> None:
    session = opened(lab)
    lab.asked(lab.leader, Put("k", "1"))
    write = InSession(session, 1, 1, Cas("k", "1", "2"))
    first = lab.asked(lab.leader, write)
    again = lab.asked(depose(lab), write)
    assert first.swapped
    assert again == first
    assert not lab.asked(depose_back(lab), Cas("k", "1", "2")).swapped


def depose_back(lab: Lab) -> NodeId:
    lab.cut = set()
    lab.run(1 * SECOND)
    return lab.leader


def test_a_session_ends_on_the_leaders_clock_alike_everywhere(lab: Lab) -> None:
    session = opened(lab)
    lab.run(SESSION_TTL_US + 1 * SECOND)
    reply = lab.asked(lab.leader, InSession(session, 1, 1, Put("k", "v")))
    assert (reply.outcome, reply.error) == ("unknown", NO_SESSION)
    lab.run(1 * SECOND)
    assert [len(lab.replicas[name].store.sessions) for name in lab.names] == [0, 0, 0]


# ---- watches, at any replica


@pytest.mark.parametrize("at", ["leader", "follower"])
def test_a_watch_sees_what_is_committed_and_nothing_else(lab: Lab, at: str) -> None:
    node = lab.leader if at == "leader" else next(name for name in lab.voters if name != lab.leader)
    watch = lab.ask(node, Watch("k", None))
    lab.asked(lab.leader, Put("k", "1"))
    lab.asked(lab.leader, Txn((Compare("k", "value", "=", "1"),), (Put("k", "2"), Put("k2", "2"))))
    lab.run(200 * MS)
    assert [(each.key, each.value, each.mod_revision) for each in seen(lab, watch)] == [("k", "1", 1), ("k", "2", 2), ("k2", "2", 2)]
    leader = lab.leader
    lab.cut = {leader}
    lab.ask(leader, Put("k", "never committed"))
    lab.run(100 * MS)
    assert len(seen(lab, watch)) == 3


def test_a_watch_ends_when_its_client_says_so(lab: Lab) -> None:
    watch = lab.ask(lab.leader, Watch("", None))
    lab.asked(lab.leader, Put("k", "1"))
    for order in (Acknowledge(0), Unwatch(0)):
        lab.handle(lab.leader, FromClient(watch, order))
    assert lab.answers[watch].outcome == "ok"
    lab.asked(lab.leader, Put("k", "2"))
    assert [each.value for each in seen(lab, watch)] == ["1"]


def test_a_watch_of_a_lease_sees_the_keys_go(lab: Lab) -> None:
    lease = granted(lab, 1 * SECOND)
    watch = lab.ask(lab.leader, Watch("here", None))
    lab.asked(lab.leader, Put("here", "n1", lease))
    lab.run(1_200 * MS)
    assert [(each.value, each.version) for each in seen(lab, watch)] == [("n1", 1), ("", 0)]


# ---- reads


def test_a_range_reads_the_past_linearizably_or_from_any_replica(lab: Lab) -> None:
    lab.asked(lab.leader, Put("a", "1"))
    lab.asked(lab.leader, Put("a", "2"))
    lab.run(100 * MS)
    for node, mode in ((lab.leader, "linearizable"), (lab.leader, "lease"), ("n1", SERIALIZABLE), ("n3", SERIALIZABLE)):
        body = lab.asked(node, Range("a", None, revision=1, mode=mode)).body
        assert body == Page((KeyValue("a", "1", 1, 1, 1),), False, 1)


def test_what_is_unfit_is_refused_before_it_is_proposed(lab: Lab) -> None:
    raft = lab.replicas[lab.leader].raft
    assert raft is not None
    before = raft.last_index
    for operation in (Txn((), (Put("k", ""), Put("k", ""))), Grant(1), Get("k", "eventually"), InSession(1, 1, 9, Put("k", "v"))):
        assert lab.asked(lab.leader, operation).outcome == "fail"
    assert raft.last_index == before


def test_a_transaction_answers_with_its_branch(lab: Lab) -> None:
    body = lab.asked(lab.leader, Txn((Compare("k", "version", "=", 0),), (Put("k", "1"),), (Range("k"),))).body
    assert isinstance(body, Branch)
    assert body.succeeded
