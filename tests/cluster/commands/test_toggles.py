"""`set FIELD VALUE`: every field of the policy by name, each with values that a process can start with."""

from __future__ import annotations

import random

import msgspec
import pytest

from cluster.commands.toggles import DECIDERS, check_toggle, mistakes, mistakes_in, toggles, values, with_mistakes, with_toggle
from cluster.commands.words import Word
from cluster.core.errors import UsageError
from cluster.core.gossip.machine import Gossip
from cluster.core.policy import Policy

PARTS = {"raft": Policy().raft, "gossip": Policy().gossip, "detect": Policy().detect, "client": Policy().client}


def test_every_field_of_every_part_is_there_once() -> None:
    fields = [field for part in PARTS.values() for field in part.__struct_fields__]
    assert sorted(toggles()) == sorted(fields)
    assert len(set(fields)) == len(fields)


@pytest.mark.parametrize("field", sorted(toggles()))
def test_every_field_can_be_set_to_something_and_keeps_its_type(field: str) -> None:
    part = toggles()[field]
    default = getattr(PARTS[part], field)
    value = {bool: "off" if default is True else "on", str: "normal", int: "4", float: "5.5"}[type(default)]
    if field.endswith("_us"):
        value = "160ms"
    if field == "mtu_bytes":
        value = "1024"
    changed = with_toggle(Policy(), field, value)
    after = getattr(getattr(changed, part), field)
    assert after != default
    assert type(after) is type(default)
    # and nothing else has changed
    assert msgspec.structs.replace(getattr(changed, part), **{field: default}) == PARTS[part]


@pytest.mark.parametrize(
    ("field", "value", "wanted"),
    [
        ("pre_vote", "maybe", "on or off"),
        ("heartbeat_us", "50", "a duration such as 150ms, between 1ms and 1h"),
        ("heartbeat_us", "0ms", "a duration such as 150ms, between 1ms and 1h"),
        ("interval_us", "1us", "a duration such as 150ms, between 1ms and 1h"),
        ("timeout_us", "2h", "a duration such as 150ms, between 1ms and 1h"),
        ("decider", "phi", ", ".join(DECIDERS)),
        ("inflight_max", "0.5", "a whole number between 1 and 4096"),
        ("fanout", "2.7", "a whole number between 1 and 100"),
        ("fanout", "1000", "a whole number between 1 and 100"),
        ("mtu_bytes", "9000", "a whole number between 512 and 8192"),
        ("window", "100000000", "a whole number between 2 and 10000"),
        ("threshold", "0", "a number between 0.1 and 1000"),
        ("threshold", "nan", "a number between 0.1 and 1000"),
    ],
)
def test_a_value_that_no_process_could_work_with_is_refused(field: str, value: str, wanted: str) -> None:
    with pytest.raises(UsageError) as refused:
        check_toggle(Word(field, 5), Word(value, 20))
    assert str(refused.value) == f"column 20: {value!r} is not a value for {field}: {wanted}"
    with pytest.raises(UsageError, match=f"^'{value}' is not a value for {field}: {wanted}$"):
        with_toggle(Policy(), field, value)


def test_the_smallest_election_timeout_stays_below_the_largest() -> None:
    with pytest.raises(UsageError, match="election_min_us would be 2s, above election_max_us, 300ms: set the other one first"):
        with_toggle(Policy(), "election_min_us", "2s")
    slow = with_toggle(with_toggle(Policy(), "election_max_us", "4s"), "election_min_us", "2s")
    assert (slow.raft.election_min_us, slow.raft.election_max_us) == (2_000_000, 4_000_000)


@pytest.mark.parametrize(("field", "value"), [("mtu_bytes", "8192"), ("mtu_bytes", "512"), ("fanout", "100"), ("interval_us", "1ms")])
def test_a_node_starts_with_the_limits_of_gossip(field: str, value: str) -> None:
    policy = with_toggle(Policy(), field, value)
    Gossip("n1", [f"n{number}" for number in range(1, 101)], 1, policy.gossip, random.Random(1))


def test_what_can_be_listed_fits() -> None:
    for field in toggles():
        for value in values(field):
            check_toggle(Word(field, 1), Word(value, 1))
    assert values("pre_vote") == ("on", "off")
    assert values("decider") == DECIDERS
    assert values("heartbeat_us") == ()


def test_every_mistake_can_be_made_alone_and_is_then_told() -> None:
    assert mistakes_in(Policy()) == ()
    for name in mistakes():
        assert mistakes_in(with_mistakes(Policy(), [name])) == (name,)
    assert {"pre_vote", "ack_before_fsync", "retry_without_session"} <= set(mistakes())
