"""The engine of many machines: chunks of seeds played by the workers of a dask.distributed scheduler.

Law 1: a worker that dies loses no seed: the scheduler gives its chunks to the others, and the outcome is a function of the seed alone.
Law 2: scheduler and workers import faultline, and one that cannot is told of in one line. That it is the same version is up to
       whoever starts them: the trace hash would show it.
Law 3: without any worker left a sweep ends and says so, rather than wait for ever.
Law 4: whoever speaks to a scheduler trusts it, and it whoever speaks to it (objects are pickled): keep its port among friends.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from cluster.core.errors import EnvironmentFailed, UsageError
from cluster.sim.run import Outcome
from cluster.sweep import Chunk, Engine, in_order, play

if TYPE_CHECKING:
    from distributed import Client, Future

SCHEME = "dask://"
# For a scheduler to answer, and for a first worker to be there.
PATIENCE_S = 15.0
# How long a chunk waits before somebody looks whether there are workers at all.
LONELY_S = 15.0


def machines(address: str) -> Engine:
    """The engine of the workers at `dask://HOST:PORT`. Raises `UsageError` for another address, and `EnvironmentFailed` when played

    without the package, a scheduler or a worker."""
    host, _, port = address.removeprefix(SCHEME).rpartition(":")
    if not (address.startswith(SCHEME) and host and port.isdecimal()):
        raise UsageError(f"{address!r} is no engine: it reads {SCHEME}HOST:PORT")

    def engine(chunks: Iterator[Chunk]) -> Iterator[list[Outcome]]:
        with _scheduler(f"tcp://{host}:{port}") as client:
            yield from in_order(chunks, partial(_Pending, client), partial(_players, client))

    return engine


class _Pending:
    """A chunk at the scheduler, which waits for workers for ever; `result` does not (Law 3)."""

    def __init__(self, client: Client, chunk: Chunk) -> None:
        self._client = client
        # Not pure: with a key made of the chunk one sweep would take another's answers, and a scheduler may outlive a version of faultline.
        self._future: Future[list[Outcome]] = client.submit(play, chunk, pure=False)

    def result(self) -> list[Outcome]:
        while True:
            try:
                outcomes: list[Outcome] = self._future.result(timeout=LONELY_S)
            except TimeoutError as error:
                if not self._client.nthreads():
                    raise EnvironmentFailed("no worker is left at the scheduler: all have died, or cannot import this faultline") from error
            else:
                return outcomes


def _players(client: Client) -> int:
    """Threads of the workers there are now: they come and go."""
    threads: dict[str, int] = client.nthreads()
    return max(1, sum(threads.values()))


@contextmanager
def _scheduler(address: str) -> Iterator[Client]:
    """Closed at the end, and with it what was given out and not yet played."""
    try:
        from distributed import Client, KilledWorker
    except ImportError as error:
        raise EnvironmentFailed(f"{SCHEME} needs the package distributed, the extra `sweep` of faultline ({error})") from error
    try:
        with Client(address, timeout=PATIENCE_S, set_as_default=False) as client:
            client.wait_for_workers(1, timeout=PATIENCE_S)
            yield client
    except (ImportError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "deserialization" not in str(error):
            raise
        cure = "give its processes the same installation (or the checkout on PYTHONPATH)"
        raise EnvironmentFailed(f"the scheduler or a worker of {address} cannot import this faultline: {cure}") from error
    except KilledWorker as error:
        raise EnvironmentFailed(f"several workers of {address} died over the same seeds: {error}") from error
    except (OSError, CancelledError) as error:
        raise EnvironmentFailed(f"no scheduler with workers answers at {address}: {error}") from error
