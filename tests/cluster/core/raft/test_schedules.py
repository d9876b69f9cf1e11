"""Random schedules: a correct policy keeps every law; each mistake breaks one, which is how the monitors are proven."""

from __future__ import annotations

import msgspec
import pytest

from cluster.core.policy import RaftPolicy
from tests.cluster.core.raft.chaos import USUAL, Chances, Chaos, Exercised, first_violation

SEEDS = 250
STEPS = 450

NOTHING = Chances(**dict.fromkeys(Chances.__struct_fields__, 0.0))
REIGNS = msgspec.structs.replace(NOTHING, reign=1)
# Elections, crashes and quick restarts, and hardly anything else.
RESTARTS = Chances(tick=30, persist=60, propose=1, read=0, crash=6, restart=20, transfer=0)
# Leaders that are cut off and asked all the same.
LEASES = Chances(heal=4, usurp=6, crash=0, transfer=0, change=0)
# Elections that pre-vote and check-quorum would have spared.
NAIVE = {"pre_vote": False, "check_quorum": False}


def test_a_correct_cluster_keeps_every_law() -> None:
    total = Exercised()
    for seed in range(SEEDS):
        done = Chaos(seed, RaftPolicy()).run(STEPS)
        for field in Exercised.__struct_fields__:
            setattr(total, field, getattr(total, field) + getattr(done, field))
    # A run that exercised nothing proves nothing.
    assert total.acked > 5 * SEEDS
    assert total.reads > 2 * SEEDS
    assert total.leaders > SEEDS
    assert total.crashes > SEEDS
    assert total.truncations > 10
    assert total.snapshots > SEEDS
    assert total.installs > 20
    assert total.changes > SEEDS
    assert total.joint > SEEDS // 10


@pytest.mark.parametrize("chances", [USUAL, RESTARTS, REIGNS], ids=["usual", "restarts", "reigns"])
def test_without_pre_vote_and_check_quorum_safety_holds_all_the_same(chances: Chances) -> None:
    assert first_violation(RaftPolicy(**NAIVE), range(60), 40 if chances is REIGNS else STEPS, chances) is None


@pytest.mark.parametrize(
    ("policy", "chances", "steps", "law"),
    [
        (RaftPolicy(forget_vote_on_restart=True, **NAIVE), RESTARTS, 400, "one vote per term"),
        (RaftPolicy(ack_before_fsync=True), USUAL, STEPS, "acknowledged entries are durable"),
        (RaftPolicy(commit_old_terms_by_counting=True, **NAIVE), REIGNS, 40, "leader completeness"),
        (RaftPolicy(serve_reads_locally=True), USUAL, STEPS, "reads are fresh"),
        (RaftPolicy(append_without_prev_check=True), USUAL, STEPS, "log matching|state machine safety|durable"),
        (RaftPolicy(credit_acks_to_wrong_follower=True, **NAIVE), REIGNS, 40, "leader completeness"),
        (RaftPolicy(lease_outlives_election=True), LEASES, STEPS, "reads are fresh"),
        (RaftPolicy(overlapping_changes=True), USUAL, STEPS, "quorums overlap"),
        (RaftPolicy(apply_before_commit=True), USUAL, STEPS, "state machine safety"),
    ],
    ids=lambda value: "" if not isinstance(value, RaftPolicy) else mistakes(value),
)
def test_each_mistake_breaks_a_law(policy: RaftPolicy, chances: Chances, steps: int, law: str) -> None:
    found = first_violation(policy, range(300), steps, chances)
    assert found is not None, "the mistake went unnoticed"
    assert any(name in found[1] for name in law.split("|")), found


def mistakes(policy: RaftPolicy) -> str:
    default = RaftPolicy()
    names = [name for name in policy.__struct_fields__ if getattr(policy, name) != getattr(default, name)]
    return "+".join(name for name in names if name not in NAIVE)
