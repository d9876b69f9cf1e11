"""From records to a verdict: the oracle's findings, and what the run directory itself must prove.

ERROR if the records or the run are broken, else VACUOUS if the run was no trial, else FAIL above the allowed violations, else VACUOUS if
the cure left no trace of having worked or something did not come to its end, else PASS.

Law 1: the verdict comes from the files alone, re-read from byte 0; the runner adds only what no file can tell: that it failed.
Law 2: `verdict.json` holds the SHA-256 of every record, so that a file cut at its end, which no chain betrays, is noticed as well.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

import msgspec

from cluster.core.errors import UNDECODABLE, UsageError
from scenarios.catalog import Incident, load
from scenarios.keeping import in_use
from scenarios.lines import write_whole
from scenarios.outcome import EVIDENCE_MAX, Outcome, Status, Violations
from scenarios.records import Judgement, Records, RecordsBroken

VERDICT = "verdict.json"


class Sealed(msgspec.Struct, frozen=True):
    """`verdict.json`."""

    outcome: Outcome
    files: dict[str, str]  # path below the run directory -> SHA-256


def judge(incident: Incident, run_dir: Path, duration_s: float, failed: str = "") -> Outcome:
    """The verdict over what lies in `run_dir`. `failed`: why there was no run to judge, if the runner says so."""
    records = Records(run_dir)
    params = records.params()
    found, why, by_hand = Judgement((), {}, {}), failed, tuple[str, ...]()
    try:
        by_hand = records.by_hand()
        for ledger in records.ledgers():
            records.ledger(ledger)
        if not failed:  # half a run shows what half a run shows: nothing
            found = incident.oracle.judge(records, params)
    except RecordsBroken as broken:
        why = why or str(broken)
    except (KeyError, TypeError, ValueError, AttributeError) as error:  # a field of another kind than the oracle knows
        why = why or f"the records cannot be read by the oracle: {type(error).__name__}: {error}"
    status = _status(found, incident.card.verdict.max_violations, why)
    return Outcome(
        slug=params.slug, variant=params.variant, toggles=params.toggles, seed=params.seed, scale=params.scale, verdict=status,
        violations=_violations(found), coverage={**found.coverage, **found.cured, **found.finished}, metrics=found.metrics,
        duration_s=duration_s, run_dir=str(run_dir), why=why, by_hand=by_hand,
    )  # fmt: skip


def _status(found: Judgement, allowed: int, why: str) -> Status:
    if why:
        return "ERROR"
    if not found.coverage or not all(found.coverage.values()):
        return "VACUOUS"
    if len(found.violations) > allowed:
        return "FAIL"
    return "PASS" if all(found.cured.values()) and all(found.finished.values()) else "VACUOUS"


def _violations(found: Judgement) -> Violations:
    by_rule = dict(Counter(evidence.rule for evidence in found.violations))
    return Violations(len(found.violations), by_rule, found.violations[:EVIDENCE_MAX])


def seal(run_dir: Path, outcome: Outcome) -> None:
    """Write the verdict beside the records that it was made from. It appears whole or not at all."""
    write_whole(run_dir / VERDICT, msgspec.json.format(msgspec.json.encode(Sealed(outcome, digests(run_dir))), indent=1) + b"\n")


def digests(run_dir: Path) -> dict[str, str]:
    """Every record of a run."""
    files = sorted(path for path in run_dir.rglob("*.json*") if path.is_file() and not path.name.endswith(VERDICT))
    return {path.relative_to(run_dir).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def read_verdict(run_dir: Path) -> Sealed:
    """Raises `UsageError` when there is none, or none that can be read."""
    try:
        return msgspec.json.decode((run_dir / VERDICT).read_bytes(), type=Sealed)
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError(f"{run_dir} is not the directory of a finished run: it has no {VERDICT}") from None
    except UNDECODABLE as error:
        raise UsageError(f"{run_dir / VERDICT}: {error}") from None


def verify(run_dir: Path) -> Outcome:
    """Judge a finished run again from its files. Anything that is not as it was then makes it ERROR, with the place.

    Records that are not those of the verdict are not judged: what an oracle makes of them says nothing of the run.
    """
    with in_use(run_dir):
        return _verified(run_dir)


def _verified(run_dir: Path) -> Outcome:
    sealed = read_verdict(run_dir)
    before = sealed.outcome
    if changed := _changed(sealed.files, digests(run_dir)):
        return Outcome(
            slug=before.slug, variant=before.variant, toggles=before.toggles, seed=before.seed, scale=before.scale, verdict="ERROR",
            violations=Violations(0, {}, ()), coverage={}, metrics={}, duration_s=before.duration_s, run_dir=str(run_dir),
            why=_broken(run_dir) or changed, by_hand=before.by_hand,
        )  # fmt: skip
    again = judge(load(before.slug), run_dir, before.duration_s, before.why)
    if again.verdict != "ERROR" and (again.verdict, again.violations.count) != (before.verdict, before.violations.count):
        said = f"{VERDICT} says {before.verdict} with {before.violations.count}, the records say {again.verdict}"
        return msgspec.structs.replace(again, verdict="ERROR", why=said)
    return again


def _broken(run_dir: Path) -> str:
    """Which line of parameters or ledgers cannot be; empty when each of them could."""
    records = Records(run_dir)
    try:
        records.params()
        for ledger in records.ledgers():
            records.ledger(ledger)
    except RecordsBroken as broken:
        return str(broken)
    return ""


def _changed(then: dict[str, str], now: dict[str, str]) -> str:
    for file in sorted({*then, *now}):
        if file not in now:
            return f"{file}: is missing"
        if file not in then:
            return f"{file}: was not there when the verdict was given"
        if then[file] != now[file]:
            return f"{file}: is not what the verdict was given over"
    return ""


def raw_line(run_dir: Path, where: str) -> str:
    """The record at `ledger/payd.jsonl:12`, as it stands in the file; the reason why not, when there is none."""
    file, _, number = where.partition(":")
    try:
        lines = (run_dir / file).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if not number:
        return "\n".join(lines)
    return lines[int(number) - 1] if number.isdigit() and 0 < int(number) <= len(lines) else "there is no such line"


class Last(msgspec.Struct, frozen=True):
    """What the runs of a variant came to: the newest verdict that was given, and why a newer run came to none; "" if there is none newer.

    `verdict` is ERROR only while no run came to a verdict; `run_dir` is that of the verdict's run.
    """

    verdict: str
    run_dir: Path
    error: str = ""


def last_runs(runs: Path, slug: str) -> dict[str, Last]:
    """Variant -> its newest finished run, of those with its own toggles. One that came to nothing does not hide one that was judged."""
    found = {variant: _last(runs, slug, variant) for variant in ("broken", "canonical")}
    return {variant: last for variant, last in found.items() if last is not None}


def _last(runs: Path, slug: str, variant: str) -> Last | None:
    newest: Last | None = None
    for run_dir in sorted(runs.glob(f"*-{slug}-{variant}"), reverse=True):
        if not (run_dir / VERDICT).is_file():
            continue
        verdict, why = _given(run_dir)
        if verdict != "ERROR":
            return Last(verdict, run_dir, newest.error if newest is not None else "")
        newest = newest or Last(verdict, run_dir, why)
    return newest


def _given(run_dir: Path) -> tuple[str, str]:
    """A verdict and why it is ERROR; one that cannot be read is none that was given."""
    try:
        outcome = read_verdict(run_dir).outcome
    except UsageError as error:
        return "ERROR", str(error)
    return outcome.verdict, outcome.why
