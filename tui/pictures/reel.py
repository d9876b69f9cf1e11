"""A moving picture: a real terminal, a real lab, keys pressed at their times; recorded, and drawn as a GIF.

Law 1: the recording is what the program wrote into its terminal, byte for byte; drawing adds and leaves out nothing.
Law 2: a frame is taken between two bursts of writing, never within one: half-drawn screens are not what a person sees.
Law 3: keys are counted from the first leader on the screen, however long the start takes.
Law 4: the program is ended by its own key; when it does not end, its own process is killed, and no picture comes of it.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from cluster.core.errors import EnvironmentFailed
from tui.pictures.drawing import needed

FPS = 10
LEADER = "★".encode()  # the cluster stands when this is first written
READY_S = 20.0
SETTLE_FRAMES = 3  # the first frame shows a screen that is drawn whole: it is all that a still preview shows
HOLD_S = 2.0  # the last frame stays so long before the film begins again
BURST_S = 0.010  # writes closer together are one change of the screen
LEAVE_S = 10.0
FONT_SIZE, CELL = 13.289, (8, 15)  # DejaVu Sans Mono: 0.602 em wide is 8 dots, 1.164 em high a little more than 15
MARGIN = 8
COLOURS = 128
# What a terminal is asked, and modes that the emulator does not know: nothing of it can be seen.
_INVISIBLE = re.compile(rb"\x1b\[[<>=][0-9;]*[a-zA-Z]|\x1b\[\?[0-9;]*\$p|\x1b[P_][^\x1b]*\x1b\\|\x1b\]1[0-9];[^\x07\x1b]*(?:\x07|\x1b\\)")


class Act(NamedTuple):
    """`keys` are typed from `at_s` after the first leader on, one every `every_s`."""

    at_s: float
    keys: str
    every_s: float = 0.07


class Tape(NamedTuple):
    """What was written: (seconds since the start, bytes); `leader_s`: when the first leader stood on the screen."""

    size: tuple[int, int]
    chunks: list[tuple[float, bytes]]
    leader_s: float


def record(arguments: Sequence[str], size: tuple[int, int], acts: Sequence[Act], seconds: float) -> Tape:
    """Run `faultline ARGUMENTS` in a terminal of `size` cells until `seconds` after the first leader, and leave it with `q`."""
    presses = sorted((act.at_s + place * act.every_s, key) for act in acts for place, key in enumerate(act.keys))
    program, terminal = _started(arguments, size)
    began = time.monotonic()
    chunks: list[tuple[float, bytes]] = []
    try:
        while not (chunks and LEADER in chunks[-1][1]):
            chunks += _read(terminal, began, until_s=READY_S)
            if time.monotonic() - began > READY_S:
                raise EnvironmentFailed(f"after {READY_S:.0f} s there is no leader on the screen")
        leader_s = chunks[-1][0]
        while (now_s := time.monotonic() - began - leader_s) < seconds:
            while presses and presses[0][0] <= now_s:
                os.write(terminal, presses.pop(0)[1].encode())
            chunks += _read(terminal, began, until_s=leader_s + min([seconds, *(at for at, _ in presses[:1])]))
        os.write(terminal, b"q")
        _left(program, terminal)
    finally:
        os.close(terminal)
        program.kill()  # nothing happens to one that has left
        program.wait()
    return Tape(size, chunks, leader_s)


def _started(arguments: Sequence[str], size: tuple[int, int]) -> tuple[subprocess.Popen[bytes], int]:
    """The program in a terminal of its own, and the near end of that terminal."""
    home = str(Path(__file__).parents[2])
    surroundings = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "PYTHONPATH": home}
    surroundings.pop("NO_COLOR", None)
    terminal, far = pty.openpty()
    width, height = size
    fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
    program = subprocess.Popen(
        [sys.executable, "-P", "-m", "tui", *arguments], stdin=far, stdout=far, stderr=far, env=surroundings, start_new_session=True
    )
    os.close(far)
    return program, terminal


def _read(terminal: int, began: float, until_s: float) -> list[tuple[float, bytes]]:
    """What is written next; nothing when `until_s` comes first."""
    wait_s = max(0.0, until_s - (time.monotonic() - began))
    if not select.select([terminal], [], [], wait_s)[0]:
        return []
    try:
        return [(time.monotonic() - began, os.read(terminal, 65_536))]
    except OSError as error:
        raise EnvironmentFailed("the program ended while it was being filmed") from error


def _left(program: subprocess.Popen[bytes], terminal: int) -> None:
    """Wait for the end, reading on: a full terminal would block it."""
    deadline = time.monotonic() + LEAVE_S
    while program.poll() is None:
        if time.monotonic() > deadline:
            raise EnvironmentFailed("the program did not leave when it was told to")
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                os.read(terminal, 65_536)
            except OSError:  # the other end is closed: it is about to exit
                program.wait(LEAVE_S)


def bursts(chunks: Sequence[tuple[float, bytes]]) -> list[tuple[float, bytes]]:
    """Writes that belong together, at the time of their end."""
    joined: list[tuple[float, bytes]] = []
    for at_s, data in chunks:
        if joined and at_s - joined[-1][0] < BURST_S:
            joined[-1] = (at_s, joined[-1][1] + data)
        else:
            joined.append((at_s, data))
    return joined


def frames(tape: Tape) -> Iterator[tuple[Any, int]]:
    """(image, milliseconds that it stands); equal neighbours are one frame."""
    pyte = needed("pyte")
    screen = pyte.Screen(*tape.size)
    stream = pyte.ByteStream(screen)
    artist = _Artist(*tape.size)
    waiting = bursts(tape.chunks)
    end_s = tape.chunks[-1][0] if tape.chunks else 0.0
    shown, held_ms = None, 0
    for number in range(int(tape.leader_s * FPS) + SETTLE_FRAMES, int(end_s * FPS) + 1):
        while waiting and waiting[0][0] <= number / FPS:
            stream.feed(_INVISIBLE.sub(b"", waiting.pop(0)[1]))
        if artist.draw(screen) and shown is not None:
            yield shown, held_ms
            held_ms = 0
        shown, held_ms = artist.image.copy(), held_ms + 1_000 // FPS
    if shown is not None:
        yield shown, held_ms + round(1_000 * HOLD_S)


def write_gif(tape: Tape, path: Path) -> None:
    """The film from the first leader on, in one palette for all frames."""
    film = list(frames(tape))
    if not film:
        raise EnvironmentFailed("nothing was drawn: there is no film")
    palette = _palette([image for image, _ in film])
    drawn = [image.quantize(palette=palette, dither=0) for image, _ in film]
    drawn[0].save(path, save_all=True, append_images=drawn[1:], duration=[held for _, held in film], loop=0, optimize=True, disposal=1)


def _palette(images: list[Any]) -> Any:
    """The commonest colours of a few frames throughout the film."""
    image_module = needed("PIL.Image")
    chosen = images[:: max(1, len(images) // 6)]
    width, height = chosen[0].size
    sheet = image_module.new("RGB", (width, height * len(chosen)))
    for place, image in enumerate(chosen):
        sheet.paste(image, (0, place * height))
    return sheet.quantize(COLOURS)


class _Artist:
    """Draws a terminal's cells; only those that changed."""

    def __init__(self, width: int, height: int) -> None:
        self._draw_module = needed("PIL.ImageDraw")
        self._image_module = needed("PIL.Image")
        fonts = needed("PIL.ImageFont")
        try:
            self._fonts = {bold: fonts.truetype(f"DejaVuSansMono{'-Bold' if bold else ''}.ttf", FONT_SIZE) for bold in (False, True)}
        except OSError as error:
            raise EnvironmentFailed("pictures need the font DejaVu Sans Mono (package fonts-dejavu-core)") from error
        self._cells: dict[tuple[int, int], tuple[str, str, str, bool]] = {}
        self._tiles: dict[tuple[str, str, str, bool], Any] = {}
        self._size = (width, height)
        self.image = self._image_module.new("RGB", (width * CELL[0] + 2 * MARGIN, height * CELL[1] + 2 * MARGIN), "#0b1017")

    def draw(self, screen: Any) -> bool:
        """Bring the image up to the screen; whether anything changed."""
        changed = False
        for y in sorted(screen.dirty):
            line = screen.buffer[y]
            for x in range(self._size[0]):
                cell = _looks(line[x])
                if self._cells.get((x, y)) != cell:
                    self._cells[x, y] = cell
                    self.image.paste(self._tile(cell), (MARGIN + x * CELL[0], MARGIN + y * CELL[1]))
                    changed = True
        screen.dirty.clear()
        return changed

    def _tile(self, cell: tuple[str, str, str, bool]) -> Any:
        tile = self._tiles.get(cell)
        if tile is None:
            letter, fore, back, bold = cell
            tile = self._tiles[cell] = self._image_module.new("RGB", CELL, back)
            self._draw_module.Draw(tile).text((0, -1), letter, font=self._fonts[bold], fill=fore)
        return tile


def _looks(char: Any) -> tuple[str, str, str, bool]:
    """(letter, writing, ground, bold) of a cell."""
    fore = "#d5dde6" if char.fg == "default" else f"#{char.fg}"
    back = "#0b1017" if char.bg == "default" else f"#{char.bg}"
    if char.reverse:
        fore, back = back, fore
    return char.data or " ", fore, back, char.bold
