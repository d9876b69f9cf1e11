"""Every incident for real, whichever there are: a new one is covered by being there.

Broken it fails by enough, cured it passes, under the same faults; without its faults or without its workload it proves nothing; each
case that follows from its mechanism does follow; the verdict comes again from the files, and not from files that were touched.

The pairs of the shortest incidents run with the ordinary tests, for at most a minute; the rest is slow.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from scenarios.catalog import cards, load
from scenarios.judging import VERDICT, digests, judge, verify
from scenarios.model import Card, Metamorphic
from scenarios.records import Records
from scenarios.report import case, pair
from tests.scenarios.real_runs import RealRuns
from tests.scenarios.touched import rechained, touched

QUICK_S = 60.0
VARIANTS = ("broken", "canonical")
CARDS = cards()

pytestmark = [pytest.mark.processes, pytest.mark.timeout(900)]


def _quick() -> set[str]:
    """The incidents that are over soonest, for as long as both their variants fit, at their longest."""
    left_s, found = QUICK_S, set()
    for card in sorted((card for card in CARDS if not card.scenario.alone), key=lambda card: (card.scenario.duration_s, card.scenario.n)):
        left_s -= card.scenario.duration_s * len(VARIANTS)
        if left_s < 0:
            break
        found.add(card.slug)
    return found


def _marks(slug: str, *, quick: Iterable[str] = ()) -> list[pytest.MarkDecorator]:
    """All tests of one incident go to one worker: they look at the same runs."""
    return [pytest.mark.xdist_group(slug), *([] if slug in quick else [pytest.mark.slow])]


each_pair = pytest.mark.parametrize("card", [pytest.param(card, id=card.slug, marks=_marks(card.slug, quick=_quick())) for card in CARDS])
each_card = pytest.mark.parametrize("card", [pytest.param(card, id=card.slug, marks=_marks(card.slug)) for card in CARDS])


def _cases() -> Iterator[object]:
    for card in CARDS:
        for wanted in load(card.slug).play.METAMORPHIC:
            yield pytest.param(card, wanted, id=f"{card.slug}-{wanted.name.replace(' ', '-')}", marks=_marks(card.slug))


@each_pair
def test_broken_fails_by_enough_and_cured_it_passes(card: Card, real_runs: RealRuns) -> None:
    broken, canonical = (real_runs.outcome(card.slug, variant) for variant in VARIANTS)
    assert (broken.verdict, canonical.verdict) == ("FAIL", "PASS"), (broken, canonical)
    assert broken.violations.count >= card.verdict.at_least
    assert canonical.violations.count <= card.verdict.max_violations
    assert all(broken.coverage.values()), broken
    assert all(canonical.coverage.values()), canonical
    found = pair(card, broken, canonical)
    assert found.same_faults, "see faults.jsonl of both"
    assert found.good
    workloads = [Records(Path(outcome.run_dir)).truth() for outcome in (broken, canonical)]
    assert workloads[0] == workloads[1]
    assert workloads[0]["workload"]


@each_pair
def test_the_verdict_comes_again_from_the_files(card: Card, real_runs: RealRuns) -> None:
    for variant in VARIANTS:
        outcome = real_runs.outcome(card.slug, variant)
        again = verify(Path(outcome.run_dir))
        assert (again.verdict, again.violations, again.coverage, again.metrics) == (
            outcome.verdict, outcome.violations, outcome.coverage, outcome.metrics,
        )  # fmt: skip


@each_pair
def test_no_record_can_be_touched_unnoticed(card: Card, real_runs: RealRuns, tmp_path: Path) -> None:
    """Whichever file, whichever line: gone, twice, or in another place."""
    run_dir = _copy(real_runs.outcome(card.slug, "canonical").run_dir, tmp_path)
    unnoticed = []
    for name in digests(run_dir):
        whole = (run_dir / name).read_bytes()
        for what, changed in touched(run_dir / name):
            (run_dir / name).write_bytes(changed)
            if verify(run_dir).verdict != "ERROR":
                unnoticed.append(f"{name}: {what}")
        (run_dir / name).write_bytes(whole)
    assert unnoticed == []
    assert verify(run_dir).verdict == "PASS"  # it was the touch


@each_pair
def test_books_that_tell_nothing_or_everything_twice_do_not_pass(card: Card, real_runs: RealRuns, tmp_path: Path) -> None:
    """Not by their chains, which are made anew, and without the seal: the oracle itself reads every book, and counts.

    The books are the ledgers of what is protected; where nothing is, what the clients asked and heard.
    """
    incident = load(card.slug)
    run_dir = _copy(real_runs.outcome(card.slug, "canonical").run_dir, tmp_path)
    (run_dir / VERDICT).unlink()
    books = {
        file: file.read_bytes() for file in sorted((run_dir / "ledger").glob("*.jsonl")) or sorted((run_dir / "history").glob("*.jsonl"))
    }
    assert books
    for file, whole in books.items():
        file.write_bytes(b"")
        assert judge(incident, run_dir, 0.0).verdict != "PASS", f"{file.name} is empty"
        file.write_bytes(whole)
    assert judge(incident, run_dir, 0.0).verdict == "PASS"
    for file, whole in books.items():
        twice = [line for line in whole.splitlines(keepends=True) for _ in range(2)]
        file.write_bytes(rechained(twice) if file.parent.name == "ledger" else b"".join(twice))
    assert judge(incident, run_dir, 0.0).verdict != "PASS", "everything is there twice"


@each_card
@pytest.mark.parametrize(("variant", "without"), [("canonical", "faults"), ("broken", "workload")])
def test_for_nothing_it_proves_nothing(card: Card, variant: str, without: str, real_runs: RealRuns) -> None:
    assert real_runs.outcome(card.slug, variant, without=(without,)).verdict == "VACUOUS"


@pytest.mark.parametrize(("card", "wanted"), list(_cases()))
def test_what_must_follow_from_the_mechanism_does_follow(card: Card, wanted: Metamorphic, real_runs: RealRuns) -> None:
    found = case(wanted, real_runs.case(card.slug, wanted))
    assert found.good, found


def _copy(run_dir: str, to: Path) -> Path:
    return Path(shutil.copytree(run_dir, to / "run"))
