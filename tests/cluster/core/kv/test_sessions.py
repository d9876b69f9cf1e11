"""Sessions: a write happens once however often it is sent, and what cannot be said exactly is called unknown."""

from __future__ import annotations

import pytest

from cluster.core.kv import sessions
from cluster.core.kv.ops import (
    NO_SESSION,
    Branch,
    Cas,
    CloseSession,
    Grant,
    InSession,
    KeepSession,
    Opened,
    OpenSession,
    Put,
    Range,
    Reply,
    Stamped,
    Txn,
)
from cluster.core.kv.sessions import SESSION_TTL_US, SESSIONS_MAX
from cluster.core.kv.store import Store
from cluster.core.types import SECOND
from tests.cluster.core.kv.entries import apply, done


def opened(store: Store, at_us: int = 0) -> int:
    (reply,) = done(store, Stamped(at_us, OpenSession()))
    assert isinstance(reply.body, Opened)
    return reply.body.session


def once(store: Store, session: int, sequence: int, write: Put | Cas | Txn | Grant, unanswered: int = 1) -> Reply:
    (reply,) = apply(store, InSession(session, sequence, unanswered, write))
    return reply


def test_a_write_sent_again_is_not_done_again_and_hears_the_same() -> None:
    store = Store()
    session = opened(store)
    first = once(store, session, 1, Put("k", "mine"))
    done(store, Put("k", "another's"))
    again = once(store, session, 1, Put("k", "mine"))
    assert again == first == Reply("ok", revision=1)
    assert store.get("k").value == "another's"


def test_a_compare_and_set_sent_again_does_not_say_that_it_lost_against_itself() -> None:
    store = Store()
    session = opened(store)
    done(store, Put("k", "1"))
    assert [once(store, session, 1, Cas("k", "1", "2")).swapped for _ in range(2)] == [True, True]
    assert not once(store, session, 2, Cas("k", "1", "2")).swapped


def test_failures_and_grants_are_remembered_too() -> None:
    store = Store()
    session = opened(store)
    refused = once(store, session, 1, Put("k", "v", lease=99))
    assert once(store, session, 1, Put("k", "v", lease=99)) == refused
    granted = once(store, session, 2, Grant(SECOND))
    assert once(store, session, 2, Grant(SECOND)) == granted
    assert len(store.leases) == 1


def test_sequences_may_overtake_each_other() -> None:
    store = Store()
    session = opened(store)
    assert [once(store, session, number, Put("k", str(number))).revision for number in (3, 1, 2, 3)] == [1, 2, 3, 1]


def test_answers_that_the_client_has_are_forgotten_and_then_unknown() -> None:
    store = Store()
    session = opened(store)
    for number in (1, 2, 3):
        once(store, session, number, Put("k", str(number)), unanswered=number)
    ((_, held),) = store.sessions.items()
    assert list(held.replies) == [3]
    late = once(store, session, 2, Put("k", "2"), unanswered=2)
    assert late.outcome == "unknown"
    assert store.get("k").value == "3"


def test_a_session_that_is_not_there_leaves_the_outcome_unknown() -> None:
    store = Store()
    reply = once(store, 77, 1, Put("k", "v"))
    assert (reply.outcome, reply.error) == ("unknown", NO_SESSION)
    assert store.find("k") is None


def test_a_session_ends_when_its_client_is_silent_by_the_logs_time() -> None:
    store = Store()
    silent, writing, idle = opened(store), opened(store), opened(store)
    done(store, Stamped(SECOND, InSession(writing, 1, 1, Put("k", "v"))), Stamped(SECOND, KeepSession(idle)))
    assert store.due_us() == SESSION_TTL_US
    done(store, Stamped(SESSION_TTL_US))
    assert [session for session, _ in store.sessions.items()] == [writing, idle]
    (late,) = apply(store, KeepSession(silent))
    assert (late.outcome, late.error) == ("fail", NO_SESSION)


def test_closing_ends_it() -> None:
    store = Store()
    session = opened(store)
    assert [reply.outcome for reply in apply(store, CloseSession(session), CloseSession(session))] == ["ok", "fail"]
    assert len(store.sessions) == 0


def test_of_too_many_the_one_that_was_silent_longest_ends() -> None:
    store = Store()
    first, second = opened(store), opened(store)
    for _ in range(SESSIONS_MAX - 2):
        opened(store)
    done(store, KeepSession(first))
    opened(store)
    held = [session for session, _ in store.sessions.items()]
    assert (first in held, second in held, len(held)) == (True, False, SESSIONS_MAX)


def test_large_answers_push_out_the_session_that_was_silent_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "REPLIES_CHARS_MAX", 50_000)
    store = Store()
    silent, busy = opened(store), opened(store)
    done(store, Put("k", "v" * 20_000))
    for session, number in ((silent, 1), (busy, 1), (busy, 2)):
        reply = once(store, session, number, Txn((), (Range("k"),)))
        assert isinstance(reply.body, Branch)
    assert [session for session, _ in store.sessions.items()] == [busy]
    assert Store.load(store.dump()).dump() == store.dump()
