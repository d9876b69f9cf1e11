"""Why a node cannot start: each text is the one line that an operator reads."""

from __future__ import annotations

from cluster.core.errors import FaultlineError


class StorageFailed(FaultlineError):
    """The directory or the device cannot be used; the text is the one line an operator reads."""


class PortTaken(FaultlineError):
    """The node's port cannot be had; the text is the one line an operator reads."""


class NoSupervisor(FaultlineError):
    """The control socket cannot be reached; the text is the one line an operator reads."""
