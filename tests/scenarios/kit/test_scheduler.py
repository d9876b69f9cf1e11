"""A scheduler on duty: every job in order and in the book; it looks before each, leaves when it is the past, and makes up for the rest."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from cluster.core.errors import Undecided
from scenarios.kit.calls import Answer, Caller
from scenarios.kit.history import History
from scenarios.kit.ledger import Ledger
from scenarios.kit.mailer import Mailer
from scenarios.kit.process import Process
from scenarios.kit.scheduler import Scheduler
from scenarios.lines import now_ns
from scenarios.records import Records

# All of them are due already, and the day is over: nothing here waits for a time.
JOBS = [
    {"job": "tick", "slot": 0, "batches": 1, "recipients": 1},
    {"job": "letter", "slot": 0, "batches": 3, "recipients": 10},
]


class PlainDuty:
    """A lock and a book in memory. `silent`: it answers nobody."""

    def __init__(self, holder: str) -> None:
        self.on_duty: str | None = holder
        self.book: set[str] = set()
        self.silent = False

    async def holder(self) -> str | None:
        if self.silent:
            raise Undecided("no answer")
        return self.on_duty

    async def record(self, entry: str) -> None:
        self.book.add(entry)

    async def recorded(self) -> set[str]:
        return set(self.book)


class DirectMailer:
    def __init__(self, mailer: Mailer) -> None:
        self._mailer = mailer

    async def call(self, method: str, **args: Any) -> Answer:
        return Answer(0, *await getattr(self._mailer, method)(args))


class SomeProcess:
    """`at`: failpoint -> what happens there, once."""

    name = "s2"

    def __init__(self, root: Path, fence_on_acquire: str) -> None:
        self.args = {"ttl_ms": 3_000, "poll_ms": 0, "slot_ms": 1, "batch_ms": 0, "slots": 0, "jobs": JOBS}
        self.history = History("s2", root / "history" / "s2.jsonl")
        self.at: dict[str, Any] = {}
        self._fence_on_acquire = fence_on_acquire

    def toggle(self, name: str) -> str:
        assert name == "fence_on_acquire"
        return self._fence_on_acquire

    async def failpoint(self, name: str, **_fields: Any) -> None:
        self.at.pop(name, lambda: None)()


class Scene:
    def __init__(self, root: Path, tasks: asyncio.TaskGroup, fence_on_acquire: str = "on") -> None:
        self.root = root
        self.duty = PlainDuty("me")
        self.mailer = Mailer(Ledger.open(root / "ledger" / "mailer.jsonl", tasks), fencing=lambda: True)
        self.process = SomeProcess(root, fence_on_acquire)
        caller = cast(Caller, DirectMailer(self.mailer))
        self.scheduler = Scheduler(cast(Process, self.process), cast(Any, self.duty), caller, now_ns())

    async def others(self, job: str, batch: int, token: int = 1) -> None:
        """What another scheduler had done before."""
        line = {"job": job, "slot": 0, "batch": batch, "first": 1, "last": 1, "token": token, "caller": "s1"}
        await self.mailer.execute(line)

    @property
    def sent(self) -> list[tuple[str, str, int]]:
        lines = Records(self.root).ledger("mailer")
        return [(line["caller"], line["job"], line["batch"]) for line in lines if line["kind"] == "delivered"]


class _Over(Exception):
    pass


@asynccontextmanager
async def scene(root: Path, fence_on_acquire: str = "on") -> AsyncIterator[Scene]:
    with pytest.RaisesGroup(_Over):
        async with asyncio.TaskGroup() as tasks:
            yield Scene(root, tasks, fence_on_acquire)
            raise _Over


ALL = [("s2", "letter", 0), ("s2", "letter", 1), ("s2", "letter", 2), ("s2", "tick", 0)]


async def test_every_job_once_and_in_the_book(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        await it.scheduler.lead("me", token=2)
        assert it.sent == ALL
        assert it.duty.book == {"letter@0", "tick@0"}


async def test_the_book_knows_jobs_and_the_mailer_knows_batches(tmp_path: Path) -> None:
    async with scene(tmp_path / "book", fence_on_acquire="off") as it:
        await it.others("letter", 0)
        it.duty.book.add("tick@0")
        await it.scheduler.lead("me", token=2)
        assert it.sent == [("s1", "letter", 0), *ALL[:3]]  # the first batch again: in the book there is only what is whole
    async with scene(tmp_path / "mailer") as it:
        await it.others("letter", 0)
        await it.others("tick", 0)
        await it.scheduler.lead("me", token=2)
        assert it.sent == [("s1", "letter", 0), ("s1", "tick", 0), *ALL[1:3]]


async def test_who_comes_with_an_older_token_does_nothing(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        await it.mailer.fence({"token": 7, "caller": "s3"})
        await it.scheduler.lead("me", token=2)
        assert it.sent == []


async def test_who_becomes_the_past_in_the_middle_goes_at_the_first_refusal(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        fence = it.mailer.fence({"token": 7, "caller": "s3"})
        it.process.at["sched.after_check_before_execute"] = lambda: asyncio.ensure_future(fence)
        await it.scheduler.lead("me", token=2)
        assert it.sent in ([], ALL[:1])  # its first batch and the newer token are under way at once
        assert it.duty.book == set()
        assert [line["type"] for line in Records(tmp_path).history("s2")][-1] == "fail"


@pytest.mark.parametrize("happens", ["another", "nobody answers"])
async def test_it_looks_before_every_job(tmp_path: Path, happens: str) -> None:
    async with scene(tmp_path) as it:

        def lose() -> None:
            it.duty.on_duty = "somebody else"
            it.duty.silent = happens == "nobody answers"

        it.process.at["sched.after_execute_before_record"] = lose
        await it.scheduler.lead("me", token=2)
        assert it.sent == ALL[:3]
        assert it.duty.book == {"letter@0"}
