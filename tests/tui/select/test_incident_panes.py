"""The panes of the incident screens over a pair of runs that was kept, at moments of it, and over hard cases."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest
from msgspec.structs import replace
from rich.cells import cell_len

from scenarios.catalog import load
from scenarios.feed import Clock, Told
from scenarios.folding import fold_all
from scenarios.opening import opened
from scenarios.records import Params
from scenarios.scene import FaultSeen, Scene
from tests.tui.golden.acts import bill_at, kept
from tui.palette import THEMES, Sheet
from tui.playbill import SIDES, Playbill
from tui.screens.painting import Painter
from tui.screens.run import RunScreen
from tui.select import picture
from tui.select.acts import in_short, standing, telling
from tui.select.commentary import sentence
from tui.state import Row, UiState
from tui.widgets.footer import act_rows

OVER = bill_at()
EMPTY_RUN = replace(OVER, scenes={"broken": Scene()}, going=("broken",))


def with_outcome(**fields: object) -> Playbill:
    broken = OVER.scenes["broken"]
    assert broken.outcome is not None
    return replace(OVER, scenes={"broken": replace(broken, outcome=replace(broken.outcome, **fields))})


def crowded() -> Playbill:
    """Two hundred orders, three of them charged twice."""
    lines = [{"mono_ns": i, "kind": "charged", "order": f"o-{i:03}", "caller": "w1"} for i in range(200)]
    lines += [{"mono_ns": 500 + i, "kind": "charged", "order": f"o-{i:03}", "caller": "w2"} for i in (7, 77, 177)]
    opened = replace(OVER.scenes["broken"].opened, rows=())  # type: ignore[arg-type]
    scene = fold_all(Scene(), (opened, Told("ledger/payd.jsonl", 1, tuple(lines))))
    return replace(OVER, scenes={"broken": scene}, going=("broken",))


BILLS = {
    "nothing": Playbill(),
    "a list": Playbill(listed=kept().bill.listed),
    "not built": replace(OVER, programme=replace(OVER.programme, built=False, switches=()), scenes={}),  # type: ignore[type-var]
    "not run": replace(OVER, scenes={}),
    "starting": EMPTY_RUN,
    "one side": bill_at(1.6, ("broken",)),
    "going": bill_at(1.6),
    "over": OVER,
    "lost": replace(OVER, scenes={"broken": replace(OVER.scenes["broken"], outcome=None, lost="the runner is gone")}),
    "vacuous": with_outcome(verdict="VACUOUS"),
    "error": with_outcome(verdict="ERROR", why="payd ended with 1: it said nothing"),
    "crowded": crowded(),
}
NO_RUN = "kv1 is not ready after 30 s"
LISTED = tuple(
    replace(line, built=False, wrong="scenarios/a/b/incident.toml: toggle[0].name: expected `str`, got `int`") if line.n == 1
    else replace(line, last={"broken": "VACUOUS", "canonical": "PASS"}, errors=dict.fromkeys(SIDES, NO_RUN)) if line.n == 2
    else line
    for line in kept().bill.listed
)  # fmt: skip
BILLS["hard list"] = Playbill(listed=LISTED)
PANES = ("incidents", "programme", "broken", "canonical", "course", "switches", "findings", "marquee", "cast", "commentary")
SIZES = ((200, 50), (120, 36), (80, 24), (60, 18), (40, 6), (20, 3), (7, 2), (1, 1), (80, 0))
UIS = {
    "list": UiState(screen="incidents", slug="stale-lock-holder"),
    "run": UiState(screen="run", slug="stale-lock-holder", player="w1", switch="fencing"),
    "ascii": UiState(screen="run", ascii=True, side="canonical", finding=3),
    "lost": UiState(screen="run", slug="no-such", player="nobody", switch="none", finding=10_000, scroll=10_000, side="canonical"),
}


def rows_of(name: str, bill: Playbill, ui: UiState, width: int = 120, height: int = 36) -> list[Row]:
    rows: list[Row] = importlib.import_module(f"tui.select.{name}").rows(bill, ui, width, height)
    return rows


def text_of(name: str, bill: Playbill, ui: UiState = UIS["run"], width: int = 120, height: int = 36) -> list[str]:
    return ["".join(text for text, _ in row) for row in rows_of(name, bill, ui, width, height)]


@pytest.mark.parametrize("name", PANES)
def test_rows_fit_their_pane_and_can_be_keys(name: str) -> None:
    sheets = [Sheet(theme) for theme in THEMES]
    for seen, bill in BILLS.items():
        for kind, ui in UIS.items():
            for width, height in SIZES:
                where = (name, seen, kind, width, height)
                rows = rows_of(name, bill, ui, width, height)
                assert len(rows) <= height, where
                for row in rows:
                    text = "".join(text for text, _ in row)
                    assert cell_len(text) == len(text) <= width, (where, text)
                    assert all(sheet.known(style) for sheet in sheets for _, style in row), (where, row)
                    hash(row)
                if ui.ascii and name not in ("marquee",):
                    assert all("".join(text for text, _ in row).translate(SEED_SIGNS).isascii() for row in rows), where


# The report's own words may have these.
SEED_SIGNS = str.maketrans(dict.fromkeys("—“”’≤≥…−×", "."))


def test_the_list_says_what_is_built_and_what_came_of_it() -> None:
    text = "\n".join(text_of("incidents", OVER, UIS["list"]))
    assert "▸02 stale-lock-holder" in text
    assert re.search("FAIL +PASS", text)
    assert "01 split-brain-scheduler" in text
    assert "not built yet" in text


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_run_that_came_to_nothing_stands_beside_the_last_verdict(width: int) -> None:
    lines = text_of("incidents", BILLS["hard list"], UIS["list"], width)
    (line,) = [line for line in lines if "stale-lock-holder" in line]
    assert re.search("VACUOUS, ERROR +PASS, ERROR", line)
    assert sentence(BILLS["hard list"], UIS["list"]) == (f"{LISTED[1].title}: the newest broken run came to no verdict. {NO_RUN}", "warn")


def test_a_card_that_cannot_be_used_says_why() -> None:
    ui = UiState(screen="incidents", slug=LISTED[0].slug)
    (line,) = [line for line in text_of("incidents", BILLS["hard list"], ui) if LISTED[0].slug in line]
    assert line.endswith("its card cannot be used")
    assert LISTED[0].wrong in sentence(BILLS["hard list"], ui)[0]
    wrong = replace(OVER, programme=replace(OVER.programme, built=False, switches=(), wrong=LISTED[0].wrong), scenes={})  # type: ignore[type-var]
    assert LISTED[0].wrong in " ".join(" ".join(text_of("programme", wrong)).split())
    assert LISTED[0].wrong in sentence(wrong, UIS["run"])[0]


def test_while_a_run_goes_on_there_is_no_verdict_anywhere() -> None:
    for name in PANES[2:]:
        text = " ".join(text_of(name, bill_at(2.9)))
        assert not any(word in text for word in ("FAIL", "PASS", "violation")), (name, text)


def test_a_double_charge_is_red_with_a_sign_and_a_single_one_is_not() -> None:
    before, after = text_of("broken", bill_at(1.6)), text_of("broken", OVER)
    assert not any("✖" in line for line in before)
    assert sum("2 ✖" in line for line in after) == 10
    styles = {style for row in rows_of("broken", OVER, UIS["run"]) for _, style in row}
    assert "bad" in styles


def test_the_cure_shows_what_was_refused() -> None:
    lines = text_of("canonical", OVER)
    assert lines[0].startswith(" PASS")
    assert "refused as stale 10 ✓" in lines[0]
    assert sum("1 ✓" in line for line in lines[1:]) == 10


@pytest.mark.parametrize(("width", "height"), [(78, 9), (57, 11), (58, 11), (40, 12), (57, 30)])
def test_a_row_stands_at_the_same_height_on_both_sides(width: int, height: int) -> None:
    """What is red on one side is beside itself on the other, also where one of them has a row more, or wider counters."""
    canonical = OVER.scenes["canonical"]
    rows = {name: cells for name, cells in canonical.rows.items() if name != "order-1004"} | {"order-9999": {}}
    bill = replace(OVER, scenes={**OVER.scenes, "canonical": replace(canonical, rows=dict(reversed(rows.items())))})
    for moment in (OVER, bill_at(1.6), bill):
        broken, canonical_ = (text_of(side, moment, width=width, height=height) for side in SIDES)
        assert [re.findall("order-[0-9]+", line) for line in broken] == [re.findall("order-[0-9]+", line) for line in canonical_]


def test_answers_that_are_held_or_dropped_are_told_in_words() -> None:
    scene = bill_at(1.6).scenes["broken"]
    held = FaultSeen(-1, "hold_response", "checkout > payd", "hand", 1_500.0, scene.now_ns - 900_000_000, hits=3)
    for fault, words in (
        (held, "broken: answers of payd to checkout are held for 1.5 s each by hand, 3 so far."),
        (replace(held, do="drop_response", ms=None), "checkout are dropped (the calls have their effect) by hand, 3 so far."),
    ):
        said, _ = sentence(replace(bill_at(1.6), scenes={"broken": replace(scene, faults=(fault,))}), UIS["run"])
        assert words in said


def test_a_proxy_says_between_whom_it_stands() -> None:
    scene = bill_at(1.6).scenes["broken"]
    fate = Told("supervisor.jsonl", 1, ({"mono_ns": scene.went_ns, "event": "started", "process": "x1", "pid": 4711},))
    stands = {"mono_ns": scene.went_ns, "process": "x1", "event": "proxy.stands", "src": "checkout", "dst": "payd"}
    word = Told("trace/x1.jsonl", 1, (stands,))
    for order in ((fate, word), (word, fate)):
        bill = replace(bill_at(1.6), scenes={"broken": fold_all(scene, order)})
        (lane,) = [line for line in text_of("course", bill) if "x1" in line]
        assert lane.startswith(" x1 ●  checkout>payd ")
        (status,) = act_rows(bill, replace(UIS["run"], player="x1"), 80)
        assert "on x1, the proxy between checkout and payd, of the broken run" in "".join(text for text, _ in status)


def test_what_is_locked_now_says_by_whom_and_for_how_long_and_stays_when_there_is_no_room() -> None:
    card = load("2pc-in-doubt").card
    first = opened(card, Params(card.slug, "broken", card.toggles("broken"), 1, 1.0), Path("/nowhere"), [])
    second_ns = 1_000_000_000
    names = [f"A{number}" for number in range(1, 11)]
    promised = [{"mono_ns": i, "kind": "prepared", "account": name, "txn": f"t{i}"} for i, name in enumerate(names)]
    ends = [i for i, name in enumerate(names) if name not in ("A2", "A7")]
    ended = [{"mono_ns": second_ns, "kind": "committed", "account": names[i], "txn": f"t{i}"} for i in ends]
    scene = fold_all(Scene(), (first, Told("ledger/banka.jsonl", 1, (*promised, *ended)), Clock(4 * second_ns, 0)))
    bill = replace(OVER, scenes={"broken": scene}, going=("broken",))
    lines = text_of("broken", bill, width=78)
    assert next(line.split()[1:4] for line in lines if line.startswith(" A7 ")) == ["t6", "3.9", "s"]
    assert next(line.split()[1] for line in lines if line.startswith(" A1 ")) == "–"
    assert {line.split()[0] for line in text_of("broken", bill, width=78, height=6) if line.startswith(" A")} >= {"A2", "A7"}


def test_where_there_is_no_room_the_red_rows_stay() -> None:
    lines = text_of("broken", crowded(), height=8)
    assert [line.split()[0] for line in lines if "✖" in line and "o-" in line] == ["o-007", "o-077", "o-177"]
    assert lines[-1] == " … 195 more"


def test_lanes_show_who_stands_still_and_where_the_fault_fell() -> None:
    lines = text_of("course", bill_at(1.6), width=100)
    lane = next(line for line in lines if line.startswith("▸w1"))
    assert "‖Z" in lane
    assert lane.count("‖") > 10
    assert any("pause w1" in line and "inside the window" in line for line in lines)
    assert "━━━" in next(line for line in lines if "window" in line[:10])
    # The cell in which it stops may still hold the mark of its last word.
    assert lane.index("‖‖") - next(line for line in lines if line.startswith(" pause w1")).index("▒") in (0, 1)


def test_the_chosen_process_has_its_last_words_where_there_is_room() -> None:
    lines = text_of("course", OVER, width=100, height=20)
    place = lines.index(" w1 says")
    assert "lock.lost" in lines[-1]
    assert len(lines) == 20
    assert all(" s  " in line for line in lines[place + 1 :])
    assert " w1 says" not in text_of("course", OVER, width=100, height=9)


def test_both_sides_have_one_scale() -> None:
    axis = text_of("course", OVER, width=160)[0]
    left, right = axis.split("│")
    assert left.split()[1:] == right.split()[1:]


def test_a_fault_by_hand_is_told_from_the_cards() -> None:
    scene = bill_at(1.6).scenes["broken"]
    fault = FaultSeen(-1, "kill", "w2", "hand", None, scene.went_ns + 10**9)
    bill = replace(OVER, scenes={"broken": replace(scene, faults=(*scene.faults, fault))}, going=("broken",))
    assert any("kill w2 (you)" in line for line in text_of("course", bill, width=100))
    assert "changed by hand" in text_of("broken", bill)[0]


def test_the_verdict_comes_with_its_records_and_its_coverage() -> None:
    lines = text_of("findings", OVER, replace(UIS["run"], finding=1))
    assert lines[0].startswith(" broken FAIL  10 violations   10 × duplicate_charge")
    assert sum(line.startswith(" ✓ ") for line in lines) == 2
    assert any(line.startswith("▸✖ ") and "ledger/payd.jsonl:" in line for line in lines)
    assert "! payd ended with 1" in "\n".join(text_of("findings", BILLS["error"]))


def test_toggles_stand_as_they_are_on_each_side() -> None:
    fencing = next(line for line in text_of("switches", OVER) if "fencing" in line)
    assert fencing.split() == ["▸", "fencing", "off", "on", "hot"]
    assert "t now" in next(line for line in text_of("switches", bill_at(1.6)) if "fencing" in line)
    assert "next run" not in "".join(text_of("switches", OVER))


def test_what_is_chosen_for_the_next_run_is_not_told_of_the_last_one() -> None:
    chosen = replace(OVER, chosen={"broken": {"fencing": "on", "ttl_ms": "500"}})
    assert telling(chosen, "broken") == telling(OVER, "broken")
    heading, *lines = text_of("switches", chosen)
    assert "→ next run" in heading
    assert next(line for line in lines if "fencing" in line).split() == ["▸", "fencing", "→on", "on", "hot"]
    assert next(line for line in lines if "ttl_ms" in line).split() == ["ttl_ms", "→500", "1000"]
    begun = replace(chosen, scenes={}, going=("broken",))
    assert telling(begun, "broken")[0] == ("fencing", "on*", "warn")
    assert "next run" not in text_of("switches", begun)[0]


def test_a_run_that_had_other_toggles_than_the_card_says_so() -> None:
    broken = replace(OVER.scenes["broken"], toggles={**OVER.scenes["broken"].toggles, "ttl_ms": "500"})
    bill = replace(OVER, scenes={"broken": broken})
    assert ("ttl_ms", "500*", "warn") in telling(bill, "broken")
    assert next(line for line in text_of("switches", bill) if "ttl_ms" in line).split() == ["ttl_ms", "→1000", "1000"]


def beside(side: str, *, earlier: bool = False, **fields: object) -> Playbill:
    """The pair, one side of it from before, or of another seed, scale or toggles."""
    scene = OVER.scenes[side]
    assert scene.opened is not None
    assert scene.outcome is not None
    seed, scale = fields.get("seed", scene.opened.seed), fields.get("scale", scene.opened.scale)
    changed = replace(scene, opened=replace(scene.opened, seed=seed, scale=scale), outcome=replace(scene.outcome, **fields))
    ours = OVER.ours - {scene.opened.run_dir} if earlier else OVER.ours
    return replace(OVER, scenes={**OVER.scenes, side: changed}, ours=ours)


TOGGLED = OVER.scenes["canonical"].toggles | {"ttl_ms": "500"}


@pytest.mark.parametrize(
    "bill",
    [
        beside("canonical", earlier=True),
        beside("canonical", seed=77),
        beside("canonical", scale=2.0),
        beside("canonical", toggles=TOGGLED),
        beside("broken", by_hand=("kill w1",)),
    ],
)
def test_what_is_no_pair_is_not_compared(bill: Playbill) -> None:
    said = sentence(bill, UIS["run"])[0]
    assert "Canonical, with" not in said
    assert said.startswith(("broken: FAIL with 10 violations.", "FAIL with 10 violations, changed by hand"))


def test_a_pair_from_before_is_one_still() -> None:
    assert "Canonical, with fencing=on and lock=raft: none." in sentence(replace(OVER, ours=frozenset()), UIS["run"])[0]


def test_the_sentence_is_about_the_run_of_this_session() -> None:
    assert sentence(beside("broken", earlier=True), UIS["run"])[0].startswith("canonical: PASS")


def test_each_side_has_its_own_seed_where_they_differ() -> None:
    seed = OVER.scenes["broken"].opened.seed  # type: ignore[union-attr]
    (same,) = text_of("marquee", OVER, width=200)
    assert same.count(f"seed {seed}") == same.count("seed") == 1
    (other,) = text_of("marquee", beside("canonical", seed=77), width=200)
    assert f"broken FAIL 10 seed {seed}" in other
    assert "canonical PASS seed 77" in other
    (mixed,) = text_of("marquee", beside("canonical", earlier=True), width=200)
    assert mixed.count(f" seed {seed}") == 2
    (slow,) = text_of("marquee", beside("canonical", scale=3.0), width=200)
    assert f"broken FAIL 10 seed {seed} │ canonical PASS seed {seed} time ×3 " in slow


def test_a_run_from_before_is_marked_as_that() -> None:
    screen = RunScreen(Sheet(next(iter(THEMES))), Painter())
    bill = beside("canonical", earlier=True)
    assert ("  earlier run", "warn") in screen.beside("canonical", bill)
    assert ("  earlier run", "warn") not in screen.beside("broken", bill)


def test_standings_in_words() -> None:
    assert standing(OVER, "broken") == ("FAIL  10 violations", "bad")
    assert in_short(OVER, "broken") == ("FAIL 10", "bad")
    assert in_short(OVER, "canonical") == ("PASS", "good")
    assert standing(replace(OVER, waiting=("canonical",)), "canonical")[0] == "comes after the other one"
    assert standing(BILLS["lost"], "broken")[0] == "ended without a verdict"


def test_the_kept_pair_is_small() -> None:
    assert (Path(__file__).parents[1] / "golden" / "pair.acts").stat().st_size < 100_000
    assert SIDES == tuple(kept().news)


def test_names_that_begin_alike_and_are_too_long_keep_their_ends() -> None:
    bill = bill_at(1.6)
    scene = bill.scenes["broken"]
    row = next(iter(scene.rows.values()))
    rows_of_urls = {f"https://site.example/new/{number}": row for number in range(2)}
    bill = replace(bill, scenes={"broken": replace(scene, rows=rows_of_urls)})
    text = "\n".join("".join(part for part, _ in line) for line in picture.rows_of(bill, "broken", UIS["run"], 100, 20))
    assert "…ps://site.example/new/0 " in text
    assert "…ps://site.example/new/1 " in text
