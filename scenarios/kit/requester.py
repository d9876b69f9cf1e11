"""A client of the payment service that means to do a list of things, each once, and asks again when it hears nothing.

Law 1: silence is not failure: what may have had its effect is written down as unknown, and asked for again as often as `retries` says.
Law 2: what was never sent, and what the server says it is still at work on, is no retry: it is asked for again when it may be.
Law 3: a refusal is an answer; it is written down and not argued with.

Args: `intents` (each with an `id`), `method`, `sends` (field of the request -> field of the intent), `key` (a rule of `kit/keys.py`),
`in_turn` (intents that share this field go one after the other), `at_once` (how many such turns), `timeout_ms`, `retries` (a number;
off: 0; on: until confirmed), `backoff_ms` (before the first retry, then twice as long each time), `linger_ms` (it stays that long after
the last answer: late ones may come).
"""

from __future__ import annotations

import asyncio
from typing import Any

from scenarios.kit.calls import CONFLICT, OK, Answer, Caller, Undecided, Unreached
from scenarios.kit.keys import RULES
from scenarios.kit.process import Process

UNTIL_CONFIRMED = 30
PATIENCE = 200  # times that it waits for a server to be there, or to be done, for one intent
BACKOFF_DOUBLINGS = 3
_RETRIES = {"off": 0, "on": UNTIL_CONFIRMED}


async def main(process: Process) -> None:
    requester = Requester(process, await Caller.connect(process.socket_of(process.args["server"])))
    await process.go()
    await requester.work_off()


class Requester:
    def __init__(self, process: Process, server: Caller) -> None:
        args = process.args
        self._process = process
        self._server = server
        self._method: str = args["method"]
        self._sends: dict[str, str] = args["sends"]
        self._rule = RULES[args["key"]]
        self._timeout_ms: float = args["timeout_ms"]
        self._backoff_s: float = args["backoff_ms"] / 1_000
        self._retries = _RETRIES[args["retries"]] if args["retries"] in _RETRIES else int(args["retries"])

    async def work_off(self) -> None:
        turns: dict[str, list[dict[str, Any]]] = {}
        for intent in self._process.args["intents"]:
            turns.setdefault(str(intent[self._process.args["in_turn"]]), []).append(intent)
        waiting = iter(turns.values())
        await asyncio.gather(*(self._work(waiting) for _ in range(self._process.args["at_once"])))
        await asyncio.sleep(self._process.args.get("linger_ms", 0.0) / 1_000)

    async def _work(self, waiting: Any) -> None:
        for turn in waiting:
            for intent in turn:
                outcome = await self._settle(intent)
                self._process.trace("intent.settled", intent=intent["id"], outcome=outcome)

    async def _settle(self, intent: dict[str, Any]) -> str:
        """One intent, until it is known what became of it, or nobody asks any more: "ok", "refused" or "unknown"."""
        key, silences = self._rule(intent), 0
        for _ in range(PATIENCE):
            answer = await self._attempt(intent, key())
            if isinstance(answer, Answer) and answer.status != CONFLICT:
                return "ok" if answer.status == OK else "refused"
            silences += isinstance(answer, Undecided)
            # Also before it goes on to another one: who has just hung up may be about to be gone.
            await asyncio.sleep(self._pause_s(answer, silences))
            if silences > self._retries:
                return "unknown"
        return "unknown"

    def _pause_s(self, answer: Answer | Exception, silences: int) -> float:
        if isinstance(answer, Answer):
            return float(answer.body["retry_after_ms"]) / 1_000
        doublings: int = min(max(0, silences - 1), BACKOFF_DOUBLINGS)
        return self._backoff_s * (1 << doublings) * self._process.rng.uniform(0.9, 1.1)

    async def _attempt(self, intent: dict[str, Any], key: str | None) -> Answer | Undecided | Unreached:
        history, f = self._process.history, self._method
        request = {field: intent[name] for field, name in self._sends.items()}
        value = {"intent": intent["id"], "key": key, **request}
        index = history.invoke(f, value)
        try:
            answer = await self._server.call(f, within_ms=self._timeout_ms, caller=self._process.name, request=index, key=key, **request)
        except Undecided as silence:
            history.info(index, f, str(silence))
            return silence
        except Unreached as error:
            history.fail(index, f, {**value, "error": str(error)})
            return error
        tell = history.ok if answer.status == OK else history.fail
        tell(index, f, {**value, "status": answer.status, **answer.body})
        return answer
