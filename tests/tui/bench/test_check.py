"""The checker's bench: its histories are what they claim to be, and its report says so."""

from __future__ import annotations

import json

import pytest

from cluster.check.formats import read
from cluster.check.operations import gathered
from tui.bench.histories import GROWING, REGISTER, Load, at_once, drawn
from tui.bench.kinds import check

SMALL = (Load("small register", 200, 4, 5, REGISTER, unknown=0.05), Load("small growing", 200, 4, 2, GROWING, unknown=0.05))


@pytest.mark.parametrize("load", SMALL)
def test_histories_have_the_size_asked_for_and_are_the_same_again(load: Load) -> None:
    operations = gathered(read(drawn(load, 1)))
    assert (operations.count, len(operations.by_key)) == (load.operations, load.keys)
    assert drawn(load, 1) == drawn(load, 1) != drawn(load, 2)
    assert any(o.outcome == "info" for own in operations.by_key.values() for o in own)


def test_all_at_once_overlap() -> None:
    (own,) = gathered(read(at_once(20, 1))).by_key.values()
    assert max(o.begun for o in own) < min(o.ended for o in own)


def test_the_report_has_both_verdicts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "LOADS", SMALL)
    monkeypatch.setattr(check, "AT_ONCE", 20)
    report = check.measure(lambda line: None, rounds=2)
    assert json.loads(json.dumps(report.document)) == report.document
    assert len(report.document["histories"]) == 3
    assert all(row["verdicts"] == ["linearizable, not-linearizable"] for row in report.document["histories"].values())
    assert "linearizable, not-linearizable" in "\n".join(report.lines)
