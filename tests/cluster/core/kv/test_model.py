"""The store against a model that keeps every state there ever was and looks everything up."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from cluster.core.kv.history import weights
from cluster.core.kv.ops import (
    COMPACTED,
    FUTURE,
    NO_LEASE,
    Branch,
    Cas,
    Compact,
    Compare,
    Delete,
    Deleted,
    DeleteRange,
    Get,
    Grant,
    KeepAlive,
    KeyValue,
    Leased,
    Page,
    Put,
    Range,
    Reply,
    Revoke,
    Stamped,
    TimeToLive,
    Txn,
    TxnStep,
    Write,
    encode_write,
)
from cluster.core.kv.store import Store
from cluster.core.types import SECOND

KEYS = st.sampled_from(["a", "ab", "b", "c", ""])
ENDS = st.none() | KEYS
VALUES = st.sampled_from(["0", "1", "2"])
LEASES = st.integers(0, 12)  # ids are indexes of early entries: often there is such a lease, often not
COMPARES = st.one_of(
    st.builds(Compare, KEYS, st.just("value"), st.sampled_from("=<>") | st.just("!="), VALUES),
    st.builds(
        Compare, KEYS, st.sampled_from(["version", "create", "mod", "lease"]), st.sampled_from("=<>") | st.just("!="), st.integers(0, 8)
    ),
)
STEPS = st.lists(
    st.one_of(
        st.builds(Put, KEYS, VALUES, st.just(0) | LEASES),
        st.builds(Delete, KEYS),
        st.builds(DeleteRange, KEYS, ENDS),
        st.builds(Range, KEYS, ENDS, st.integers(1, 3), st.integers(0, 9)),
    ),
    max_size=4,
)
State = dict[str, KeyValue]


def compared(compare: Compare, held: KeyValue | None) -> bool:
    if compare.target == "value" and held is None:
        return False
    name = {"create": "create_revision", "mod": "mod_revision"}.get(compare.target, compare.target)
    left = 0 if held is None else getattr(held, name)
    return {"=": left == compare.operand, "!=": left != compare.operand}.get(compare.relation) or bool(
        {"<": lambda: left < compare.operand, ">": lambda: left > compare.operand}.get(compare.relation, lambda: False)()
    )


def within(asked: Range | DeleteRange, key: str) -> bool:
    return asked.first <= key and (asked.end is None or key < asked.end)


class Model:
    """`states[r]` is everything there was at revision r."""

    def __init__(self) -> None:
        self.states: list[State] = [{}]
        self.compacted = 0
        self.leases: dict[int, list[int]] = {}  # id -> [ttl, deadline]
        self.time_us = 0

    @property
    def now(self) -> State:
        return self.states[-1]

    @property
    def revision(self) -> int:
        return len(self.states) - 1

    def at(self, revision: int) -> State | str:
        if revision > self.revision:
            return FUTURE
        if 0 < revision < self.compacted:
            return COMPACTED
        return self.states[revision] if revision else self.now

    def change(self, steps: list[TxnStep]) -> list[Reply]:
        """Perform steps under one new revision, if they change anything."""
        state, revision, changed, replies = dict(self.now), self.revision + 1, False, []
        for step in steps:
            if isinstance(step, Put):
                held = state.get(step.key)
                state[step.key] = KeyValue(
                    step.key,
                    step.value,
                    held.create_revision if held else revision,
                    revision,
                    held.version + 1 if held else 1,
                    step.lease,
                )
                changed = True
                replies.append(Reply("ok", revision=revision))
            elif isinstance(step, Range):
                view = state if not step.revision else self.at(step.revision)
                assert not isinstance(view, str)
                replies.append(Reply("ok", revision=revision if changed else revision - 1, body=page(step, view)))
            else:
                gone = [key for key in state if (key == step.key if isinstance(step, Delete) else within(step, key))]
                for key in gone:
                    del state[key]
                changed = changed or bool(gone)
                replies.append(Reply("ok", revision=revision if changed else revision - 1, body=Deleted(len(gone))))
        if changed:
            self.states.append(state)
        return replies

    def drop(self, lease: int) -> int:
        del self.leases[lease]
        keys = [key for key, held in self.now.items() if held.lease == lease]
        self.change([Delete(key) for key in keys])
        return len(keys)

    def advance(self, at_us: int) -> None:
        self.time_us = max(self.time_us, at_us)
        for _, lease in sorted((deadline, lease) for lease, (_, deadline) in self.leases.items() if deadline <= self.time_us):
            self.drop(lease)


def page(asked: Range, view: State) -> Page:
    held = [view[key] for key in sorted(view) if within(asked, key)]
    return Page(tuple(held[: asked.limit]), len(held) > asked.limit, len(held))


class StoreMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.store, self.model = Store(), Model()

    def apply(self, command: Write | Compact | Stamped) -> Reply:
        return self.store.apply(self.store.applied + 1, 1, 1, encode_write(command))

    @initialize(ttls=st.lists(st.integers(1, 5), min_size=2, max_size=2))
    def some_leases(self, ttls: list[int]) -> None:
        for ttl in ttls:
            self.grant(ttl, 0)

    # ---- writes

    @rule(key=KEYS, value=VALUES, lease=st.just(0) | LEASES)
    def put(self, key: str, value: str, lease: int) -> None:
        reply = self.apply(Put(key, value, lease))
        if lease and lease not in self.model.leases:
            assert (reply.outcome, reply.error) == ("fail", NO_LEASE)
        else:
            self.model.change([Put(key, value, lease)])
            assert reply == Reply("ok", revision=self.model.revision)

    @rule(key=KEYS)
    def delete(self, key: str) -> None:
        reply = self.apply(Delete(key))
        self.model.change([Delete(key)])
        assert reply == Reply("ok", revision=self.model.revision)

    @rule(first=KEYS, end=ENDS)
    def delete_range(self, first: str, end: str | None) -> None:
        reply = self.apply(DeleteRange(first, end))
        (expected,) = self.model.change([DeleteRange(first, end)])
        assert reply == expected

    @rule(key=KEYS, expect=st.none() | VALUES, value=VALUES)
    def cas(self, key: str, expect: str | None, value: str) -> None:
        held = self.model.now.get(key)
        reply = self.apply(Cas(key, expect, value))
        if (held.value if held else None) == expect:
            self.model.change([Put(key, value, held.lease if held else 0)])
            assert reply == Reply("ok", revision=self.model.revision)
        else:
            assert reply == Reply("ok", value=held.value if held else None, revision=self.model.revision, swapped=False)

    @rule(compares=st.lists(COMPARES, max_size=2), then=STEPS, otherwise=STEPS)
    def txn(self, compares: list[Compare], then: list[TxnStep], otherwise: list[TxnStep]) -> None:
        reply = self.apply(Txn(tuple(compares), tuple(then), tuple(otherwise)))
        if any(self.writes_twice(branch) for branch in (then, otherwise)):
            assert "writes a key once" in reply.error
            return
        holds = all(compared(each, self.model.now.get(each.key)) for each in compares)
        branch = then if holds else otherwise
        if any(self.cannot(step) for step in branch):
            assert reply.outcome == "fail"
            return
        replies = self.model.change(branch)
        assert reply == Reply("ok", revision=self.model.revision, body=Branch(holds, tuple(replies)))

    def writes_twice(self, steps: list[TxnStep]) -> bool:
        keys = [step.key for step in steps if isinstance(step, (Put, Delete))]
        covered = [key for key in keys for step in steps if isinstance(step, DeleteRange) and within(step, key)]
        return len(set(keys)) < len(keys) or bool(covered)

    def cannot(self, step: TxnStep) -> bool:
        if isinstance(step, Put):
            return step.lease != 0 and step.lease not in self.model.leases
        return isinstance(step, Range) and isinstance(self.model.at(step.revision), str)

    # ---- leases

    @rule(ttl=st.integers(1, 5), later=st.integers(0, 2))
    def grant(self, ttl: int, later: int) -> None:
        at_us = self.model.time_us + later * SECOND
        reply = self.apply(Stamped(at_us, Grant(ttl * SECOND)))
        self.model.advance(at_us)
        self.model.leases[self.store.applied] = [ttl * SECOND, at_us + ttl * SECOND]
        assert reply.body == Leased(self.store.applied, ttl * SECOND, ttl * SECOND)

    @rule(lease=LEASES, later=st.integers(0, 3))
    def keep_alive(self, lease: int, later: int) -> None:
        at_us = self.model.time_us + later * SECOND
        reply = self.apply(Stamped(at_us, KeepAlive(lease)))
        self.model.advance(at_us)
        if lease in self.model.leases:
            self.model.leases[lease][1] = at_us + self.model.leases[lease][0]
            assert reply.outcome == "ok"
        else:
            assert (reply.outcome, reply.error) == ("fail", NO_LEASE)

    @rule(lease=LEASES)
    def revoke(self, lease: int) -> None:
        reply = self.apply(Stamped(self.model.time_us, Revoke(lease)))
        if lease in self.model.leases:
            assert reply.body == Deleted(self.model.drop(lease))
        else:
            assert (reply.outcome, reply.error) == ("fail", NO_LEASE)

    @rule(by=st.integers(-2, 6))
    def time_passes(self, by: int) -> None:
        at_us = max(0, self.model.time_us + by * SECOND)
        self.apply(Stamped(at_us))
        self.model.advance(at_us)

    # ---- the past

    @rule(revision=st.integers(0, 30))
    def compact(self, revision: int) -> None:
        reply = self.apply(Compact(revision))
        if revision <= self.model.compacted:
            assert reply.error == COMPACTED
        elif revision > self.model.revision:
            assert reply.error == FUTURE
        else:
            assert reply.outcome == "ok"
            self.model.compacted = revision

    @rule(key=KEYS, back=st.integers(-1, 30))
    def read_the_past(self, key: str, back: int) -> None:
        revision = max(0, self.model.revision - back)
        reply, view = self.store.read(Get(key, revision=revision)), self.model.at(revision)
        if isinstance(view, str):
            assert (reply.outcome, reply.error) == ("fail", view)
        else:
            held = view.get(key)
            assert reply == Reply("ok", value=held.value if held else None, revision=self.model.revision)

    @rule(first=KEYS, end=ENDS, limit=st.integers(1, 5), back=st.integers(-1, 30))
    def range_over_the_past(self, first: str, end: str | None, limit: int, back: int) -> None:
        asked = Range(first, end, limit, max(0, self.model.revision - back))
        reply, view = self.store.read(asked), self.model.at(asked.revision)
        assert (reply.error if isinstance(view, str) else reply.body) == (view if isinstance(view, str) else page(asked, view))

    @precondition(lambda self: self.store.applied > 4)
    @rule()
    def begin_again_from_an_image(self) -> None:
        data = self.store.dump()
        self.store = Store.load(data)
        assert self.store.dump() == data

    # ---- always

    @invariant()
    def the_present_is_the_same(self) -> None:
        assert self.store.revision == self.model.revision
        assert {key: self.store.find(key) for key in self.model.now} == self.model.now
        assert len(self.store) == len(self.model.now)
        assert self.store.keys("", None) == sorted(self.model.now)

    @invariant()
    def leases_hold_their_keys(self) -> None:
        assert len(self.store.leases) == len(self.model.leases)
        for lease, (ttl_us, deadline_us) in self.model.leases.items():
            keys = tuple(sorted(key for key, held in self.model.now.items() if held.lease == lease))
            expected = Leased(lease, ttl_us, deadline_us - self.model.time_us, keys)
            assert self.store.read(TimeToLive(lease), self.model.time_us).body == expected
        earliest = min((deadline for _, deadline in self.model.leases.values()), default=None)
        if earliest is not None:
            assert (due := self.store.due_us()) is not None
            assert due <= earliest

    @invariant()
    def memory_is_accounted_for(self) -> None:
        held = [*self.store.base(), *self.store.history.changes]
        assert self.store._weight == weights(held)
        assert len(self.store.history.changes) == len(self.store.history.replaced)


TestStore = StoreMachine.TestCase
TestStore.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
