"""The dashboard's way to the terminal, which may be closed under it at any moment.

Law 1: a terminal that is gone never holds up the app. Textual writes in a thread that ends at the first error, and whoever
writes after that waits for ever: the app would neither draw nor leave, and the lab would go on behind it with nobody there.
Law 2: that it is gone is told once, so that the app leaves.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import IO, Any

from textual.app import App
from textual.drivers.linux_driver import LinuxDriver


class Outlet:
    """As much of a file as a writer needs. After the first error it swallows; `gone()` is called then, once, in the writer's thread."""

    def __init__(self, file: IO[str], gone: Callable[[], object]) -> None:
        self._file = file
        self._gone = gone
        self._lost = False

    def write(self, text: str) -> int:
        self._try(lambda: self._file.write(text))
        return len(text)

    def flush(self) -> None:
        self._try(self._file.flush)

    def fileno(self) -> int:
        return self._file.fileno()

    def isatty(self) -> bool:
        return self._file.isatty()

    def _try(self, act: Callable[[], object]) -> None:
        if self._lost:
            return
        try:
            act()
        except OSError:
            self._lost = True
            self._gone()


class LastingDriver(LinuxDriver):
    """Textual's own for Linux and macOS, drawing through an `Outlet`, and on standard output: `2>errors` must not catch the frames."""

    def __init__(self, app: App[Any], **settings: Any) -> None:
        super().__init__(app, **settings)
        loop = asyncio.get_running_loop()
        assert sys.__stdout__ is not None, "a terminal was asked for"
        self._file = Outlet(sys.__stdout__, lambda: loop.call_soon_threadsafe(app.exit))  # type: ignore[assignment]
