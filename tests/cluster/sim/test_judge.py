"""The judge of a run forgets what clients left behind, and only that; what it forgets it has judged to the end."""

from __future__ import annotations

import pytest

from cluster.check import register
from cluster.sim.judge import ERA_KEYS_KEPT, Judge, Violated
from cluster.sim.setup import Setup
from cluster.sim.world import World
from cluster.telemetry.control import HistoryLine
from tests.cluster.check.histories import history

# Too crowded to keep every explanation when there is no room, and a write adrift in it.
CROWD = "1 invoke w a\n2 invoke w b\n3 invoke c a d\n1 info w a\n2 ok w b\n5 invoke w e\n5 ok w e\n6 invoke w f\n6 ok w f\n3 fail c a d"
ADRIFT = "1 invoke w a\n1 ok w a\n2 invoke w b\n2 info w b"


def judge() -> Judge:
    return World(Setup(seed=0)).judge


def use(judge: Judge, key: str, story: str = ADRIFT) -> None:
    for line in history(story, key):
        judge.history(line)


def use_eras(judge: Judge, first: int, count: int) -> None:
    for era in range(first, first + count):
        use(judge, f"{era}/k0")


def test_keys_left_behind_are_forgotten_with_writes_adrift() -> None:
    told = judge()
    use_eras(told, 0, 10 * ERA_KEYS_KEPT)
    assert told._checker.keys == ERA_KEYS_KEPT
    assert told._checker.checked == 2 * 10 * ERA_KEYS_KEPT


def test_a_key_that_somebody_has_open_is_kept_and_judged_when_it_returns() -> None:
    told = judge()
    use(told, "0/k0", f"{ADRIFT}\n7 invoke r")
    use_eras(told, 1, 2 * ERA_KEYS_KEPT)
    assert "0/k0" in told._checker._keys
    with pytest.raises(Violated):
        told.history(HistoryLine(7, "ok", "read", "0/k0", ("nonsense",), 9_000, "n1"))


def test_a_violation_that_waits_on_a_key_is_found_when_the_key_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(register, "CROWD", -1)
    monkeypatch.setattr(register, "CROWD_CONFIGS_MAX", 1)
    monkeypatch.setattr(register, "CROWD_STEPS_MAX", 1)
    told = judge()
    use(told, "0/k0", f"{CROWD}\n4 invoke r\n4 ok r nonsense")
    with pytest.raises(Violated, match="nonsense"):
        use_eras(told, 1, ERA_KEYS_KEPT + 1)


def test_a_key_that_was_left_behind_is_not_taken_for_a_new_one() -> None:
    told = judge()
    use_eras(told, 0, 2 * ERA_KEYS_KEPT)
    with pytest.raises(AssertionError, match="left behind"):
        use(told, "0/k0")


def test_a_long_run_under_faults_holds_the_newest_keys_alone() -> None:
    world = World(Setup(seed=0, faults=("crash", "cut"), clients=6, think_us=2_000))
    world.begin()
    world.run(200_000)
    assert world.judge.done.unknown > 20, "there were keys that could not settle"
    assert world.keys.era > 20
    assert world.judge._checker.keys <= ERA_KEYS_KEPT
