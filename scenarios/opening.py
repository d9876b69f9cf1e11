"""What a run is, said before anything happens in it: made from its card and parameters, so that a finished run can be opened as well."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from msgspec.structs import replace

from scenarios.feed import LINES_MAX, Clock, Judged, Member, News, Opened, Planned, Told
from scenarios.folding import time_of
from scenarios.judging import VERDICT, read_verdict
from scenarios.keeping import in_use
from scenarios.model import Card
from scenarios.records import Params, Records
from scenarios.tailing import Tail


def opened(card: Card, params: Params, run_dir: Path, workload: Any, failpoints: tuple[str, ...] = ()) -> Opened:
    """`workload`: its items name the rows that a view knows beforehand."""
    return Opened(
        slug=card.slug, variant=params.variant, toggles=params.toggles, seed=params.seed, scale=params.scale, run_dir=str(run_dir),
        duration_s=card.scenario.duration_s * params.scale,
        cast=tuple(Member(proc.name, proc.app, proc.client, bool(proc.start_on)) for proc in card.proc),
        plan=tuple(Planned(fault.do, fault.target, fault.on or f"at {fault.at_ms} ms", fault.why) for fault in card.fault),
        hot={toggle.name: toggle.values for toggle in card.toggle if toggle.hot},
        view=card.view, window=card.window, rows=_rows(card, workload), failpoints=failpoints,
    )  # fmt: skip


def _rows(card: Card, workload: Any) -> tuple[str, ...]:
    named = card.view.workload
    if not named or not isinstance(workload, list):
        return ()
    return tuple(str(item[named]) for item in workload[:LINES_MAX] if isinstance(item, dict) and named in item)


def told_of(card: Card, run_dir: Path) -> list[News]:
    """All that a run told, from its files. Raises `RecordsBroken` or `UsageError` for a directory that is none."""
    with in_use(run_dir):
        return _told_of(card, run_dir)


def _told_of(card: Card, run_dir: Path) -> list[News]:
    records = Records(run_dir)
    news: list[News] = [opened(card, records.params(), run_dir, records.truth().get("workload"))]
    tail = Tail(run_dir)
    while more := tail.news():
        news += more
    newest = max((time_of(line) for told in news if isinstance(told, Told) for line in told.lines), default=0)
    news.append(Clock(newest, 0))
    if (run_dir / VERDICT).is_file():
        news.append(Judged(replace(read_verdict(run_dir).outcome, run_dir=str(run_dir))))  # it may have been moved since
    return news
