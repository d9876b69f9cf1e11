"""Durability as a mailbox: `Persist` goes in, and comes back as a token once it and all before it are on the disk.

Law 1: nothing is reported durable before it is on the device (`tail`); what waits meanwhile goes into the next write
       together (group commit).
Law 2: a real error of the disk ends the node. After a failed fsync nobody knows what the disk holds, and trying again
       would only look like success; a restart reads what is really there.
Law 3: disk faults of the plan act before the first byte is written, so whatever is held up is *lost* when the process
       is killed. "slow" holds each write for the delay, "hang" until the fault ends. "fail" complains once and then
       holds as well: the injected error comes before any byte, so unlike a real one it can be retried, and healing
       lets the node recover by itself.
Law 4: while the disk is quick, the loop itself writes, at the end of its turn: handing a write to a thread and back
       costs more than the write. After one that was slow, the thread takes over for a while, so that heartbeats go on
       beside a disk that drags; it also serves every disk fault of the plan, every new segment, and a leader under load,
       who has requests and acknowledgements to see to meanwhile: followers that are done commit without its disk.
"""

from __future__ import annotations

import asyncio
import queue
import statistics
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from cluster.core.raft.ready import Persist
from cluster.core.types import Micros
from cluster.monotonic import now_us as true_us
from cluster.node.segments import Segments

# Persists in one write. Each is bounded by the protocol, so this bounds the write.
GROUP_MAX: Final = 256
# Persists not yet durable. Raft's own windows keep far below; beyond it the disk is as good as gone.
WAITING_MAX: Final = 8_192
_SAMPLES = 32
# One write of the loop that took longer, and the thread writes for the next while.
QUICK_US: Final = 20_000
WARY_US: Final = 1_000_000


class _DiskFault:
    """A disk fault in force; `ended` wakes the storage thread out of it."""

    def __init__(self, mode: str, delay_us: Micros) -> None:
        self.mode, self.delay_us = mode, delay_us
        self.ended = threading.Event()


class Storage:
    """The node's disk. All methods are called on the loop; it writes, or one thread of its own does (Law 4).

    `durable(token)` (of what the thread wrote), `complain(text)` and `failed(text)` are called on the loop; after `failed` nothing is
    durable any more.
    """

    def __init__(
        self,
        segments: Segments,
        durable: Callable[[int], None],
        complain: Callable[[str], None],
        failed: Callable[[str], None],
    ) -> None:
        self._segments = segments
        self._durable, self._complain, self._failed = durable, complain, failed
        self._loop = asyncio.get_running_loop()
        self._queue: queue.SimpleQueue[Persist | None] = queue.SimpleQueue()
        self._fault = _DiskFault("ok", 0)
        self._closing = False
        self._waiting: deque[tuple[int, Micros]] = deque()
        self._own: list[Persist] = []  # of this turn: to be written by `write` or handed to the thread
        self._handed = 0  # given to the thread and not yet durable
        self._wary_until_us: Micros = 0
        self._broken = False  # Law 2
        self._fsyncs_us: deque[Micros] = deque(maxlen=_SAMPLES)
        self._thread = threading.Thread(target=self._work, name="storage", daemon=True)
        self._thread.start()

    def submit(self, persist: Persist) -> None:
        """Make it durable, after everything submitted before."""
        if len(self._waiting) >= WAITING_MAX:
            self._failed(f"disk: {WAITING_MAX} writes wait and none comes back")
            return
        self._waiting.append((persist.token, true_us()))
        self._own.append(persist)

    def write(self, *, aside: bool = False) -> int:
        """The end of a turn: write what it submitted, or have it written. The token up to which all is durable now, 0 when nothing

        was written here: then `durable` will be told. `aside`: the loop has better things to do than to wait for the disk.
        """
        if not self._own or self._broken:
            return 0
        group, self._own = self._own, []
        began_us = true_us()
        if aside or self._handed or self._fault.mode != "ok" or began_us < self._wary_until_us or not self._segments.fits(group):
            self._handed += len(group)
            for persist in group:
                self._queue.put(persist)
            return 0
        try:
            self._segments.append(group)
        except OSError as error:
            self._broken = True
            self._failed(f"disk: {error.strerror}")
            return 0
        took_us = true_us() - began_us
        if took_us > QUICK_US:
            self._wary_until_us = began_us + took_us + WARY_US
        self._written(group[-1].token, took_us)
        return group[-1].token

    def busy_us(self, now_us: Micros) -> Micros:
        """Age of the oldest write not yet durable; 0 when idle. `now_us` is true time."""
        return now_us - self._waiting[0][1] if self._waiting else 0

    def fsync_us(self) -> Micros:
        """Median of the last few writes, fsync included."""
        return int(statistics.median_low(self._fsyncs_us)) if self._fsyncs_us else 0

    def set_fault(self, mode: str, delay_us: Micros) -> None:
        """`mode`: "ok" | "slow" | "hang" | "fail". Takes effect on the write now held up, too."""
        old = self._fault
        if (old.mode, old.delay_us) != (mode, delay_us):
            self._fault = _DiskFault(mode, delay_us)
            old.ended.set()

    def close(self) -> None:
        """Stop after the write in progress; what waits is not written. The files are closed."""
        self._closing = True
        self._fault.ended.set()
        self._queue.put(None)
        self._thread.join()
        self._segments.close()

    # ---- on the loop, called from the thread

    def _handed_back(self, count: int, token: int, took_us: Micros) -> None:
        self._handed -= count
        self._written(token, took_us)
        self._durable(token)

    def _written(self, token: int, took_us: Micros) -> None:
        waiting = self._waiting
        while waiting and waiting[0][0] <= token:
            waiting.popleft()
        self._fsyncs_us.append(took_us)

    # ---- the thread

    def _work(self) -> None:
        while (first := self._queue.get()) is not None:
            self._hold_up()
            group = self._group(first)
            if self._closing:
                return
            began_us = true_us()
            try:
                self._segments.append(group)
            except OSError as error:
                self._on_loop(self._failed, f"disk: {error.strerror}")
                return
            except Exception as error:  # noqa: BLE001 - a thread that dies in silence would leave every later write waiting
                self._on_loop(self._failed, f"disk: {type(error).__name__}: {error}")
                return
            self._on_loop(self._handed_back, len(group), group[-1].token, true_us() - began_us)

    def _group(self, first: Persist) -> list[Persist]:
        group = [first]
        while len(group) < GROUP_MAX:
            try:
                more = self._queue.get_nowait()
            except queue.Empty:
                break
            if more is None:
                break
            group.append(more)
        return group

    def _hold_up(self) -> None:
        """Wait as long as the disk fault in force says."""
        began = time.monotonic()
        while not self._closing and (fault := self._fault).mode != "ok":
            if fault.mode == "slow":
                left_s = began + fault.delay_us / 1e6 - time.monotonic()
                if left_s <= 0 or not fault.ended.wait(left_s):
                    return
                continue
            if fault.mode == "fail":
                self._on_loop(self._complain, "disk: input/output error (injected); writes wait until it is healed")
            fault.ended.wait()

    def _on_loop(self, callback: Callable[..., None], *arguments: object) -> None:
        try:
            self._loop.call_soon_threadsafe(callback, *arguments)
        except RuntimeError:
            # The loop is closed: the process is ending and nobody is left to hear.
            self._closing = True
