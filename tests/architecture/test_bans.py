"""The bans hold over the whole tree, and every one of them bites."""

from __future__ import annotations

import textwrap

import pytest

from tests.architecture import bans
from tests.architecture.source import PRODUCT, Source, paths, report, sources

EVERYWHERE = (*PRODUCT, "requirements/", "tests/")

RULES = [
    pytest.param(bans.builtins, bans.PURE, id="builtins"),
    pytest.param(bans.clocks_and_dice, bans.PURE, id="clocks-and-dice"),
    pytest.param(bans.hash_values, bans.REPEATABLE, id="hash-values"),
    pytest.param(bans.set_order, bans.REPEATABLE, id="set-order"),
    pytest.param(bans.swallowed, EVERYWHERE, id="swallowed-errors"),
    pytest.param(bans.unsafe, EVERYWHERE, id="pickle-and-eval"),
    pytest.param(bans.half_caught, PRODUCT, id="undecodable-bytes"),
    pytest.param(bans.loose_tasks, PRODUCT, id="loose-tasks"),
    pytest.param(bans.sleeps, ("tests/",), id="sleeping-tests"),
    pytest.param(bans.unopened, PRODUCT, id="module-heads"),
]


@pytest.mark.parametrize(("check", "where"), RULES)
def test_the_tree_keeps_the_rule(check: bans.Check, where: tuple[str, ...]) -> None:
    findings = [finding for source in sources(*where) for finding in check(source)]
    assert not findings, report(findings)


def test_file_names_say_what_is_inside() -> None:
    findings = [finding for path in paths() if path.endswith(".py") for finding in bans.vague_names(path)]
    assert not findings, report(findings)


def test_listed_exceptions_still_exist() -> None:
    assert not [path for path in (*bans.LOOSE_TASKS, *bans.POLLS) if path not in paths()]


PLANTED = [
    (bans.builtins, "def step(path): return open(path)"),
    (bans.builtins, "print('x')"),
    (bans.builtins, "steps = list(map(input, []))"),
    (bans.hash_values, "def pick(nodes): return hash(nodes)"),
    (bans.hash_values, "ordered = sorted([], key=id)"),
    (bans.clocks_and_dice, "import time"),
    (bans.clocks_and_dice, "def roll():\n    from random import random\n    return random()"),
    (bans.set_order, "for node in {'n1', 'n2'}: pass"),
    (bans.set_order, "for node in set(nodes): pass"),
    (bans.set_order, "x = [n for n in frozenset(nodes)]"),
    (bans.set_order, "def f(voters: frozenset[str]) -> list[str]: return [v for v in voters]"),
    (bans.set_order, "class S:\n    voters: set[str]\ndef f(s): return tuple(s.voters)"),
    (bans.set_order, "def f(a: set[str], b): return list(a - b)"),
    (bans.set_order, "def f(a: set[str]): return ','.join(a)"),
    (bans.set_order, "def f(a: set[str]): return {n: 0 for n in a}"),
    (bans.set_order, "def f(a: set[str]): return next(iter(a))"),
    (bans.swallowed, "try: f()\nexcept: g()"),
    (bans.swallowed, "try: f()\nexcept Exception: pass"),
    (bans.swallowed, "for x in y:\n    try: f()\n    except (ValueError, BaseException): continue"),
    (bans.half_caught, "try: f()\nexcept msgspec.DecodeError: g()"),
    (bans.half_caught, "try: f()\nexcept (msgspec.DecodeError, RecursionError): g()"),
    (bans.unsafe, "import pickle"),
    (bans.unsafe, "from marshal import loads"),
    (bans.unsafe, "x = eval('1')"),
    (bans.loose_tasks, "asyncio.create_task(f())"),
    (bans.loose_tasks, "asyncio.get_running_loop().create_task(f())"),
    (bans.loose_tasks, "self._loop.create_task(f())"),
    (bans.loose_tasks, "asyncio.ensure_future(f())"),
    (bans.sleeps, "time.sleep(0.1)"),
    (bans.sleeps, "async def t(): await asyncio.sleep(1)"),
    (bans.sleeps, "async def t(pilot): await pilot.pause(0.5)"),
    (bans.unopened, "import os"),
]  # fmt: skip

ALLOWED = [
    (bans.builtins, "def f(reader): return reader.open()"),
    (bans.hash_values, "def f(id): return id\nclass Fault:\n    id: str"),
    (bans.set_order, "for node in sorted({'n1', 'n2'}): pass"),
    (bans.set_order, "def f(a: set[str]): return any(n for n in a), {n for n in a}, sum(1 for n in a), len(a), 'x' in a"),
    (bans.set_order, "def f(a: set[str]): return sorted(n for n in a)"),
    (bans.set_order, "def f(a: set[str]): return next(iter(a)) if len(a) == 1 else None"),
    (bans.swallowed, "try: f()\nexcept ConnectionError: pass"),
    (bans.swallowed, "try: f()\nexcept Exception as error: report(error)"),
    (bans.loose_tasks, "async def f():\n    async with asyncio.TaskGroup() as tasks: tasks.create_task(g())"),
    (bans.sleeps, "async def t(pilot):\n    await asyncio.sleep(0)\n    await pilot.pause()"),
    (bans.unopened, ""),
]  # fmt: skip


@pytest.mark.parametrize(("check", "text"), PLANTED)
def test_a_planted_breach_is_found(check: bans.Check, text: str) -> None:
    assert len(check(Source.of("planted.py", textwrap.dedent(text)))) == 1


@pytest.mark.parametrize(("check", "text"), ALLOWED)
def test_what_is_allowed_is_not_reported(check: bans.Check, text: str) -> None:
    assert check(Source.of("planted.py", textwrap.dedent(text))) == []


@pytest.mark.parametrize("path", ["cluster/utils.py", "tui/helpers/table.py", "cluster/manager.py", "scenarios/common.py"])
def test_a_vague_name_is_found(path: str) -> None:
    assert bans.vague_names(path)


def test_a_good_name_is_not_reported() -> None:
    assert bans.vague_names("cluster/core/raft/quorum.py") == []
