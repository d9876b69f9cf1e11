"""One node of PySyncObj, run as a script: orders come as JSON lines on standard input, answers go out the same way.

`{"do": "status"}` → `{"leads": bool}`. `{"do": "load", "inflight": n, "for_s": s}` → `{"warm": true}`, `{"over": true}`, the figures.
"""

from __future__ import annotations

import json
import random
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from pysyncobj import FAIL_REASON, SyncObj, SyncObjConf, replicated

WARM_S, KEYS, VALUE = 1.0, 20_000, "v" * 100


class Store(SyncObj):  # type: ignore[misc]
    """A dictionary, replicated."""

    def __init__(self, spec: dict[str, Any]) -> None:
        super().__init__(spec["address"], spec["others"], SyncObjConf(**spec["settings"]))
        self.items: dict[str, str] = {}

    @replicated  # type: ignore[untyped-decorator]
    def put(self, key: str, value: str) -> None:
        self.items[key] = value


class Loop:
    """`inflight` puts, each answered before the next of its slot."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.running, self.counting = True, False
        self.done = self.failed = 0
        self.latencies_us: list[int] = []

    def put(self) -> None:
        key = f"key-{random.randrange(KEYS):012}"
        self.store.put(key, VALUE, callback=self._answer(time.perf_counter_ns()))

    def _answer(self, sent_ns: int) -> Callable[[object, object], None]:
        def answered(_: object, reason: object) -> None:
            if self.counting and reason == FAIL_REASON.SUCCESS:
                self.done += 1
                self.latencies_us.append((time.perf_counter_ns() - sent_ns) // 1_000)
            elif self.counting:
                self.failed += 1
            if self.running:
                self.put()

        return answered

    def run(self, inflight: int, for_s: float) -> dict[str, Any]:
        stop = threading.Event()
        for _ in range(inflight):
            self.put()
        stop.wait(WARM_S)
        say({"warm": True})
        self.counting, began = True, time.perf_counter()
        stop.wait(for_s)
        self.counting, took_s = False, time.perf_counter() - began
        self.running = False
        say({"over": True})
        return {"done": self.done, "failed": self.failed, "took_s": took_s, "latencies_us": self.latencies_us}


def say(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def main() -> None:
    store = Store(json.loads(sys.argv[1]))
    for line in sys.stdin:
        order = json.loads(line)
        if order["do"] == "status":
            say({"leads": bool(store._isLeader())})
        else:
            say(Loop(store).run(order["inflight"], order["for_s"]))


if __name__ == "__main__":
    main()
