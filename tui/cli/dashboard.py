"""The dashboard's way in: a terminal, a session, the app, and a clean way out.

Law 1: who waits for a key's effect waits for no one else: what can be loaded early is, and what stays for good is not collected.
Law 2: the terminal is given back as it was, however the dashboard ends.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import os
import signal
import sys
from typing import TYPE_CHECKING

from cluster.core.errors import EnvironmentFailed
from cluster.supervisor.seat import LiveSession
from cluster.telemetry.control import LabSpec
from cluster.telemetry.session import Session
from cluster.telemetry.view import ClusterView
from tui.cli.conductor import Steps, play, stands_up
from tui.cli.exits import ENVIRONMENT, GOOD, INTERRUPTED, VIOLATION
from tui.cli.incident import runs_home
from tui.cli.summary import farewell
from tui.state import UiState

if TYPE_CHECKING:
    from tui.app import FaultlineApp

# Textual paints what a frame has changed at its own next tick, read at import. Frames are few, so ticks may be close: half of 8 ms.
os.environ.setdefault("TEXTUAL_FPS", "120")
# Keys come in on one thread and pictures go out on another: at the default of 5 ms each would wait so long for a busy third.
SWITCH_INTERVAL_S = 0.0005


def need_terminal() -> None:
    """Raises `EnvironmentFailed` when there is none to draw on."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise EnvironmentFailed("the dashboard needs a terminal (faultline live --headless does not)")
    for name in ("COLUMNS", "LINES"):  # exported once, they would hold for every size that the terminal takes later
        os.environ.pop(name, None)
    if os.environ.get("TERM") in ("dumb", "unknown"):
        raise EnvironmentFailed(f"a terminal of TERM={os.environ['TERM']} cannot be drawn on (faultline live --headless needs none)")


def run_dashboard(spec: LabSpec, steps: Steps, *, theme: str, ascii_only: bool, reads_stdin: bool) -> int:
    """Start a lab and sit down at it."""
    if reads_stdin:
        try:
            os.dup2(os.open("/dev/tty", os.O_RDWR), 0)
        except OSError as error:
            raise EnvironmentFailed(f"no terminal: {error.strerror}") from error
    need_terminal()
    return asyncio.run(_live(spec, steps, theme, ascii_only))


def run_attached(run_dir: str, *, observe: bool, theme: str, ascii_only: bool) -> int:
    """Another seat at a running lab."""
    return asyncio.run(_attached(run_dir, observe, theme, ascii_only))


def end_lab(run_dir: str) -> int:
    """End a running lab, whoever sits there."""
    return asyncio.run(_ended(run_dir))


def show(session: Session, initial: ClusterView, ui: UiState, theme: str) -> int:
    """Any session in the dashboard, until the person leaves."""
    return asyncio.run(_show(session, initial, ui, theme))


async def _live(spec: LabSpec, steps: Steps, theme: str, ascii_only: bool) -> int:
    # Textual takes as long to load as a lab to open.
    loading = asyncio.get_running_loop().run_in_executor(None, importlib.import_module, "tui.app")
    session = await LiveSession.open(spec)
    await loading
    ui = UiState(ascii=ascii_only, recording=bool(spec.record))
    code = await _show(session, session.initial, ui, theme, steps)
    _tell_if_it_goes_on(session)
    if spec.record:
        _tell(f"faultline replay {spec.record} shows it once more")
    return code


async def _attached(run_dir: str, observe: bool, theme: str, ascii_only: bool) -> int:
    session = await LiveSession.attach(run_dir, observer=observe)
    code = await _show(session, session.initial, UiState(ascii=ascii_only, observer=observe), theme)
    _tell_if_it_goes_on(session)
    return code


async def _ended(run_dir: str) -> int:
    session = await LiveSession.attach(run_dir)
    await session.close(end=True)
    _tell(f"the lab {session.run_dir.name} has ended")
    return GOOD


async def _show(session: Session, initial: ClusterView, ui: UiState, theme: str, steps: Steps = ()) -> int:
    from tui.app import FaultlineApp, Staging

    app = FaultlineApp(session, initial, ui, theme=theme, staging=Staging(runs_home()))
    signalled = await run_app(app, session, steps)
    if ui.mode != "REPLAY":
        _tell(farewell(app.store.view))
    if signalled:
        return INTERRUPTED
    if app.lost:
        return ENVIRONMENT
    violated = any(light.state == "violated" for light in app.store.view.lights.values())
    return VIOLATION if violated and ui.mode != "REPLAY" else GOOD


async def run_app(app: FaultlineApp, session: Session, steps: Steps = ()) -> list[signal.Signals]:
    """Until the person leaves, and everything of the dashboard's is ended. Returns the signals that came."""
    from tui.cli.outlet import LastingDriver

    app.driver_class = LastingDriver
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    gc.freeze()  # half of all objects are modules and styles: walking them stops the screen for 20 ms
    signalled = _leave_on_signals(app)
    async with asyncio.TaskGroup() as tasks:
        conductor = tasks.create_task(_conduct(app, session, steps))
        try:
            await app.run_async()
        finally:
            conductor.cancel()
            await app.theatre.close()
            await session.close()
    for complaint in app.complaints:
        _tell(complaint)
    return signalled


async def _conduct(app: FaultlineApp, session: Session, steps: Steps) -> None:
    """Play the script from the moment all nodes are up and a leader is known (law 1 of the conductor)."""
    stands = asyncio.Event()

    def look() -> None:
        if stands_up(app.store.view):
            stands.set()

    app.store.listen(look)
    await stands.wait()
    await play(session, steps, asyncio.get_running_loop().time())


def _leave_on_signals(app: FaultlineApp) -> list[signal.Signals]:
    """Law 2: asked to end from outside, the app leaves by its own door. Returns the signals that came, as they come."""
    came: list[signal.Signals] = []

    def leave(signum: signal.Signals) -> None:
        came.append(signum)
        app.leave()

    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(signum) is not signal.SIG_IGN:
            asyncio.get_running_loop().add_signal_handler(signum, leave, signum)
    return came


def _tell_if_it_goes_on(session: LiveSession) -> None:
    """Kept, or with other operators at it."""
    name = session.run_dir.name
    if session.run_dir.exists():
        _tell(f"the lab {name} goes on; faultline attach {name} sits down again, with --end it ends")


def _tell(text: str) -> None:
    """Said once the terminal is a terminal again."""
    print(f"faultline: {text}", file=sys.stderr)
