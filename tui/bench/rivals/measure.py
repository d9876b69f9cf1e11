"""The clock of a closed loop that runs in this process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from tui.bench.rivals.rival import WARM_S, Loaded, Slots, cpu_s


async def measured(slots: Slots, pids: Sequence[int], for_s: float) -> Loaded:
    """The loop is running: let it get warm, then count for `for_s` seconds, then let it run dry."""
    await asyncio.sleep(WARM_S)
    servers_before, load_before, began = cpu_s(pids), time.process_time(), time.perf_counter()
    slots.counting = True
    await asyncio.sleep(for_s)
    slots.counting = slots.running = False
    took_s = time.perf_counter() - began
    return Loaded(
        done=slots.done,
        failed=slots.failed,
        took_s=took_s,
        latencies_us=slots.latencies_us,
        server_cpu_s=cpu_s(pids) - servers_before,
        load_cpu_s=time.process_time() - load_before,
    )
