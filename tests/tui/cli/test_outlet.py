from __future__ import annotations

import errno
import io

from tui.cli.outlet import Outlet


class Closed(io.StringIO):
    """A terminal that is closed after so many writes."""

    def __init__(self, writes: int) -> None:
        super().__init__()
        self._left = writes

    def write(self, text: str) -> int:
        self._left -= 1
        if self._left < 0:
            raise OSError(errno.EIO, "Input/output error")
        return super().write(text)


def test_what_is_written_reaches_the_terminal() -> None:
    told: list[str] = []
    file = io.StringIO()
    outlet = Outlet(file, lambda: told.append("gone"))
    assert outlet.write("frame") == 5
    outlet.flush()
    assert (file.getvalue(), told) == ("frame", [])


def test_a_terminal_that_is_gone_is_told_once_and_swallows_the_rest() -> None:
    told: list[str] = []
    file = Closed(writes=1)
    outlet = Outlet(file, lambda: told.append("gone"))
    for _ in range(4):
        outlet.write("frame")
        outlet.flush()
    assert (file.getvalue(), told) == ("frame", ["gone"])
