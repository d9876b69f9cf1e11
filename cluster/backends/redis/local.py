"""Redis itself as the run's own servers: the program that is installed here, in the place of Valkey (`--backend redis=redis-server`).

Law 1: everything but the program is as with the run's own: configuration, password, how it is waited for, replicas.
"""

from __future__ import annotations

import shutil

from cluster.backends.group import Ask, Trace
from cluster.backends.redis import embedded
from cluster.core.errors import EnvironmentFailed

PACKAGES = embedded.PACKAGES
PRELOADS = embedded.PRELOADS
SCHEMES = embedded.SCHEMES
PORTS_EACH = embedded.PORTS_EACH


def prepare(ask: Ask, trace: Trace) -> embedded.Valkeys:
    """Raises `EnvironmentFailed` when there is no such program here."""
    program = shutil.which("redis-server")
    if program is None:
        raise EnvironmentFailed("no redis-server on the path: install it, give --backend redis=redis://…, or leave it out")
    return embedded.prepare(ask, trace, program)
