"""A run directory written by hand: parameters, workload, and whatever records a test puts into it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from scenarios.catalog import load
from scenarios.judging import Outcome, judge
from tests.scenarios.run_dirs import write_ledger, write_lines

Lines = list[dict[str, Any]]


def run_dir(root: Path, slug: str, variant: str, changed: dict[str, str], workload: Lines, **records: Lines) -> Path:
    """`records`: "faults", "supervisor", "history_NAME" or "ledger_NAME" -> lines."""
    toggles = load(slug).card.toggles(variant) | changed
    root.mkdir(parents=True, exist_ok=True)
    params = {"slug": slug, "variant": variant, "toggles": toggles, "seed": 1, "scale": 1.0}
    (root / "params.json").write_bytes(msgspec.json.encode(params))
    (root / "truth.json").write_bytes(msgspec.json.encode({"workload": workload}))
    for name, lines in records.items():
        if name == "faults":
            lines = [{"on": "time", "phase": "landed", **line} for line in lines]
        folder, _, process = name.partition("_")
        if folder == "ledger":
            write_ledger(root / "ledger" / f"{process}.jsonl", lines)
        else:
            write_lines(root / (f"{folder}/{process}.jsonl" if process else f"{folder}.jsonl"), lines)
    return root


def judged(root: Path) -> Outcome:
    return judge(load(msgspec.json.decode((root / "params.json").read_bytes())["slug"]), root, 1.0)
