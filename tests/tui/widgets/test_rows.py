from __future__ import annotations

from textual.app import App, ComposeResult
from textual.geometry import Region

from tui.palette import THEMES, Sheet
from tui.state import Row
from tui.widgets.rows import RowPane, width_of

SHEET = Sheet(THEMES[0])


class CountingPane(RowPane):
    """Remembers which regions were refreshed."""

    def __init__(self, *, framed: bool = False) -> None:
        super().__init__("pane", SHEET, framed=framed)
        self.refreshed: list[tuple[Region, ...]] = []

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> CountingPane:
        if regions:
            self.refreshed.append(regions)
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)


class OnePane(App[None]):
    def __init__(self, pane: RowPane) -> None:
        super().__init__()
        self.pane = pane
        self.clicked: list[RowPane.Clicked] = []
        self.wheeled: list[int] = []

    def compose(self) -> ComposeResult:
        yield self.pane

    def on_row_pane_clicked(self, message: RowPane.Clicked) -> None:
        self.clicked.append(message)

    def on_row_pane_wheeled(self, message: RowPane.Wheeled) -> None:
        self.wheeled.append(message.lines)


def plain(*lines: str) -> list[Row]:
    return [((line, "text"),) for line in lines]


async def test_only_rows_that_changed_are_painted_and_in_one_refresh() -> None:
    pane = CountingPane()
    async with OnePane(pane).run_test(size=(20, 5)):
        pane.show(plain("one", "two", "three"))
        pane.refreshed.clear()
        assert pane.show(plain("one", "TWO", "three", "four")) == 2
        (regions,) = pane.refreshed
        assert [region.y for region in regions] == [1, 3]
        assert pane.show(plain("one", "TWO", "three", "four")) == 0
        assert len(pane.refreshed) == 1


async def test_rows_that_go_are_painted_over() -> None:
    pane = CountingPane()
    async with OnePane(pane).run_test(size=(20, 5)) as pilot:
        pane.show(plain("one", "two"))
        pane.show(plain("one"))
        await pilot.pause()
        assert pane.render_line(1).text.strip() == ""


async def test_a_frame_holds_rows_of_every_width() -> None:
    pane = CountingPane(framed=True)
    async with OnePane(pane).run_test(size=(20, 6)):
        pane.show([(("x" * 40, ""),), (("漢字" * 20, ""),), (("short", "dim"),)], (("TITLE", "title"),), (("foot", "dim"),))
        lines = [pane.render_line(y).text for y in range(6)]
        assert lines[0] == "╭─ TITLE ──────────╮"
        assert lines[5] == "╰─────────── foot ─╯"
        assert all(line[0] == "│" and line[-1] == "│" for line in lines[1:5])
        assert {width_of(((line, ""),)) for line in lines} == {20}


async def test_a_title_too_long_is_cut_and_the_corner_stays() -> None:
    pane = CountingPane(framed=True)
    async with OnePane(pane).run_test(size=(12, 3)):
        pane.show([], (("A VERY LONG TITLE", "title"),), (("and a foot", "dim"),))
        lines = [pane.render_line(y).text for y in range(3)]
        assert {len(line) for line in lines} == {12}
        assert lines[0].endswith("╮")
        assert lines[2].endswith("╯")


async def test_a_title_that_changes_costs_one_line() -> None:
    pane = CountingPane(framed=True)
    async with OnePane(pane).run_test(size=(20, 6)):
        pane.show(plain("a", "b"), (("ONE", "title"),))
        assert pane.show(plain("a", "b"), (("TWO", "title"),)) == 1
        assert pane.show(plain("a", "b"), (("TWO", "title"),), lit=True) == 6


async def test_too_many_rows_are_left_out() -> None:
    pane = CountingPane(framed=True)
    async with OnePane(pane).run_test(size=(20, 5)):
        pane.show(plain(*"abcdefgh"))
        assert [line.strip("│ ") for line in pane.text_rows()[1:-1]] == ["a", "b", "c"]


async def test_styles_bring_their_ground() -> None:
    pane = CountingPane()
    async with OnePane(pane).run_test(size=(20, 2)):
        pane.show([(("★", "leader"), (" n1", "dim"))])
        assert all(segment.style is not None and segment.style.bgcolor is not None for segment in pane.render_line(0))


async def test_only_ascii_goes_out_when_asked() -> None:
    pane = CountingPane(framed=True)
    async with OnePane(pane).run_test(size=(30, 4)):
        pane.plain = True
        pane.show([(("★ ● ‖ ┃ ━ … φ", ""),)], (("TITLE ↑", "title"),), (("← →", "dim"),))
        lines = [pane.render_line(y).text for y in range(4)]
        assert all(set(line) - set("★●‖") <= set(map(chr, range(32, 127))) for line in lines), lines


async def test_clicks_say_what_was_clicked() -> None:
    pane = CountingPane()
    app = OnePane(pane)
    async with app.run_test(size=(20, 5)) as pilot:
        pane.show(plain("first", "second row"))
        await pilot.click("#pane", offset=(7, 1))
        await pilot.click("#pane", offset=(7, 4))
        (message,) = app.clicked
        assert (message.pane, message.text, message.column, message.line) == ("pane", "second row", 7, 1)
