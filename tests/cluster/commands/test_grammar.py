"""The operators' grammar, verb by verb: what it takes, and the one line that answers what it does not take."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.commands import model as m
from cluster.commands.dialect import of_run
from cluster.commands.grammar import parse
from cluster.commands.verbs import VERBS
from cluster.core.errors import UsageError

RIGHT: list[tuple[str, m.Command]] = [
    ("cut n1 n2 | n3 n4", m.Cut(sides=(("n1", "n2"), ("n3", "n4")))),
    ("cut leader > rest", m.Cut(sides=(("leader",), ("rest",)), one_way=True)),
    ("cut n1|n2|rest for 3s", m.Cut(sides=(("n1",), ("n2",), ("rest",)), for_us=3_000_000)),
    ("cut ring", m.CutShape(shape="ring")),
    ("cut bridge for 5s", m.CutShape(shape="bridge", for_us=5_000_000)),
    ("isolate leader,followers.1", m.Isolate(targets=("leader", "followers.1"))),
    ("pause leader 2s", m.Pause(targets=("leader",), for_us=2_000_000)),
    ("pause leader for 2s", m.Pause(targets=("leader",), for_us=2_000_000)),
    ("crash leader+1", m.Crash(targets=("leader+1",))),
    ("restart all", m.Restart(("all",))),
    ("wipe n3,n4", m.Wipe(("n3", "n4"))),
    ("slow n1>n2 80ms ±20ms", m.Slow(links=m.Links(("n1",), ("n2",)), delay_us=80_000, jitter_us=20_000)),
    ("slow leader 80ms for 3s", m.Slow(links=m.Links(("leader",)), delay_us=80_000, for_us=3_000_000)),
    ("loss minority 20%", m.Spoil(verb="loss", links=m.Links(("minority",)), chance=0.2)),
    ("dup all 5%", m.Spoil(verb="dup", links=m.Links(("all",)), chance=0.05)),
    ("reorder n1 > n2,n3 10% 4s", m.Spoil(verb="reorder", links=m.Links(("n1",), ("n2", "n3")), chance=0.1, for_us=4_000_000)),
    ("throttle n1>n2 64kB/s", m.Throttle(links=m.Links(("n1",), ("n2",)), bytes_per_s=64_000)),
    ("skew majority +500ms", m.Skew(targets=("majority",), skew_us=500_000)),
    ("skew n1 -2s for 1min", m.Skew(targets=("n1",), skew_us=-2_000_000, for_us=60_000_000)),
    ("drift any 1.02", m.Drift(targets=("any",), factor=1.02)),
    ("disk leader slow 200ms", m.Disk(targets=("leader",), mode="slow", delay_us=200_000)),
    ("disk n1 n2 hang for 2s", m.Disk(targets=("n1", "n2"), mode="hang", for_us=2_000_000)),
    ("disk n1 fail", m.Disk(targets=("n1",), mode="fail")),
    ("heal", m.Heal()),
    ("heal #3 4", m.Heal(ids=(3, 4))),
    ("heal leader", m.Heal(targets=("leader",))),
    ("undo", m.Undo()),
    ("freeze", m.Freeze()),
    ("thaw", m.Thaw()),
    ("reset", m.Reset()),
    ("add n6", m.Add(("n6",))),
    ("add n6,n7 n8 learner", m.Add(("n6", "n7", "n8"), learner=True)),
    ("remove leader", m.Remove(("leader",))),
    ("replace followers.1 n6", m.Replace(("followers.1",), "n6")),
    ("transfer followers.2", m.Transfer(("followers.2",))),
    ("put colour dark  blue", m.Put("colour", "dark  blue")),
    ("put a|b>c 1 > 0 | 1", m.Put("a|b>c", "1 > 0 | 1")),
    ("get colour", m.Get("colour")),
    ("get a>b serializable", m.Get("a>b", "serializable")),
    ("get a>b lease", m.Get("a>b", "lease")),
    ("workload on", m.Workload(None)),
    ("workload off", m.Workload(0)),
    ("workload 250", m.Workload(250)),
    ("rumour", m.Rumour()),
    ("rumour n1 > n2 | tea", m.Rumour("n1 > n2 | tea")),
    ("set pre_vote off", m.SetToggle("pre_vote", "off")),
]


@pytest.mark.parametrize(("text", "command"), RIGHT, ids=[text for text, _ in RIGHT])
def test_a_right_line_is_its_command(text: str, command: m.Command) -> None:
    assert parse(text) == command
    assert parse(f"  {text.replace(' for ', '   for  ')} ") == command


def test_every_verb_is_shown_right_above() -> None:
    assert {text.split()[0] for text, _ in RIGHT} == {verb.verb for verb in VERBS}


WRONG = [
    ("", "column 1: the line ends where a verb, such as in 'pause leader 2s', is expected"),
    ("kill n1", "column 1: there is no verb 'kill' (did you mean 'crash'?)"),
    ("delay n1>n2 5ms", "column 1: there is no verb 'delay' (did you mean 'slow'?)"),
    ("Pause n1", "column 1: there is no verb 'Pause' (did you mean 'pause'?)"),
    ("zzz", "column 1: there is no verb 'zzz'"),
    ("cut", "column 4: the line ends where a node or a role is expected"),
    ("cut n1", "column 7: the line ends where '|' (two sides) or '>' (one way) is expected"),
    ("cut n1 |", "column 9: the line ends where a node or a role is expected"),
    ("cut n1 | n2 > n3", "column 13: '>' is not '|' or the end of the line"),
    ("cut n1 > n2 > n3", "column 13: '>' is too much: 'cut' has all it takes, but for 'for 3s'"),
    ("cut xyz", "column 5: 'xyz' is not a node, a role, ring or bridge"),
    ("cut rings", "column 5: 'rings' is not a node, a role, ring or bridge (did you mean 'ring'?)"),
    ("cut n1 n2 5", "column 11: '5' is not '|' (two sides) or '>' (one way)"),
    ("isolate leadr", "column 9: 'leadr' is not a node (n1, n2 …) or a role (leader, followers, rest …) (did you mean 'leader'?)"),
    ("isolate n1, n2", "column 12: a node or a role is expected here: a list is written n1,n2 without spaces"),
    ("isolate n0", "column 9: 'n0' is not a node (n1, n2 …) or a role (leader, followers, rest …)"),
    ("isolate +1", "column 9: '+1' is not a node (n1, n2 …) or a role (leader, followers, rest …)"),
    ("heal followers.0", "column 6: 'followers.0' is not a fault's number, a node or a role (did you mean 'followers'?)"),
    ("pause leader 2", "column 14: '2' is too much: 'pause' has all it takes, but for 'for 3s'"),
    ("pause leader for", "column 17: the line ends where a duration such as 3s is expected"),
    ("pause leader for ever", "column 18: 'ever' is not a duration such as 3s or 500ms"),
    ("pause leader for -3s", "column 18: '-3s' is not a duration such as 3s or 500ms"),
    ("pause leader for 2h", "column 18: '2h' is not allowed: a fault lasts at most 1h"),
    ("pause leader for 2s now", "column 14: 'for' is not expected here: 'for 3s' stands at the end"),
    ("crash", "column 6: the line ends where a node or a role is expected"),
    ("restart n1 for 3s", "column 12: 'for' is too much: 'restart' has all it takes"),
    ("wipe 3", "column 6: '3' is not a node (n1, n2 …) or a role (leader, followers, rest …)"),
    ("slow n1>n2", "column 11: the line ends where a delay such as 80ms is expected"),
    ("slow n1>n2 80", "column 12: '80' is not a delay such as 80ms"),
    ("slow n1>n2 80ms 20ms", "column 17: '20ms' is not a jitter such as ±20ms (no larger than the delay)"),
    ("slow n1>n2 80ms ±90ms", "column 17: '±90ms' is not a jitter such as ±20ms (no larger than the delay)"),
    ("loss n1", "column 8: the line ends where a share such as 20% is expected"),
    ("loss n1 20", "column 9: '20' is not a share between 0% and 100%, such as 20%"),
    ("dup n1 101%", "column 8: '101%' is not a share between 0% and 100%, such as 20%"),
    ("reorder n1 0%", "column 12: '0%' is not a share between 0% and 100%, such as 20%"),
    ("throttle n1 fast", "column 13: 'fast' is not a rate such as 64kB/s"),
    ("throttle n1 99999999999999999MB/s", "column 13: '99999999999999999MB/s' is not a rate such as 64kB/s (at most 10000MB/s)"),
    ("skew n1", "column 8: the line ends where a signed duration such as +500ms is expected"),
    ("skew n1 0ms", "column 9: '0ms' is not a signed duration such as +500ms (at most 1h)"),
    ("skew n1 +61min", "column 9: '+61min' is not a signed duration such as +500ms (at most 1h)"),
    ("drift n1 0", "column 10: '0' is not a factor between 0.1 and 10, such as 1.02"),
    ("disk n1", "column 8: the line ends where slow, hang or fail is expected"),
    ("disk n1 slo", "column 9: 'slo' is not slow, hang or fail (did you mean 'slow'?)"),
    ("disk n1 slow", "column 13: the line ends where a delay such as 200ms is expected"),
    ("disk n1 hang 5ms", "column 14: '5ms' is too much: 'disk' has all it takes, but for 'for 3s'"),
    ("heal 3 now", "column 8: 'now' is not a fault's number, a node or a role"),
    ("heal 1234567890", "column 6: '1234567890' is not a fault's number, a node or a role"),
    ("heal ²", "column 6: '²' is not a fault's number, a node or a role"),
    ("undo 3", "column 6: '3' is too much: 'undo' has all it takes"),
    ("freeze for 3s", "column 8: 'for' is too much: 'freeze' has all it takes"),
    ("thaw now", "column 6: 'now' is too much: 'thaw' has all it takes"),
    ("reset all", "column 7: 'all' is too much: 'reset' has all it takes"),
    ("add", "column 4: the line ends where a node such as n6 is expected"),
    ("add leader", "column 5: 'leader' is not a node such as n6"),
    ("add n101", "column 5: 'n101' is not allowed: a lab has at most 100 nodes"),
    ("add n6 voter", "column 8: 'voter' is not a node such as n6"),
    ("add learner", "column 5: 'learner' is not a node such as n6"),
    ("remove", "column 7: the line ends where a node or a role is expected"),
    ("replace n1", "column 11: the line ends where a node such as n6 is expected"),
    ("replace n1 n6,n7", "one node takes another's place, not 2"),
    ("transfer", "column 9: the line ends where a node or a role is expected"),
    ("put", "column 4: the line ends where a key is expected"),
    ("put colour", "column 11: the line ends where a value is expected"),
    ("get", "column 4: the line ends where a key is expected"),
    ("get colour linear", "column 12: 'linear' is not linearizable, lease or serializable (did you mean 'linearizable'?)"),
    ("get colour serializable now", "column 25: 'now' is too much: 'get' has all it takes"),
    ("workload", "column 9: the line ends where on, off or a rate in operations per second is expected"),
    ("workload -5", "column 10: '-5' is not on, off or a rate of at most 100000 operations per second"),
    ("workload 100001", "column 10: '100001' is not on, off or a rate of at most 100000 operations per second"),
    ("set", "column 4: the line ends where a field of the policy is expected"),
    ("set pre_vote", "column 13: the line ends where a value is expected"),
    ("set prevote off", "column 5: 'prevote' is not a field of the policy (did you mean 'pre_vote'?)"),
    ("set pre_vote 3", "column 14: '3' is not a value for pre_vote: on or off"),
    ("rumour " + "x" * 201, "a rumour has at most 200 characters, this one has 201"),
    ("put " + "k" * 257 + " v", "column 5: a key has at most 256 bytes"),
    ("put a b\nheal", "column 8: '\\n' is no printable character"),
    ("rumour \x1b[2J", "column 8: '\\x1b' is no printable character"),
    ("put k \udcff", "column 7: '\\udcff' is no printable character"),
    ("x" * 2_001, "a line of 2001 characters is longer than the limit of 2000"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "answer"), WRONG, ids=[text[:30].encode("unicode_escape").decode() for text, _ in WRONG])
def test_a_wrong_line_gets_one_line_that_says_where_and_what_was_expected(text: str, answer: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse(text)
    assert str(refused.value) == answer


def test_every_verb_but_those_that_take_anything_is_shown_wrong_above() -> None:
    # `rumour` alone and `heal` alone are whole; they are refused above for what they do not take.
    assert {text.split()[0] for text, _ in WRONG if text} >= {verb.verb for verb in VERBS}


def test_a_cut_has_a_bounded_number_of_sides() -> None:
    with pytest.raises(UsageError, match="at most 16 sides, these are 17"):
        parse("cut " + " | ".join(f"n{number}" for number in range(1, 18)))


_SOUP = st.lists(
    st.one_of(
        st.sampled_from([verb.verb for verb in VERBS]),
        st.sampled_from(
            ["n1", "n99", "leader", "rest", "all", "leader+1", "followers.1", "|", ">", ",", "for", "3s", "80ms", "±20ms", "20%"]
        ),
        st.sampled_from(["64kB/s", "+500ms", "1.02", "slow", "hang", "#3", "ring", "on", "off", "pre_vote"]),
        st.text(max_size=6),
        st.text("0123456789", min_size=300, max_size=500),
    ),
    max_size=9,
)


@given(_SOUP)
def test_whatever_is_typed_parses_or_is_refused_in_one_line(words: list[str]) -> None:
    assert len(_answer(" ".join(words)).splitlines()) <= 1


def _answer(text: str) -> str:
    try:
        parse(text)
    except UsageError as refused:
        return str(refused)
    return ""


RUN = of_run(("w1", "w2", "payd"), {"fencing": ("off", "on")})


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("pause w1 2s", m.Pause(targets=("w1",), for_us=2_000_000)),
        ("crash w1,payd", m.Crash(targets=("w1", "payd"))),
        ("restart w2", m.Restart(("w2",))),
        ("heal w1", m.Heal(targets=("w1",))),
        ("cut w1 > payd for 1s", m.Cut(sides=(("w1",), ("payd",)), one_way=True, for_us=1_000_000)),
        ("set fencing on", m.SetToggle("fencing", "on")),
    ],
)
def test_in_a_run_processes_are_named_and_its_toggles_set(text: str, command: m.Command) -> None:
    assert parse(text, RUN) == command


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pause leader", "column 7: 'leader' is not a process of this run (w1, w2, payd)"),
        ("pause w11", "column 7: 'w11' is not a process of this run (w1, w2, payd) (did you mean 'w1'?)"),
        ("pause", "column 6: the line ends where a process is expected"),
        ("set pre_vote off", "column 5: 'pre_vote' is not a toggle that can be changed now (fencing)"),
        ("set fencing 2", "column 13: '2' is not a value of fencing: off, on"),
    ],
)
def test_in_a_run_what_is_wrong_names_what_there_is(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text, RUN)
    assert str(caught.value) == said
