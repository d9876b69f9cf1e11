"""Profiles keep the laws of timing, every mistake can be made, and a lab that cannot be is refused in words."""

from __future__ import annotations

import msgspec
import pytest

from cluster.commands.toggles import mistakes, mistakes_in
from cluster.core.errors import UsageError
from cluster.core.policy import Policy, RaftPolicy
from cluster.supervisor.profiles import PROFILES, check_spec, nodes_of, policy_of, state_interval_us, voters_of
from cluster.telemetry.control import LabSpec


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("nodes", [1, 5, 20, 21, 50, 100])
def test_a_heartbeat_is_a_third_of_the_smallest_election_timeout_or_less(profile: str, nodes: int) -> None:
    raft = policy_of(LabSpec(profile=profile, nodes=nodes)).raft
    assert raft.heartbeat_us * 3 <= raft.election_min_us < raft.election_max_us
    assert raft.storage_stall_us > raft.election_max_us
    assert raft.transfer_timeout_us >= raft.election_min_us


@pytest.mark.parametrize("profile", PROFILES)
def test_many_nodes_speak_less_often_and_are_suspected_later(profile: str) -> None:
    few, many = policy_of(LabSpec(profile=profile, nodes=20)), policy_of(LabSpec(profile=profile, nodes=21))
    assert few == PROFILES[profile]
    assert many.gossip.interval_us == max(few.gossip.interval_us, 250_000)
    slower = many.gossip.interval_us / few.gossip.interval_us
    for field in ("std_floor_us", "acceptable_pause_us", "first_estimate_us", "timeout_us"):
        assert getattr(many.detect, field) == round(getattr(few.detect, field) * slower)
    assert state_interval_us(LabSpec(nodes=21)) > state_interval_us(LabSpec(nodes=20))


def test_no_profile_makes_a_mistake() -> None:
    assert all(mistakes_in(policy) == () for policy in PROFILES.values())


def _yes_or_no(policy: Policy) -> dict[str, bool]:
    """Every boolean field of every part."""
    parts = [getattr(policy, name) for name in policy.__struct_fields__]
    return {
        field: getattr(part, field)
        for part in parts if isinstance(part, msgspec.Struct)
        for field in part.__struct_fields__ if isinstance(getattr(part, field), bool)
    }  # fmt: skip


@pytest.mark.parametrize("mistake", mistakes())
def test_every_mistake_can_be_made_and_is_named(mistake: str) -> None:
    policy = policy_of(LabSpec(mistakes=(mistake,)))
    assert mistakes_in(policy) == (mistake,)
    changed = {field for field, value in _yes_or_no(policy).items() if value != _yes_or_no(Policy())[field]}
    assert changed == {mistake}


def test_every_yes_or_no_of_raft_is_a_mistake_one_way() -> None:
    booleans = {field for field in RaftPolicy.__struct_fields__ if isinstance(getattr(RaftPolicy(), field), bool)}
    assert booleans <= set(mistakes())
    assert set(mistakes_in(policy_of(LabSpec(mistakes=tuple(mistakes()))))) == set(mistakes())


def test_a_policy_given_whole_is_taken_as_it_is() -> None:
    own = Policy(raft=RaftPolicy(heartbeat_us=7_000))
    assert policy_of(LabSpec(policy=own, nodes=50)) == own


@pytest.mark.parametrize(("nodes", "voters", "named"), [(1, 0, 1), (4, 0, 4), (5, 0, 5), (50, 0, 5), (50, 7, 7), (3, 3, 3)])
def test_who_votes(nodes: int, voters: int, named: int) -> None:
    spec = LabSpec(nodes=nodes, voters=voters)
    assert len(nodes_of(spec)) == nodes
    assert voters_of(spec) == tuple(f"n{number}" for number in range(1, named + 1))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"nodes": 0}, "a lab has 1 to 100 nodes, not 0"),
        ({"nodes": 101}, "a lab has 1 to 100 nodes, not 101"),
        ({"nodes": 3, "voters": 4}, "4 of 3 nodes cannot vote"),
        ({"voters": -1}, "-1 of 5 nodes cannot vote"),
        ({"profile": "lam"}, "there is no profile 'lam' (did you mean 'lan'?)"),
        ({"workload_rate": -1.0}, "the workload has 1 to 32 clients and at most 100000 operations per second"),
        ({"workload_rate": float("nan")}, "the workload has 1 to 32 clients and at most 100000 operations per second"),
        ({"clients": 0}, "the workload has 1 to 32 clients and at most 100000 operations per second"),
        ({"mistakes": ("prevote",)}, "there is no mistake 'prevote' (did you mean 'pre_vote'?)"),
        ({"mistakes": ("heartbeat_us",)}, "there is no mistake 'heartbeat_us'"),
    ],
)
def test_a_lab_that_cannot_be_is_refused_in_one_line(change: dict[str, object], reason: str) -> None:
    check_spec(LabSpec())
    with pytest.raises(UsageError) as refused:
        check_spec(msgspec.structs.replace(LabSpec(), **change))
    assert str(refused.value).split("; there are: ")[0] == reason
