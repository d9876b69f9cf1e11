"""What `run --watch` says when it is left, and its exit code.

Law 1: only runs that this session started are spoken of; verdicts that lay there before are nobody's answer.
Law 2: both sides are one pair, and good only if nothing but the variant tells them apart; one side is one run.
"""

from __future__ import annotations

from collections.abc import Mapping

from scenarios.catalog import entry
from scenarios.outcome import Outcome
from scenarios.report import pair, words_of_pair, words_of_run
from scenarios.scene import Scene
from tui.cli.exits import ENVIRONMENT, GOOD, UNKNOWN
from tui.cli.incident import exit_code, exit_of_pair, worst
from tui.playbill import SIDES
from tui.theatre import ENDED, programme_of


def leaving(slug: str, performed: Mapping[tuple[str, str], Scene]) -> tuple[list[str], int]:
    """(lines, exit code). `performed`: (slug, side) -> its newest run of this session; other incidents do not count."""
    scenes = {side: performed[slug, side] for side in SIDES if (slug, side) in performed}
    outcomes = {side: scene.outcome for side, scene in scenes.items() if scene.outcome is not None}
    if len(outcomes) == len(SIDES):
        return _of_pair(slug, outcomes["broken"], outcomes["canonical"])
    lines, codes = [], [GOOD]
    for side, scene in scenes.items():
        if scene.outcome is not None:
            lines.append(words_of_run(scene.outcome))
            codes.append(worst([scene.outcome]) if len(scenes) == len(SIDES) else exit_code(scene.outcome.verdict))
        else:
            early = scene.lost in ("", ENDED)
            lines.append(f"{slug} · {side} · " + ("ended before it was over: no verdict" if early else f"no verdict: {scene.lost}"))
            codes.append(UNKNOWN if early else ENVIRONMENT)
    return lines, max(codes)


def _of_pair(slug: str, broken: Outcome, canonical: Outcome) -> tuple[list[str], int]:
    found = entry(slug)
    assert found.card is not None, "it has run"
    if unlike := programme_of(found).unlike(broken, canonical):
        lines = [words_of_run(broken), words_of_run(canonical), f"✗ the two runs cannot be compared: {unlike}"]
        return lines, worst((broken, canonical)) or UNKNOWN
    both = pair(found.card, broken, canonical)
    return [words_of_pair(both)], exit_of_pair(both)
