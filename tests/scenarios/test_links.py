"""Words for links, and what the faults in force make of each."""

from __future__ import annotations

import pytest

from cluster.faults import LinkFault
from scenarios.links import AnswerFault, Link, Pair, Rule, Sides, Standing, in_force, pairs_of, proxied, read_sides, read_way

GROUPS = {"kv": ("kv1", "kv2", "kv3"), "redis": ("redis",)}
ROLES = {"kv.leader": ("kv2",), "kv.followers": ("kv1", "kv3"), "kv": GROUPS["kv"]}


@pytest.mark.parametrize(
    ("target", "sides"),
    [
        ("a b | c d", Sides((("a", "b"), ("c", "d")), one_way=False)),
        ("a|b|c", Sides((("a",), ("b",), ("c",)), one_way=False)),
        ("a>b", Sides((("a",), ("b",)), one_way=True)),
        ("kv.leader > kv.followers.1 kv.leader+1", Sides((("kv.leader",), ("kv.followers.1", "kv.leader+1")), one_way=True)),
        ("a", None), ("a | ", None), ("a > b > c", None), ("a | a", None), ("a, b | c", None), ("", None),
    ],
)  # fmt: skip
def test_sides_are_read_as_on_the_command_line(target: str, sides: Sides | None) -> None:
    assert read_sides(target) == sides


@pytest.mark.parametrize(("target", "way"), [("a>b", ("a", "b")), ("a | b", None), ("a b > c", None)])
def test_a_way_is_one_link_in_one_direction(target: str, way: Pair | None) -> None:
    assert read_way(target) == way


def across(target: str) -> set[Pair]:
    sides = read_sides(target)
    assert sides is not None
    return set(pairs_of(sides, lambda word: ROLES.get(word, (word,))))


def test_a_cut_parts_both_ways_and_an_arrow_one() -> None:
    assert across("a | b c") == {("a", "b"), ("b", "a"), ("a", "c"), ("c", "a")}
    assert across("a b > c") == {("a", "c"), ("b", "c")}
    assert across("a | b | c") == {(x, y) for x in "abc" for y in "abc" if x != y}
    assert across("kv.leader | kv.followers") == {("kv2", "kv1"), ("kv1", "kv2"), ("kv2", "kv3"), ("kv3", "kv2")}
    assert across("kv.leader > kv") == {("kv2", "kv1"), ("kv2", "kv3")}  # nobody is cut from itself


AB: Pair = ("a", "b")


def standing(step: int, do: str, **numbers: float) -> Standing:
    return Standing(step, do, frozenset({AB}), **numbers)


def test_rules_compose_in_any_order() -> None:
    slow = [standing(1, "slow", delay_ms=80, jitter_ms=20), standing(2, "slow", delay_ms=5)]
    steps = [standing(0, "cut"), *slow, standing(3, "loss", percent=20)]
    rules = in_force(steps, {})
    fault = rules[AB].fault
    assert (fault.cut, fault.delay_us, fault.jitter_us, round(fault.loss, 6)) == (True, 85_000, 20_000, 0.2)
    assert in_force(reversed(steps), {}) == rules
    assert in_force([], {}) == {}


def test_answers_gather_and_resets_stay() -> None:
    eaten, held = AnswerFault(0, "payment", ("p-1",), 1), AnswerFault(1, "payment", ("p-2",), 1, hold_ms=5.0)
    steps = [Standing(i, "drop_response", frozenset({AB}), answers=answers) for i, answers in enumerate((eaten, held))]
    assert in_force(steps, {AB: 2})[AB] == Rule(LinkFault("a", "b", lease=2), (eaten, held), resets=2)
    assert in_force([standing(0, "reset")], {AB: 1})[AB].refused
    assert not in_force([], {AB: 1})[AB].refused


def test_a_group_of_servers_gets_a_proxy_each() -> None:
    links = (Link("w1", "payd"), Link("w1", "kv"))
    assert [(one.name, one.src, one.dst) for one in proxied(links, GROUPS)] == [
        ("x1", "w1", "payd"), ("x2", "w1", "kv1"), ("x3", "w1", "kv2"), ("x4", "w1", "kv3"),
    ]  # fmt: skip


def test_one_server_gets_one() -> None:
    (one,) = proxied([Link("w1", "kv3")], GROUPS)
    assert (one.dst, one.backend, one.rank) == ("kv3", "kv", 2)
