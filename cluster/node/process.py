"""A node as an operating-system process: what the zygote's child runs.

Law 1: when the control connection ends, the process is gone within milliseconds: no farewell, no waiting for the disk.
Law 2: exit codes: 0 asked to end or left by its supervisor · 1 an own invariant is broken · 2 malformed spec · 4
       disk, port or supervisor cannot be used (one line on standard error says which).
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import msgspec

from cluster.core.errors import UNDECODABLE
from cluster.node.node import EXIT_DEFECT, EXIT_ENVIRONMENT, EXIT_GOOD, Node
from cluster.telemetry.control import NodeSpec

EXIT_USAGE = 2
# The storage thread must get the interpreter back quickly after fdatasync: at the default of 5 ms a busy loop would add
# that to every commit.
SWITCH_INTERVAL_S = 0.0005


def run(spec: bytes) -> None:
    """Be the node that `spec` (a msgpack `NodeSpec`) describes; ends the process."""
    try:
        decoded = msgspec.msgpack.decode(spec, type=NodeSpec)
    except UNDECODABLE as error:
        _exit(EXIT_USAGE, f"malformed node spec: {error}")
    os.nice(decoded.niceness)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the terminal is the front's to answer
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        code = runner.run(_live(decoded))
        _exit(code)


async def _live(spec: NodeSpec) -> int:
    loop = asyncio.get_running_loop()
    node = Node(spec, _hung_up)
    loop.add_signal_handler(signal.SIGTERM, node.end)
    loop.set_exception_handler(lambda _, context: _callback_failed(node, context))
    try:
        return await node.run()
    except Exception as error:  # noqa: BLE001 - not swallowed: told, traced, and the exit code
        node.broken(error)
        return EXIT_DEFECT


def _callback_failed(node: Node, context: dict[str, Any]) -> None:
    """The loop has caught something. What the system refuses (descriptors, say) is a complaint, anything else a defect."""
    error, message = context.get("exception"), str(context.get("message"))
    if isinstance(error, OSError):
        node.complain("system", f"{message}: {error.strerror or error}")
    else:
        node.broken(error if isinstance(error, BaseException) else RuntimeError(message))


def _hung_up(reason: str) -> None:
    _exit(EXIT_ENVIRONMENT if reason else EXIT_GOOD, reason)


def _exit(code: int, line: str = "") -> NoReturn:
    """At once: interpreter shutdown would join the storage thread, and a hanging disk would keep the process."""
    if line:
        sys.stderr.write(line + "\n")
    sys.stderr.flush()
    sys.stdout.flush()
    os._exit(code)


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """uvloop when it is there; nothing requires it."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop


__all__ = ["EXIT_DEFECT", "EXIT_ENVIRONMENT", "EXIT_GOOD", "EXIT_USAGE", "loop_factory", "run"]
