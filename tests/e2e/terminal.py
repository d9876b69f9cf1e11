"""A terminal in tmux: keys go in, and what a person would see comes out, waited for under a deadline."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

from cluster.supervisor import rundir
from tests.cluster.supervisor.labs import DEADLINE_S, parent_of
from tests.e2e.fronts import ROOT

_LOOK_AGAIN_S = 0.03


class Terminal:
    """One tmux server of its own, below `place`; `until` is the only way to wait."""

    def __init__(self, place: Path, columns: int, rows: int) -> None:
        self._tmux = ["tmux", "-S", str(place / "tmux"), "-f", "/dev/null"]
        self._place = place
        # A shell around the tool, as at a prompt: it says how the tool ended, and how it left the terminal.
        self._call("new-session", "-d", "-x", str(columns), "-y", str(rows), "sh")
        self._stty = place / "stty"
        self.keys_typed("stty -g > " + shlex.quote(str(self._stty)))

    def _call(self, *arguments: str) -> str:
        done = subprocess.run([*self._tmux, *arguments], capture_output=True, text=True, timeout=DEADLINE_S, check=True)
        return done.stdout

    # ---- hands --------------------------------------------------------------------------------------------------

    def start(self, *arguments: str, redirected: str = "", **environment: str) -> None:
        """The tool, with its run directories below `place`; `redirected` as a shell says it."""
        settings = {"PYTHONPATH": str(ROOT), "XDG_RUNTIME_DIR": str(self._place), **environment}
        words = ["env", "-u", "NO_COLOR", *(f"{name}={value}" for name, value in settings.items())]
        words += [sys.executable, "-P", "-m", "tui", *arguments]
        self.keys_typed(f"clear; {shlex.join(words)} {redirected}; echo over $?")

    def keys_typed(self, line: str) -> None:
        self._call("send-keys", "-l", line)
        self.press("Enter")

    def press(self, *keys: str) -> None:
        """Keys by tmux's names."""
        self._call("send-keys", *keys)

    def resize(self, columns: int, rows: int) -> None:
        self._call("resize-window", "-x", str(columns), "-y", str(rows))

    def hang_up(self) -> None:
        """Close the terminal under the tool."""
        self._call("kill-server")

    # ---- eyes ---------------------------------------------------------------------------------------------------

    @property
    def text(self) -> str:
        return self._call("capture-pane", "-p")

    def until(self, *seen: str, gone: str = "") -> str:
        """Look until all these patterns are on the screen, and `gone` is not. Returns the screen."""
        deadline_s = time.monotonic() + DEADLINE_S
        while True:
            text = self.text
            missing = [pattern for pattern in seen if not re.search(pattern, text)]
            if not missing and not (gone and re.search(gone, text)):
                return text
            assert time.monotonic() < deadline_s, f"waited for {missing or f'the end of {gone}'} on\n{text}"
            time.sleep(_LOOK_AGAIN_S)

    def given_back(self) -> str:
        """Wait for the tool's end; returns the screen. The alternate screen is left, and the line is as it was."""
        text = self.until(r"over \d+")
        modes = self._call("display-message", "-p", "alternate #{alternate_on} cursor #{cursor_flag} mouse #{mouse_any_flag}")
        assert modes.strip() == "alternate 0 cursor 1 mouse 0"
        after = self._place / "after"
        self.keys_typed(f"stty -g > {after}.part && mv {after}.part {after}")
        deadline_s = time.monotonic() + DEADLINE_S
        while not after.exists():
            assert time.monotonic() < deadline_s, self.text
            time.sleep(_LOOK_AGAIN_S)
        assert after.read_text() == self._stty.read_text()
        return text

    # ---- what hangs below it ------------------------------------------------------------------------------------

    @property
    def shell(self) -> int:
        """The pid of the shell that the tool is started from."""
        return int(self._call("display-message", "-p", "#{pane_pid}"))

    def supervisor(self) -> int:
        """The pid of the one lab's supervisor."""
        (run_dir,) = rundir.living(self._place / "faultline")
        return int((run_dir / rundir.PID_NAME).read_text())

    def close(self) -> None:
        """Whatever a failed test left running is killed with it."""
        for run_dir in rundir.living(self._place / "faultline"):
            supervisor = int((run_dir / rundir.PID_NAME).read_text())
            for pid in (parent_of(supervisor), supervisor):
                if pid > 1:
                    os.kill(pid, signal.SIGKILL)
        subprocess.run([*self._tmux, "kill-server"], capture_output=True, check=False)
