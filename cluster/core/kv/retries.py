"""A client's half of a session: writes that may be asked again (dissertation ch. 6.3). Sans-IO; `sessions.py` is the other half.

Law 1: a write keeps its number however often it is sent, and nothing else ever has that number.
Law 2: a number is answered once its outcome is known or given up; the store then forgets the reply.

With the mistake `retry_without_session` there are no numbers: the store cannot tell a second attempt from a second wish. The
write is applied twice when only the answer to the first attempt was lost: a counter counts twice, and a value that somebody
has overwritten in between comes back from the dead.
"""

from __future__ import annotations

import msgspec

from cluster.core.kv.ops import InSession, Opened, OpenSession, Reply, Write
from cluster.core.policy import ClientPolicy

# How often the mistake alone asks, when nothing else is said.
_BLIND_ATTEMPTS = 4


class Wish(msgspec.Struct, frozen=True):
    """A write that is to happen once: its number in a session (0: in none)."""

    session: int
    number: int
    write: Write


class Retries:
    """One client's writes. While `needs_session`, send `hello` and tell `opened`; then `begin`, `ask` some times, `settle`."""

    def __init__(self, policy: ClientPolicy) -> None:
        self.session = 0  # 0: none is open
        self.blind = policy.retry_without_session
        self.attempts = max(_BLIND_ATTEMPTS, policy.attempts) if self.blind else policy.attempts
        self._next = 1
        self._open: dict[int, Wish] = {}  # of the present session

    @property
    def needs_session(self) -> bool:
        return self.attempts > 1 and not self.blind and not self.session

    def hello(self) -> OpenSession:
        return OpenSession()

    def opened(self, reply: Reply) -> bool:
        """The answer to `hello`: whether there is a session now."""
        if reply.outcome == "ok" and isinstance(reply.body, Opened):
            self.session, self._next = reply.body.session, 1
            self._open.clear()
        return bool(self.session)

    def expired(self, wish: Wish) -> None:
        """The store no longer knows the session of this wish: the next one needs another."""
        if wish.session == self.session:
            self.session = 0

    def begin(self, write: Write) -> Wish:
        """A new wish."""
        wish = Wish(self.session, self._next, write)
        self._next += 1
        self._open[wish.number] = wish
        return wish

    def ask(self, wish: Wish) -> Write | InSession:
        """What to send for it, the first time and every other time."""
        if not wish.session:
            return wish.write
        unanswered = min(self._open) if wish.session == self.session else wish.number
        return InSession(wish.session, wish.number, min(unanswered, wish.number), wish.write)

    def settle(self, wish: Wish) -> None:
        """Its outcome is known, or nobody waits for it any more."""
        if self._open.get(wish.number) is wish:
            del self._open[wish.number]
