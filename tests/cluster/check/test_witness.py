"""What is shown of a violation: few operations, which prove it by themselves, and what each could have seen."""

from __future__ import annotations

import random

import pytest

from cluster.check.formats import read
from cluster.check.judge import judge
from cluster.check.operations import Operation, gathered
from cluster.check.orders import Orders, Trial
from cluster.check.witness import Witness, witness
from tests.cluster.check import objects
from tests.cluster.check.histories import TrueRegisters, history, scattered
from tests.cluster.check.objects import Store
from tests.cluster.check.test_judge import PUT_APPEND_GET, entries


def first_witness(operations_of: object) -> Witness | None:
    operations = gathered(operations_of)  # type: ignore[arg-type]
    found = judge(operations).findings
    return witness(found[0], operations.by_key[found[0].key]) if found else None


def words(operation: Operation) -> str:
    expect = f"{operation.expect} → " if operation.f == "cas" else ""
    return f"{operation.f} {expect}{operation.value} at {operation.node}"


def test_a_stale_read_among_others_is_two_operations() -> None:
    found = first_witness(
        entries(
            history("""
        1 invoke w a
        1 ok     w a
        4 invoke w c
        5 invoke r
        2 invoke w b
        4 ok     w c
        2 ok     w b
        5 ok     r c
        1 invoke r
        1 ok     r b
        6 invoke w open
        3 invoke r
        3 ok     r a
    """)
        )
    )
    assert found is not None
    assert [words(shown.operation) for shown in found.shown] == ['write "b" at n3', 'read "a" at n1']
    assert (found.key, found.before, found.left_out) == ('"x"', '"a"', 5)
    culprit = found.shown[-1]
    assert (culprit.culprit, culprit.could_see) == (True, ('"b"', '"open"'))
    assert culprit.operation.node == "n1"


def test_a_failure_after_its_effect_was_seen_shows_the_failure() -> None:
    found = first_witness(entries(history("1 invoke w a\n2 invoke r\n2 ok r a\n1 fail w a")))
    assert found is not None
    assert [(shown.operation.outcome, shown.culprit) for shown in found.shown] == [("fail", True), ("ok", False)]


def proves(found: Witness) -> bool:
    """Whether the operations shown have no explanation by themselves."""
    shown = [entry.operation for entry in found.shown if entry.operation.outcome != "fail"]
    return Trial(Orders(shown), found.before).advance(100_000) is False


def test_every_witness_proves_its_violation_by_itself() -> None:
    sizes = []
    for seed in range(400):
        dice = random.Random(seed)
        lines = scattered(dice, 30, dice.randrange(3, 7), list("abc")[: dice.randrange(1, 4)])
        found = first_witness(entries(lines))
        if found is not None:
            assert proves(found), seed
            culprit = next(entry for entry in found.shown if entry.culprit).operation
            could_see = next(entry.could_see for entry in found.shown if entry.culprit)
            assert could_see is None or (culprit.value if culprit.f == "read" else culprit.expect) not in could_see, seed
            sizes.append(len(found.shown))
    assert len(sizes) > 200
    assert sum(sizes) / len(sizes) < 4


@pytest.mark.parametrize("clients", [5, 20])
def test_a_witness_from_the_middle_of_a_long_history_is_small(clients: int) -> None:
    lines = TrueRegisters(3, clients, 1).run(2_000)
    middle = next(n for n, line in enumerate(lines) if n > 2_500 and line.kind == "ok" and line.f == "read")
    old = next(line.value for line in lines if line.kind == "ok" and line.f == "write")
    lines[middle] = type(lines[middle])(lines[middle].process, "ok", "read", lines[middle].key, old, lines[middle].at_us, "n9")
    found = first_witness(entries(lines))
    assert found is not None
    assert proves(found)
    assert len(found.shown) <= 4
    assert found.shown[-1].operation.node == "n9"


def test_a_witness_of_a_growing_key_is_small() -> None:
    records = Store(random.Random(1), "", 0, PUT_APPEND_GET, repeats=0).run(600, 10, unknown=0.0)
    gets = [n for n, r in enumerate(records) if r["type"] == "ok" and r["f"] == "get" and r["value"]]
    records[gets[-1]] = {**records[gets[-1]], "value": records[gets[3]]["value"]}
    found = first_witness(read(objects.text(records)))
    assert found is not None
    assert proves(found)
    assert len(found.shown) <= 8
