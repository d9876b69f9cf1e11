"""A pair of real runs, kept as they were told, and the playbill at any moment of them: what the incident screens are drawn from.

`python -m tests.tui.golden.acts RUNS_DIR SLUG` keeps the newest pair of a directory of runs, with the list and the card as they are then.
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

import msgspec
from msgspec.structs import replace

from scenarios.catalog import entries, entry
from scenarios.feed import Clock, Judged, News, Told
from scenarios.folding import fold_all
from scenarios.judging import last_runs
from scenarios.opening import told_of
from scenarios.scene import Scene
from tui.playbill import SIDES, Playbill
from tui.theatre import listed_of, programme_of

FILE = Path(__file__).with_name("pair.acts")


class Acts(msgspec.Struct, frozen=True):
    """`news`: side -> all that its run told."""

    bill: Playbill
    news: dict[str, list[News]]


@cache
def kept() -> Acts:
    return msgspec.msgpack.decode(FILE.read_bytes(), type=Acts)


@cache
def bill_at(at_s: float = 0.0, sides: tuple[str, ...] = SIDES) -> Playbill:
    """So many seconds after the workload began; 0: when all is over."""
    scenes = {side: fold_all(Scene(), kept().news[side] if not at_s else _until(kept().news[side], at_s)) for side in sides}
    ours = frozenset(scene.opened.run_dir for scene in scenes.values() if scene.opened is not None)
    return replace(kept().bill, scenes=scenes, going=sides if at_s else (), ours=ours)


def _until(news: list[News], at_s: float) -> list[News]:
    went_ns = fold_all(Scene(), news).went_ns
    last_ns = went_ns + round(at_s * 1e9)
    told = [_cut(one, last_ns) if isinstance(one, Told) else one for one in news if not isinstance(one, Judged | Clock)]
    return [*told, Clock(last_ns, 0)]


def _cut(told: Told, last_ns: int) -> Told:
    return Told(told.file, told.first, tuple(line for line in told.lines if line.get("mono_ns", line.get("time", 0)) <= last_ns))


def _keep(runs: Path, slug: str) -> None:
    card = entry(slug).card
    assert card is not None
    listed = tuple(listed_of(one, runs) for one in entries())
    news = {side: told_of(card, last.run_dir) for side, last in last_runs(runs, slug).items()}
    FILE.write_bytes(msgspec.msgpack.encode(Acts(Playbill(listed=listed, programme=programme_of(entry(slug))), news)))


if __name__ == "__main__":
    _keep(Path(sys.argv[1]), sys.argv[2])
