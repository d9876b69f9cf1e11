"""A client's half of a session: writes that may be asked again (dissertation ch. 6.3). Sans-IO; `sessions.py` is the other half.

Law 1: a write keeps its number however often it is sent, and nothing else ever has that number.
Law 2: a number is answered once its outcome is known or given up; the store then forgets the reply.

With the mistake `retry_without_session` there are no numbers: the store cannot tell a second attempt from a second wish. The
write is applied twice when only the answer to the first attempt was lost: a counter counts twice, and a value that somebody
has overwritten in between comes back from the dead.
"""

from __future__ import annotations

from cluster.core.kv.ops import InSession, Opened, OpenSession, Reply, Write
from cluster.core.policy import ClientPolicy

# How often the mistake alone asks, when nothing else is said.
_BLIND_ATTEMPTS = 4


class Retries:
    """One client's writes. Open a session first (`opened`), then `begin`, `ask` as often as `attempts` says, `settle`."""

    def __init__(self, policy: ClientPolicy) -> None:
        self.session = 0  # 0: none is open
        self._blind = policy.retry_without_session
        self.attempts = max(_BLIND_ATTEMPTS, policy.attempts) if self._blind else policy.attempts
        self._next = 1
        self._open: dict[int, Write] = {}

    @property
    def needs_session(self) -> bool:
        return self.attempts > 1 and not self._blind and not self.session

    def hello(self) -> OpenSession:
        return OpenSession()

    def opened(self, reply: Reply) -> bool:
        """The answer to `hello`: whether there is a session now."""
        if reply.outcome == "ok" and isinstance(reply.body, Opened):
            self.session, self._next = reply.body.session, 1
            self._open.clear()
        return bool(self.session)

    def expired(self) -> None:
        """The store no longer knows the session: what is open stays unknown."""
        self.session = 0
        self._open.clear()

    def begin(self, write: Write) -> int:
        """A new wish; its number."""
        number, self._next = self._next, self._next + 1
        self._open[number] = write
        return number

    def ask(self, number: int) -> Write | InSession:
        """What to send for it, the first time and every other time."""
        write = self._open[number]
        if self._blind or not self.session:
            return write
        return InSession(self.session, number, min(self._open), write)

    def settle(self, number: int) -> None:
        """Its outcome is known, or nobody waits for it any more."""
        self._open.pop(number, None)
