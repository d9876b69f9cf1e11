"""One plain sentence or two about the incident: what is happening in its run, and why; in the end, what it came to.

Law 1: as for the lab's narrator: the most important thing that is true now, computed from what was told.
"""

from __future__ import annotations

from scenarios.faults import ON_ANSWERS
from scenarios.scene import FaultSeen, Scene, where_it_fell, window_of
from tui.playbill import Playbill, Programme
from tui.select.acts import PHASES
from tui.select.spans import duration, fit, listed, wrapped
from tui.state import Row, UiState

Sentence = tuple[str, str]
# What the card's faults do -> the key or the command that does it.
HANDS = {
    "pause": "g stands it still",
    "kill": "x kills it",
    "term": ":arm FAILPOINT@P term ends it",
    "delay": ":arm FAILPOINT@P delay 80ms holds it up",
    "cut": ":cut A | B parts them",
    "slow": ":slow A > B 50ms slows a link",
    "loss": ":loss A > B 20% makes one lossy",
    "drop_response": ":drop-response A > B loses an answer",
    "hold_response": ":hold-response A > B 1s holds one back",
}


def rows(bill: Playbill, ui: UiState, width: int, height: int) -> list[Row]:
    """At most two rows."""
    text, style = sentence(bill, ui)
    return fit(wrapped(text, width - 1, style, " ", lines_max=max(1, min(2, height))), width, height, ascii=ui.ascii)


def sentence(bill: Playbill, ui: UiState) -> Sentence:
    programme = bill.programme
    if ui.screen == "incidents" or programme is None:
        return _of_the_list(bill, ui)
    if programme.wrong:
        return f"Its card cannot be used. {programme.wrong}", "bad"
    if not programme.built:
        return f"{programme.slug} is not built yet; the card has what was reported.", "dim"
    for side in (ui.side, *bill.going):
        if side in bill.going and side in bill.scenes and bill.scenes[side].opened is not None:
            return _going(bill, side, bill.scenes[side])
    if bill.going:
        return "The run is being started.", "dim"
    return _over(bill, programme)


def _of_the_list(bill: Playbill, ui: UiState) -> Sentence:
    chosen = next((line for line in bill.listed if line.slug == ui.slug), None)
    if chosen is None:
        return "Incidents that happened, broken and canonical, by real processes under the same faults.", "dim"
    if chosen.wrong:
        return f"{chosen.title}: its card cannot be used. {chosen.wrong}", "bad"
    if not chosen.built:
        return f"{chosen.title}: not built yet; the card has what was reported.", "dim"
    if chosen.errors:
        side, why = next(iter(chosen.errors.items()))
        return f"{chosen.title}: the newest {side} run came to no verdict. {why}", "warn"
    if chosen.last.get("broken") == "FAIL" and chosen.last.get("canonical") == "PASS":
        return f"{chosen.title}: broken it failed, canonical it passed, the last time it was run.", "good"
    return f"{chosen.title}: enter looks at it, v runs it broken and canonical.", "text"


def _going(bill: Playbill, side: str, scene: Scene) -> Sentence:
    if not scene.went_ns:
        return f"The {side} run {PHASES.get(scene.phase, 'goes on')}.", "dim"
    if scene.phase == "ending":
        return "The run is over. Its processes leave, and then it is judged from its files alone.", "dim"
    lasting = [fault for fault in scene.faults if not fault.ended_ns]
    if lasting:
        return _fault(bill, side, scene, lasting[-1])
    times = window_of(scene)
    if times is not None and not times[1] and bill.programme is not None:
        yours = f" Now: {hand}." if side in bill.by_hand and (hand := _by_hand(bill.programme)) else ""
        return f"The window is open: {bill.programme.window}.{yours}", "warn"
    if scene.faults and scene.faults[-1].step < 0:
        fault = scene.faults[-1]
        fell = where_it_fell(scene, fault)
        return f"{side}: {fault.do} {fault.target} by hand{f', {fell}' if fell else ''}. The run is marked as changed.", "warn"
    if side in bill.by_hand and not scene.faults and bill.programme is not None and (hand := _by_hand(bill.programme)):
        when = f", best while {bill.programme.window}" if bill.programme.window else ""
        return f"The {side} run goes on, and its fault is yours: {hand}{when}.", "text"
    return f"The {side} run goes on; its records are shown as they are written.", "text"


def _by_hand(programme: Programme) -> str:
    """How somebody at the keyboard does what the card's faults do: "g stands it still, x kills it"; "" for a card without any."""
    return ", ".join(HANDS[deed] for deed in programme.deeds if deed in HANDS)


def _fault(bill: Playbill, side: str, scene: Scene, fault: FaultSeen) -> Sentence:
    since = duration((scene.now_ns - fault.landed_ns) // 1_000)
    of = f" of {fault.ms / 1_000:g} s" if fault.ms else ""
    planned = scene.opened.plan[fault.step] if scene.opened is not None and 0 <= fault.step < len(scene.opened.plan) else None
    fell = where_it_fell(scene, fault)
    why = f": {planned.why}" if planned is not None and planned.why else f", {fell}" if fell else ""
    hand = " by hand" if fault.step < 0 else ""
    if fault.do in ON_ANSWERS:
        return f"{side}: {_answers(fault)}{hand}, {fault.hits} so far{why}.", "warn"
    return f"{side}: {fault.do} {fault.target}{hand} for {since}{of}{why}.", "warn"


def _answers(fault: FaultSeen) -> str:
    """ "the answers of payd to checkout are held for 1.5 s each": it waits for calls, and strikes each of them by itself."""
    caller, _, called = fault.target.partition(" > ")
    deed = f"held for {fault.ms / 1_000:g} s each" if fault.do == "hold_response" and fault.ms else "dropped (the calls have their effect)"
    return f"answers of {called} to {caller} are {deed}"


def _over(bill: Playbill, programme: Programme) -> Sentence:
    outcomes = {side: scene.outcome for side, scene in bill.scenes.items() if scene.outcome is not None}
    broken, canonical = outcomes.get("broken"), outcomes.get("canonical")
    lost = next((f"The {side} run came to no verdict: {scene.lost}." for side, scene in bill.scenes.items() if scene.lost), "")
    if broken is None and canonical is None and lost:
        return lost, "bad"
    if broken is None and canonical is None:
        return f"{programme.title}: b runs it broken, c canonical, v both; m runs it broken and leaves the fault to you.", "text"
    if bill.pair is not None and [outcome.verdict for outcome in bill.pair] == ["FAIL", "PASS"]:
        solution = listed(programme.solution)
        return f"Broken: {bill.pair[0].violations.count} violations. Canonical, with {solution}: none. {programme.lesson}", "good"
    canonical_only = canonical is not None and (broken is None or (bill.earlier("broken") and not bill.earlier("canonical")))
    shown = canonical if canonical_only else broken
    assert shown is not None
    if shown.verdict == "VACUOUS":
        missed = listed([name for name, met in shown.coverage.items() if not met])
        return f"It was no trial, so it proves nothing. Not met: {missed}.", "warn"
    if shown.verdict == "ERROR":
        return f"There is nothing to judge: {shown.why}", "bad"
    if shown.by_hand:
        return f"{shown.verdict} with {shown.violations.count} violations, changed by hand: {listed(shown.by_hand)}.", "warn"
    return f"{shown.variant}: {shown.verdict} with {shown.violations.count} violations. v runs both sides under one seed.", "text"
