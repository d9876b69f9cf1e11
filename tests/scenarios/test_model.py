"""A wrong `incident.toml` is told in one line that names the file, the key and what was expected."""

from __future__ import annotations

from pathlib import Path

import pytest

import scenarios
from cluster.core.errors import UsageError
from scenarios.backends import needed
from scenarios.catalog import load
from scenarios.model import alone, arguments, calmed, choose, present, read_card, turned
from scenarios.parts import length_ms

FILE = Path(scenarios.__file__).parent / "election" / "stale_lock_holder" / "incident.toml"
TEXT = FILE.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('slug = "stale-lock-holder"', 'slug = "Stale"', "scenario.slug: 'Stale' is not words"),
        ("n = 2", 'n = "2"', "scenario.n: expected `int`, got `str`"),
        ("duration_s = 12.0", "duration_s = 0.0", "scenario.duration_s: expected more than 0"),
        ('mechanism = "selection"', 'mechanism = "luck"', "scenario.mechanism: invalid enum value 'luck'"),
        ('title = "Stale lock holder writes after TTL expiry"\n', "", "scenario: object missing required field `title`"),
        ('name = "fraud"', 'nom = "fraud"', "proc[0]: object contains unknown field `nom`"),
        ('name = "fraud"', 'name = "payd"', "proc[1].name: 'payd' is the name of proc[0] already"),
        ('name = "fraud"', 'name = "a-name/with"', "proc[0].name: 'a-name/with' is not a letter followed by"),
        ('"$lock"', '"$lok"', "proc[2].args.lock: '$lok' is neither $workload nor a toggle (did you mean 'lock'?)"),
        ('"$lock"', '"$fencing"', "proc[2].args.lock: fencing is hot, and an argument is read once: use process.toggle"),
        ('name = "fraud"', 'name = "fraud"\nwhen = "lock=raf"', "proc[0].when: 'lock=raf' is not TOGGLE=VALUE of this file"),
        ("worker.holds_all@w1", "worker.holds_all@w3", "proc[3].start_on: expected 'trace:EVENT@PROCESS'"),
        ('canonical = "on"', 'canonical = "yes"', "toggle[0].canonical: 'yes' is not one of off, on"),
        ('patterns = ["No fencing token"]', 'patterns = ["No token"]', "toggle[0].patterns: 'No token' is not among the seed's"),
        ("failpoint:pay.before_charge@w1", "pay.before_charge", "fault[0].on: expected 'failpoint:NAME@PROCESS' or"),
        ('target = "w1"', 'target = "w2"', "fault[0].target: at a failpoint a process acts on itself, so expected 'w1'"),
        ('do = "pause"', 'do = "explode"', "fault[0].do: invalid enum value 'explode'"),
        ('ms = "ttl_ms * 2.5"', 'ms = "soon"', "fault[0].ms: expected a number, a toggle named _ms, or 'TOGGLE * NUMBER', not 'soon'"),
        ("nth = 10", "nth = 0", "fault[0].nth: expected 1 or more"),
        ("args = { check_ms = 300 }", "args = { check_ms = 300 }\ncalm = { chek_ms = 0 }", "proc[0].calm.chek_ms: not among the args"),
        ('name = "fraud"', 'name = "kv2"', "backend.kv: 'kv2' is the name of another process already"),
        ('when = "lock=raft"', 'policy.pre_vote = "$lok"', "backend.kv.policy.pre_vote: '$lok' is no toggle (did you mean 'lock'?)"),
        ('when = "lock=raft"', 'policy.pre_votes = "on"', "backend.kv.policy: there is no 'pre_votes' (did you mean 'pre_vote'?)"),
        ('when = "lock=raft"', 'timers_ms.election = "$lock"', "backend.kv.timers_ms.election: expected milliseconds, not 'redis'"),
        ('when = "lock=redis"', 'policy.pre_vote = "on"', "backend.redis.policy: only backends of the kind 'etcd' have one"),
        ('when = "lock=redis"', "replicate = true", "backend.redis.replicate: expected two or more servers of the kind 'redis'"),
        ('when = "lock=redis"', 'when = "lock=radis"', "backend.redis.when: 'lock=radis' is not TOGGLE=VALUE of this file"),
        ("count = 5", "count = 0", "backend.redlock.count: expected 1 to 9"),
        ('fencing = "on" }\nwhy', 'fenzing = "on" }\nwhy', "conflict[0].toggles: 'fenzing=on' is not TOGGLE=VALUE of this file"),
        ("[verdict]", "[verdict", "Expected ']'"),
    ],
)
def test_a_wrong_field_names_file_key_and_expectation(old: str, new: str, said: str) -> None:
    assert old in TEXT
    with pytest.raises(UsageError) as caught:
        read_card(TEXT.replace(old, new, 1), "here/incident.toml")
    first = str(caught.value).splitlines()[0]
    assert first.startswith("here/incident.toml: ")
    assert said in first


def test_every_fault_of_a_file_is_told_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        read_card(TEXT.replace("nth = 10", "nth = 0").replace('canonical = "on"', 'canonical = "yes"', 1), "f")
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("fencing", "--set fencing: expected TOGGLE=VALUE"),
        ("fenzing=on", "has no toggle 'fenzing' (did you mean 'fencing'?)"),
        ("fencing=maybe", "fencing=maybe: expected one of off, on"),
    ],
)
def test_a_wrong_setting_is_one_clear_line(setting: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        choose(load("stale-lock-holder").card, "broken", [setting])
    assert said in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_hot_toggle_is_changed_and_no_other() -> None:
    card = load("stale-lock-holder").card
    before = choose(card, "broken", [])
    assert turned(card, before, "fencing", "on") == {**before, "fencing": "on"}
    for name, value, said in (
        ("lock", "redlock5", "lock cannot be changed while the run goes on; what can: fencing"),
        ("fencing", "maybe", "expected one of off, on"),
        ("fenzing", "on", "has no toggle 'fenzing'"),
    ):
        with pytest.raises(UsageError, match=said):
            turned(card, before, name, value)


def test_a_value_that_is_known_and_cannot_be_had_says_why() -> None:
    values = 'values = ["redis", "redlock5", "raft"]'
    assert values in TEXT
    card = read_card(TEXT.replace(values, f'{values}\nrefused.paper = "it tears"'), "f")
    with pytest.raises(UsageError, match="lock=paper cannot be had: it tears"):
        choose(card, "broken", ["lock=paper"])


def test_what_makes_no_sense_together_says_why() -> None:
    with pytest.raises(UsageError, match=r"lock=redlock5 with fencing=on: Redlock has no number that grows"):
        choose(load("stale-lock-holder").card, "canonical", ["lock=redlock5"])


def test_what_makes_no_sense_alone_says_why() -> None:
    found = alone(load("lock-leak-crash").card)
    assert [setting for setting, why in found.items() if why] == ["crash=midway"]
    assert "there is nothing between the two" in found["crash=midway"]
    assert found["ttl=2s"] == ""


def test_only_the_backends_that_are_used_are_needed() -> None:
    card = read_card(TEXT, "f")
    assert list(needed(card.backend, choose(card, "broken", []))) == ["redis"]
    assert list(needed(card.backend, choose(card, "broken", ["lock=redlock5"]))) == ["redlock"]


def test_only_the_processes_that_are_wanted_are_there() -> None:
    card = read_card(TEXT.replace('name = "fraud"', 'name = "fraud"\nwhen = "fencing=on"'), "f")
    assert [proc.name for proc in present(card, choose(card, "broken", [])).proc] == ["payd", "w1", "w2"]
    assert [proc.name for proc in present(card, choose(card, "canonical", [])).proc] == ["fraud", "payd", "w1", "w2"]


def test_arguments_and_pauses_follow_toggles_and_scale() -> None:
    card = read_card(TEXT, "f")
    toggles = choose(card, "broken", ["ttl_ms=500"])
    given = arguments(card.proc[2], toggles, [{"id": "order-1"}], scale=2.0)
    assert given["ttl_ms"] == 1_000.0
    assert given["poll_ms"] == 200.0
    assert given["orders"] == [{"id": "order-1"}]
    assert given["watchdog"] == "off"
    assert length_ms(card.fault[0].ms, toggles, scale=2.0) == 2_500.0


def test_without_its_trouble_an_incident_has_no_faults_and_calm_arguments() -> None:
    card = calmed(load("bloom-skips-urls").card)
    assert next(proc for proc in card.proc if proc.name == "filter").args["history"] == 0
    assert calmed(read_card(TEXT, "f")).fault == ()
