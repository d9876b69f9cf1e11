"""A scheduler: while it is on duty it executes every job at its time, in order, and enters it in the book.

Law 1: it looks whether it is still on duty before every job, and acts at once upon it; what happens between the two it cannot know.
Law 2: whoever comes on duty makes up for what was not done. What was done it reads in the book, or, with `fence_on_acquire`, from the
mailer itself, after it has shown it its token.
Law 3: one of the jobs (`slot`) is due so many slots after the beginning, which the mailer tells to all alike.

Args: `jobs` (job, slot, batches, recipients of each), `lock`, `replicated`, `ttl_ms`, `poll_ms`, `slot_ms`, `batch_ms`, `slots` (then it
goes home). Toggle: `fence_on_acquire`.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

from cluster.core.errors import FaultlineError
from scenarios.kit.calls import OK, Caller
from scenarios.kit.duty import Duty, open_duty
from scenarios.kit.process import Process
from scenarios.lines import now_ns


async def main(process: Process) -> None:
    duty = await open_duty(process, process.args["lock"], replicated=process.args["replicated"] == "wait1")
    mailer = await Caller.connect(process.socket_of("mailer"))
    await process.go()
    began_ns = (await mailer.call("began")).body["mono_ns"]
    await Scheduler(process, duty, mailer, began_ns).work()


class Scheduler:
    def __init__(self, process: Process, duty: Duty, mailer: Caller, began_ns: int) -> None:
        self._process = process
        self._duty = duty
        self._mailer = mailer
        self._began_ns = began_ns
        self._ttl_ms = round(process.args["ttl_ms"])
        self._slot_ns = process.args["slot_ms"] * 1e6
        self._jobs: list[dict[str, Any]] = sorted(process.args["jobs"], key=lambda job: (job["slot"], job["job"]))
        self._over_ns = began_ns + round(process.args["slots"] * self._slot_ns)

    async def work(self) -> None:
        while now_ns() < self._over_ns:
            owner = f"{self._process.name}-{secrets.token_hex(8)}"
            token = await self._elected(owner)
            if token is not None:
                await self._serve(owner, token)
            await asyncio.sleep(self._process.args["poll_ms"] / 1_000)

    async def _elected(self, owner: str) -> int | None:
        try:
            return await self._duty.acquire(owner, self._ttl_ms)
        except FaultlineError:
            return None

    async def _serve(self, owner: str, token: int) -> None:
        """A term of office."""
        self._process.trace("sched.leading", token=token)
        keeping = self._process.tasks.create_task(self._keep(owner))
        try:
            await self.lead(owner, token)
        finally:
            keeping.cancel()
            self._process.trace("sched.resigned", token=token)
        try:
            await self._duty.release(owner)
        except FaultlineError:
            pass  # it ends by itself

    async def _keep(self, owner: str) -> None:
        """Extend it, every third of its life. That it was lost is noticed before the next job."""
        while True:
            await asyncio.sleep(self._ttl_ms / 3_000)
            try:
                await self._duty.extend(owner, self._ttl_ms)
            except FaultlineError:
                self._process.trace("sched.not_extended")

    async def lead(self, owner: str, token: int) -> None:
        """All jobs from here on, in order. Returns when it is not on duty any more, or the day is over."""
        done = await self._taken_over(token)
        if done is None:
            return
        for job in self._jobs:
            if (missing := set(range(job["batches"])) - done.get(_entry(job), set())) and not await self._do(job, missing, owner, token):
                return
        await asyncio.sleep((self._over_ns - now_ns()) / 1e9)

    async def _taken_over(self, token: int) -> dict[str, set[int]] | None:
        """Job -> batches that were done before us. None when we are the past ourselves."""
        if self._process.toggle("fence_on_acquire") == "on":
            if (await self._mailer.call("fence", token=token, caller=self._process.name)).status != OK:
                return None
            return {entry: set(batches) for entry, batches in (await self._mailer.call("state")).body["sent"].items()}
        try:
            recorded = await self._duty.recorded()
        except FaultlineError:
            return None
        return {_entry(job): set(range(job["batches"])) for job in self._jobs if _entry(job) in recorded}

    async def _do(self, job: dict[str, Any], batches: set[int], owner: str, token: int) -> bool:
        """One job, at its time. False when we are not on duty."""
        await asyncio.sleep((self._began_ns + job["slot"] * self._slot_ns - now_ns()) / 1e9)
        if not await self._on_duty(owner):
            return False
        await self._process.failpoint("sched.after_check_before_execute", job=job["job"], slot=job["slot"])
        for batch in sorted(batches):
            if not await self._execute(job, batch, token):
                return False
        await self._process.failpoint("sched.after_execute_before_record", job=job["job"], slot=job["slot"])
        try:
            await self._duty.record(_entry(job))
        except FaultlineError:
            return False
        return True

    async def _on_duty(self, owner: str) -> bool:
        try:
            return await self._duty.holder() == owner
        except FaultlineError:
            return False

    async def _execute(self, job: dict[str, Any], batch: int, token: int) -> bool:
        """One batch. False when the mailer knows of somebody newer."""
        if batch:
            await asyncio.sleep(self._process.args["batch_ms"] / 1_000)
        first = batch * job["recipients"] + 1
        value = {
            "job": job["job"], "slot": job["slot"], "batch": batch, "first": first, "last": first + job["recipients"] - 1, "token": token,
        }  # fmt: skip
        index = self._process.history.invoke("execute", value)
        answer = await self._mailer.call("execute", caller=self._process.name, **value)
        if answer.status == OK:
            self._process.history.ok(index, "execute", value)
            return True
        self._process.history.fail(index, "execute", {**value, "status": answer.status, **answer.body})
        return False


def _entry(job: dict[str, Any]) -> str:
    return f"{job['job']}@{job['slot']}"
