"""What a card says of a group's timers and mistakes, as the policy of its nodes."""

from __future__ import annotations

from typing import Any

import pytest

from cluster.backends.etcd.policy import policy_of
from cluster.core.errors import UsageError
from cluster.core.types import MS


@pytest.mark.parametrize(
    ("timers", "scale", "expected_ms"),
    [
        ({}, 1.0, (100, 500, 1_000)),
        ({}, 2.0, (200, 1_000, 2_000)),
        ({"election": "300", "heartbeat": "T/3"}, 1.0, (100, 300, 600)),
        ({"election": "300", "heartbeat": "T*0.9", "spread": "narrow"}, 0.5, (135, 150, 165)),
        ({"election": "100", "heartbeat": "80", "spread": "wide"}, 1.0, (80, 100, 200)),
    ],
)
def test_timers(timers: dict[str, str], scale: float, expected_ms: tuple[int, int, int]) -> None:
    raft = policy_of({"timers_ms": timers}, scale).raft
    assert (raft.heartbeat_us, raft.election_min_us, raft.election_max_us) == tuple(number * MS for number in expected_ms)


def test_mistakes_are_fields_of_the_policy() -> None:
    raft = policy_of({"policy": {"pre_vote": "off", "check_quorum": "off", "ack_before_fsync": "on"}}, 1.0).raft
    assert (raft.pre_vote, raft.check_quorum, raft.ack_before_fsync) == (False, False, True)


PART = "milliseconds, or a part of the timeout such as T/3"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"timers_ms": {"elections": "1"}}, "timers_ms: there is no 'elections' (did you mean 'election'?)"),
        ({"timers_ms": {"election": "soon"}}, "timers_ms.election: expected milliseconds, not 'soon'"),
        ({"timers_ms": {"heartbeat": "T/0"}}, f"timers_ms.heartbeat: expected {PART}, not 'T/0'"),
        ({"timers_ms": {"spread": "2"}}, "timers_ms.spread: expected narrow or wide, not '2'"),
        ({"policy": {"pre_vot": "on"}}, "policy: there is no 'pre_vot' (did you mean 'pre_vote'?)"),
        ({"policy": {"pre_vote": "perhaps"}}, "'perhaps' is not a value for pre_vote: on or off"),
    ],
)
def test_what_cannot_be_is_one_line(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        policy_of(options, 1.0)
    assert str(caught.value) == said
