"""A program in a pseudo-terminal: it is typed to, and every byte it writes is stamped when it arrives.

Law 1: the terminal is always read: a full one would make the program wait for its measurer.
Law 2: a moment is read before the bytes are looked at: what looking costs is not in the figure.
"""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence

from tui.bench.screen import Screen

_READ_BYTES = 65_536
_END_WITHIN_S = 8.0

Sight = Callable[[Screen], bool]


class Terminal:
    """Starts `command` at once. `began_s` is the moment before that, on the monotonic clock like all others here."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], columns: int, lines: int) -> None:
        self._screen = Screen(columns, lines)
        self.received_bytes = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._unread: list[bytes] = []
        self._fd, child = pty.openpty()
        fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.began_s = time.monotonic()
        try:
            self._process = subprocess.Popen(
                command, stdin=child, stdout=child, stderr=child, env=dict(environment), start_new_session=True
            )
        except BaseException:
            os.close(self._fd)
            raise
        finally:
            os.close(child)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def over(self) -> bool:
        """Whether the program has ended."""
        return self._process.poll() is not None

    def type(self, keys: str) -> float:
        """Press keys; returns the moment before they went."""
        at_s = time.monotonic()
        os.write(self._fd, keys.encode())
        return at_s

    def until(self, sight: Sight, within_s: float) -> float | None:
        """When the bytes arrived that made `sight` true; None when that did not happen in time. Now, if it is true already."""
        deadline_s = time.monotonic() + within_s
        at_s = time.monotonic()
        while not sight(self.look()):
            if not self._read(deadline_s):
                return None
            at_s = time.monotonic()
        return at_s

    def rest(self, for_s: float) -> None:
        """Only read; what came is looked at when somebody wants to see it."""
        deadline_s = time.monotonic() + for_s
        while self._read(deadline_s):
            pass

    def look(self) -> Screen:
        """The screen with everything that was read on it."""
        unread, self._unread = self._unread, []
        for data in unread:
            self._screen.feed(self._decoder.decode(data))
        return self._screen

    def _read(self, deadline_s: float) -> bool:
        """One read, as soon as there is something; False when there was nothing before the deadline, or the program is gone."""
        ready, _, _ = select.select([self._fd], [], [], max(0.0, deadline_s - time.monotonic()))
        if not ready:
            return False
        try:
            data = os.read(self._fd, _READ_BYTES)
        except OSError:  # Linux: the other side of the terminal is closed
            return False
        self.received_bytes += len(data)
        self._unread.append(data)
        return bool(data)

    def close(self) -> None:
        """Wait for the end that was asked for, or bring it about; give the terminal back."""
        deadline_s = time.monotonic() + _END_WITHIN_S
        while not self.over and time.monotonic() < deadline_s:
            self.rest(0.05)
        if not self.over:
            os.killpg(self._process.pid, signal.SIGKILL)  # the lab below it ends with it
        self._process.wait()
        os.close(self._fd)

