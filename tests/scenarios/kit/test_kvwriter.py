"""The writer over a store that answers, refuses or keeps silent as it is told: each has its record, and none is asked twice."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from cluster.backends.etcd.port import KeyValue, Refused
from cluster.core.errors import Undecided
from scenarios.kit.history import History
from scenarios.kit.kvwriter import Writer
from scenarios.records import Records


class Store:
    """Raises what is put into `errors`, in turn; None is an answer."""

    def __init__(self, *errors: Exception | None) -> None:
        self.errors = list(errors)
        self.asked: list[tuple[str, ...]] = []

    async def put(self, key: str, value: str) -> int:
        self.asked.append(("put", key, value))
        self._fail()
        return 7

    async def get(self, key: str) -> KeyValue | None:
        self.asked.append(("get", key))
        self._fail()
        return KeyValue(key, "seen", 1, 1, 1)

    def _fail(self) -> None:
        error = self.errors.pop(0)
        if error is not None:
            raise error


OPERATIONS = [
    {"writer": "w1", "f": "put", "key": "a", "value": "w1-1"},
    {"writer": "w2", "f": "put", "key": "a", "value": "w2-1"},
    {"writer": "w1", "f": "get", "key": "a"},
    {"writer": "w1", "f": "put", "key": "b", "value": "w1-3"},
    {"writer": "w1", "f": "put", "key": "b", "value": "w1-4"},
    {"writer": "w1", "f": "get", "key": "b"},
]


async def test_every_outcome_has_its_record(tmp_path: Path) -> None:
    store = Store(None, None, Undecided("no answer"), Refused("nobody serves"), Refused("nobody serves"))
    process: Any = SimpleNamespace(
        name="w1", args={"operations": OPERATIONS, "every_ms": 0.0}, key_prefix="run:",
        history=History("w1", tmp_path / "history" / "w1.jsonl"),
    )  # fmt: skip
    await Writer(process, store).work()  # type: ignore[arg-type]
    assert store.asked == [("put", "run:a", "w1-1"), ("get", "run:a"), ("put", "run:b", "w1-3"), ("put", "run:b", "w1-4"), ("get", "run:b")]
    told = [(line["index"], line["type"], line["f"], line["value"].get("value")) for line in Records(tmp_path).history("w1")]
    assert told == [
        (1, "invoke", "put", "w1-1"), (1, "ok", "put", "w1-1"),
        (2, "invoke", "get", None), (2, "ok", "get", "seen"),
        (3, "invoke", "put", "w1-3"), (3, "info", "put", None),
        (4, "invoke", "put", "w1-4"), (4, "fail", "put", "w1-4"),
        (5, "invoke", "get", None), (5, "fail", "get", None),
    ]  # fmt: skip
