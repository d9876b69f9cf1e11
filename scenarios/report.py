"""What runs came to, in words and as documents. Nothing here judges: verdicts are read, compared and laid out."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from scenarios.catalog import Entry
from scenarios.fault_log import told
from scenarios.faults import Fault
from scenarios.judging import Last
from scenarios.model import Card, Metamorphic, SeedRow
from scenarios.outcome import Outcome
from scenarios.parts import Length
from scenarios.records import Records
from scenarios.seed_rows import Reported

_WIDTH = 110
_EVIDENCE_SHOWN = 3
_VARIANTS = ("broken", "canonical")
_MARKS = {True: "✓", False: "✗"}


class Pair(msgspec.Struct, frozen=True):
    """Both variants under one seed. `good`: broken FAIL by enough, canonical PASS, and the same faults for both."""

    slug: str
    seed: int
    good: bool
    same_faults: bool
    broken: Outcome
    canonical: Outcome


class Row(msgspec.Struct, frozen=True):
    """One line of a matrix: what was changed from the broken variant, which rules were violated then, and what came of it."""

    changed: str
    rules: dict[str, int]  # rule -> how often, the most violated first
    outcome: Outcome


class Case(msgspec.Struct, frozen=True):
    """One metamorphic case and its run."""

    name: str
    why: str
    expect: str
    min_v: int
    good: bool
    outcome: Outcome


def pair(card: Card, broken: Outcome, canonical: Outcome) -> Pair:
    """Two runs that differ in their faults prove nothing about toggles: then the pair is not good whatever the verdicts."""
    same = _faults(broken) == _faults(canonical)
    failed = broken.verdict == "FAIL" and broken.violations.count >= card.verdict.at_least
    good = same and failed and canonical.verdict == "PASS"
    return Pair(broken.slug, broken.seed, good, same, broken, canonical)


def _faults(outcome: Outcome) -> list[dict[str, Any]]:
    return told(Records(Path(outcome.run_dir)))


def case(wanted: Metamorphic, outcome: Outcome) -> Case:
    good = outcome.verdict == wanted.expect and outcome.violations.count >= wanted.min_v
    return Case(wanted.name, wanted.why, wanted.expect, wanted.min_v, good, outcome)


def matrix_row(changed: str, outcome: Outcome) -> Row:
    by_count = sorted(outcome.violations.by_rule.items(), key=lambda counted: -counted[1])
    return Row(changed, dict(by_count), outcome)


# -------------------------------------------------------------------------------------------------------------- words


def words_of_run(outcome: Outcome) -> str:
    lines = [f"{outcome.slug} · {outcome.variant} · {outcome.verdict} · V = {outcome.violations.count}   ({outcome.duration_s:.1f} s)"]
    lines += [f"  {_settings(outcome.toggles)}   seed {outcome.seed}"]
    lines += [f"  changed by hand: {', '.join(outcome.by_hand)}"] if outcome.by_hand else []
    lines += [f"  ! {outcome.why}"] if outcome.why else []
    lines += [f"  {count} × {rule}" for rule, count in outcome.violations.by_rule.items()]
    for evidence in outcome.violations.evidence[:_EVIDENCE_SHOWN]:
        lines.append(f"    {evidence.text}   [{', '.join(evidence.records)}]")
    if (more := outcome.violations.count - _EVIDENCE_SHOWN) > 0:
        lines.append(f"    … and {more} more")
    lines += [f"  {_MARKS[met]} {name}" for name, met in outcome.coverage.items()]
    if outcome.metrics:
        lines.append(f"  {'  '.join(f'{name} {value:g}' for name, value in outcome.metrics.items())}")
    lines.append(f"  records: {outcome.run_dir}")
    return "\n".join(lines)


def words_of_pair(found: Pair) -> str:
    lines = [words_of_run(found.broken), words_of_run(found.canonical)]
    if not found.same_faults:
        lines.append("✗ the two runs had different faults and cannot be compared: see their faults.jsonl")
    else:
        lines.append(f"{_MARKS[found.good]} broken {found.broken.verdict}, canonical {found.canonical.verdict}, under the same faults")
    return "\n".join(lines)


def words_of_matrix(rows: Iterable[Row], left_out: Mapping[str, str]) -> str:
    """`left_out`: settings that cannot be had alone, and why."""
    lines = [f"{row.changed:<32} {row.outcome.verdict:<8} V = {row.outcome.violations.count:<5} {_reason(row)}".rstrip() for row in rows]
    return "\n".join((*lines, *(f"{setting:<32} not alone: {why}" for setting, why in left_out.items())))


def _reason(row: Row) -> str:
    """Why a run is not PASS: the rules that it violated; of one that is no answer, what it lacked."""
    if row.outcome.verdict == "ERROR":
        return row.outcome.why
    if row.outcome.verdict == "VACUOUS":
        return f"not met: {', '.join(name for name, met in row.outcome.coverage.items() if not met)}"
    return ", ".join(f"{count} × {rule}" for rule, count in row.rules.items())


def words_of_cases(cases: Iterable[Case]) -> str:
    lines = []
    for found in cases:
        wanted = found.expect + (f" with V ≥ {found.min_v}" if found.min_v else "")
        came = f"{found.outcome.verdict}, V = {found.outcome.violations.count}"
        lines.append(f"{_MARKS[found.good]} {found.name}: {came} (expected {wanted})")
        lines.append(f"    {found.why}")
    return "\n".join(lines)


def words_of_list(entries: Iterable[Entry], last: Mapping[str, Mapping[str, Last]]) -> str:
    lines: list[str] = []
    family = ""
    for entry in entries:
        row = entry.row
        if row.family != family:
            family = row.family
            lines.append(family)
        lines.append(f"  {row.n:02} {row.slug:<26} {row.mechanism:<12} {_last_words(entry, last.get(row.slug, {}))}")
        lines.append(f"     {entry.title}")
        if entry.wrong:
            lines.append(f"     ! {entry.wrong}")
        lines += [f"     ! the newest {side} run: {one.error}" for side, one in last.get(row.slug, {}).items() if one.error]
    return "\n".join(lines)


def _last_words(entry: Entry, last: Mapping[str, Last]) -> str:
    if entry.card is None:
        return "its card cannot be used" if entry.wrong else "not built yet"
    return "  ".join(f"{variant} {_of_last(last.get(variant))}" for variant in _VARIANTS)


def _of_last(last: Last | None) -> str:
    """ "FAIL", or "FAIL, then ERROR": what was judged, and that a newer run came to nothing."""
    if last is None:
        return "–"
    return f"{last.verdict}, then ERROR" if last.error and last.verdict != "ERROR" else last.verdict


def words_of_row(row: Reported) -> str:
    """Of an incident that only the report has."""
    lines = [f"{row.n:02} {row.seed.issue}", f"   {row.family} · {row.mechanism} · not built yet: this is what was reported", ""]
    return "\n".join([*lines, *_reported(row.seed)])


def _reported(seed: SeedRow) -> list[str]:
    lines = ["As reported"]
    for name in ("situation", "task", "action", "result"):
        lines += _wrapped(f"{name[0].upper()}  {getattr(seed, name)}")
    for title, points in (("Patterns", seed.patterns), ("Canonical solution", seed.canonical), ("Seen at", seed.real_world)):
        lines += [title, *(f"  - {point}" for point in points)]
    return lines


def words_of_card(card: Card) -> str:
    head = card.scenario
    lines = [f"{head.n:02} {head.title}", f"   {head.family} · {head.mechanism} · at most {head.duration_s:g} s", ""]
    lines += [*_wrapped(head.summary), "", *_reported(card.seed)]
    lines += ["", "Toggles (broken → canonical)"]
    for toggle in card.toggle:
        values = "|".join((*toggle.values, *(f"({value})" for value in toggle.refused)))
        lines.append(f"  {toggle.name:<20} {values:<28} {toggle.broken} → {toggle.canonical}")
        lines += _wrapped(toggle.help + (" (hot: it can be changed while a run goes on)" if toggle.hot else ""), 6)
    for conflict in card.conflict:
        together = " with ".join(f"{name}={value}" for name, value in conflict.toggles.items())
        lines += _wrapped(f"not {together}: {conflict.why}")
    lines += ["", "Faults"]
    lines += [line for fault in card.fault for line in _wrapped(_of_fault(fault))]
    lines += ["", "Watch", *(f"  {seen.view}: {seen.what}" for seen in card.observable)]
    if card.erratum:
        lines += ["", "Where the report does not hold as written"]
        lines += [line for text in card.erratum for line in _wrapped(f"- {text}")]
    lines.append("")
    for title, text in (("Tell-tale", card.drill.telltale), ("Lesson", card.drill.lesson), ("See", card.drill.reference)):
        lines += [title, *_wrapped(text)]
    return "\n".join(lines)


Parts = tuple[tuple[str, tuple[str, ...]], ...]


def parts_of_row(row: Reported) -> Parts:
    """(heading, paragraphs) of what was reported."""
    seed = row.seed
    story = tuple(f"{name[0].upper()}  {getattr(seed, name)}" for name in ("situation", "task", "action", "result"))
    return (("AS REPORTED", story), ("PATTERNS", seed.patterns), ("CANONICAL SOLUTION", seed.canonical), ("SEEN AT", seed.real_world))


def parts_of_card(card: Card) -> Parts:
    """(heading, paragraphs) of an incident, in the order in which they are read; toggles are drawn apart."""
    seed = card.seed
    story = tuple(f"{name[0].upper()}  {getattr(seed, name)}" for name in ("situation", "task", "action", "result"))
    found = (
        ("WHAT HAPPENS HERE", (card.scenario.summary,)), ("AS REPORTED", story), ("PATTERNS", seed.patterns),
        ("CANONICAL SOLUTION", seed.canonical),
        ("FAULTS", tuple(map(_of_fault, card.fault))), ("WATCH", tuple(f"{seen.view}: {seen.what}" for seen in card.observable)),
        ("WHERE THE REPORT DOES NOT HOLD AS WRITTEN", card.erratum), ("TELL-TALE", (card.drill.telltale,)),
        ("LESSON", (card.drill.lesson,)), ("SEEN AT", seed.real_world), ("SEE", (card.drill.reference,)),
    )  # fmt: skip
    return tuple((heading, tuple(" ".join(text.split()) for text in texts)) for heading, texts in found if texts)


def _of_fault(fault: Fault) -> str:
    """`pause w1 for 2500 ms, at hit 10 of failpoint:pay.before_charge@w1: behind every check`."""
    text = f"{fault.do} {fault.target}"
    text += f" by {_length(fault.delay_ms)}" if fault.delay_ms else ""
    text += f" of {fault.percent:g} %" if fault.percent else ""
    text += "".join(f" where {field} is {', '.join(values)}" for field, values in fault.where.items())
    text += f" for {_length(fault.ms)}" if fault.ms else ""
    text += f", {_moment(fault)}"
    return f"{text}{f', only with {fault.when}' if fault.when else ''}: {fault.why}"


def _moment(fault: Fault) -> str:
    if fault.at_ms is None:
        return f"at hit {fault.nth} of {fault.on}" + (f" and {_length(fault.after_ms)} later" if fault.after_ms else "")
    return f"{_length(fault.at_ms)} after the start" if fault.at_ms else "before the start"


def _length(length: Length) -> str:
    """`900 ms`, or the card's own words: `ttl_ms * 2.5`."""
    return length if isinstance(length, str) else f"{length:g} ms"


def document_of_card(card: Card) -> dict[str, Any]:
    document = msgspec.to_builtins(card)
    assert isinstance(document, dict)
    return document


def document_of_list(entries: Iterable[Entry], last: Mapping[str, Mapping[str, Last]]) -> list[dict[str, Any]]:
    """`last` is null where no run of the variant was finished, `error` where the newest one was judged; `built` is false for what only the
    report has, and `wrong` says why a card cannot be used."""
    return [
        {
            "slug": entry.row.slug, "n": entry.row.n, "family": entry.row.family, "mechanism": entry.row.mechanism, "title": entry.title,
            "built": entry.card is not None, "wrong": entry.wrong or None,
            "last": {variant: one.verdict if (one := _of(last, entry, variant)) else None for variant in _VARIANTS},
            "error": {variant: (one.error or None) if (one := _of(last, entry, variant)) else None for variant in _VARIANTS},
        }
        for entry in entries
    ]  # fmt: skip


def _of(last: Mapping[str, Mapping[str, Last]], entry: Entry, variant: str) -> Last | None:
    return last.get(entry.row.slug, {}).get(variant)


def document_of_row(row: Reported) -> dict[str, Any]:
    document = msgspec.to_builtins(row)
    assert isinstance(document, dict)
    return document | {"built": False}


def _settings(toggles: Mapping[str, str]) -> str:
    return " ".join(f"{name}={value}" for name, value in toggles.items())


def _wrapped(text: str, indent: int = 2) -> list[str]:
    pad = " " * indent
    return textwrap.wrap(" ".join(text.split()), _WIDTH, initial_indent=pad, subsequent_indent=pad)
