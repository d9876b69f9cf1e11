"""Films: what a terminal was told, drawn frame by frame."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from cluster.core.errors import EnvironmentFailed
from tui.pictures import reel
from tui.pictures.catalog import FILM
from tui.pictures.reel import Act, Tape

HOME = b"\x1b[H"


def tape(*chunks: tuple[float, bytes]) -> Tape:
    return Tape((20, 3), list(chunks), 0.0)


def test_writes_close_together_are_one_burst() -> None:
    assert reel.bursts([(0.0, b"a"), (0.005, b"b"), (0.012, b"c"), (0.5, b"d")]) == [(0.012, b"abc"), (0.5, b"d")]


def test_equal_frames_are_one_that_stands_longer() -> None:
    film = list(reel.frames(tape((0.0, HOME + b"one"), (0.95, HOME + b"two"), (1.45, b"\x1b[?25l"))))
    held = [milliseconds for _, milliseconds in film]
    assert held == [700, 500 + round(1_000 * reel.HOLD_S)]
    assert film[0][0].size == (20 * 8 + 16, 3 * 15 + 16)
    assert film[0][0].tobytes() != film[1][0].tobytes()


def test_what_the_emulator_does_not_know_is_not_drawn_as_text() -> None:
    queries = b"\x1b[>1u\x1b[?2026$p\x1b[=5u\x1b]11;?\x07\x1bP+q544e\x1b\\"
    plain, asked = (next(reel.frames(tape((0.0, HOME + text + b"one"), (0.5, b""))))[0] for text in (b"", queries))
    assert plain.tobytes() == asked.tobytes()


def test_colours_weight_and_reversal_are_drawn() -> None:
    looks = {
        next(reel.frames(tape((0.0, HOME + style + b"X"), (0.5, b""))))[0].tobytes()
        for style in (b"", b"\x1b[38;2;255;0;0m", b"\x1b[48;2;0;0;255m", b"\x1b[1m", b"\x1b[7m")
    }
    assert len(looks) == 5


def test_the_gif_holds_all_frames(tmp_path: Path) -> None:
    chunks = [(number / 2, HOME + b"frame %d" % number) for number in range(6)]
    reel.write_gif(tape(*chunks), tmp_path / "a.gif")
    with Image.open(tmp_path / "a.gif") as film:
        assert getattr(film, "n_frames", 1) == 6


def test_nothing_filmed_is_no_film(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailed, match="nothing was drawn"):
        reel.write_gif(tape(), tmp_path / "a.gif")


def test_a_program_that_ends_by_itself_makes_no_film() -> None:
    with pytest.raises(EnvironmentFailed, match="ended while it was being filmed"):
        reel.record(["--version"], (80, 24), [Act(0.0, "q")], 1.0)


def test_the_film_of_the_catalogue_types_what_the_grammar_knows_and_ends_after_its_last_key() -> None:
    from cluster.commands import parse

    typed = FILM.acts[0].keys.removeprefix(":")
    assert parse(typed)
    assert max(act.at_s + len(act.keys) * act.every_s for act in FILM.acts) < FILM.seconds
