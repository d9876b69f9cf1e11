"""Client sessions for exactly-once (dissertation ch. 6.3), the state machine's half; the client's is `retries.py`.

Law 1: of all entries with one (session, sequence) the first is performed; the others get its reply again.
Law 2: a reply is kept until the client has said that it needs it no more, so a session holds few of them.
Law 3: an entry of a session that is gone is "unknown", never "fail": it may be the second one of a write that was performed.
Law 4: sessions end by the log alone: closed, silent for too long by the leader's clock, or the longest silent of too many.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from cluster.core.kv.ops import NO_SESSION, Branch, InSession, Page, Reply, Write
from cluster.core.types import SECOND, Micros

SESSIONS_MAX = 1_024
# A client that has nothing to say sends `KeepSession` well within this.
SESSION_TTL_US: Micros = 60 * SECOND
# Characters in all kept replies; beyond it the session that was silent for longest ends, to keep the others exact.
REPLIES_CHARS_MAX = 8 * 1024 * 1024
_REPLY_CHARS = 200  # what a reply is reckoned at besides its texts


class Session(msgspec.Struct):
    """`replies` by sequence, all at or above `unanswered`; `chars` is what they weigh."""

    active_us: Micros
    active_index: int
    unanswered: int = 1
    replies: dict[int, Reply] = msgspec.field(default_factory=dict)
    chars: int = 0


class Sessions:
    """By id, which is the index of the entry that opened the session."""

    __slots__ = ("_chars", "_sessions")

    def __init__(self) -> None:
        self._sessions: dict[int, Session] = {}
        self._chars = 0

    def __len__(self) -> int:
        return len(self._sessions)

    def items(self) -> list[tuple[int, Session]]:
        """All of them, by id."""
        return sorted(self._sessions.items())

    def put(self, session: int, state: Session) -> None:
        while len(self._sessions) >= SESSIONS_MAX:
            self.end(self._silent_longest())
        self._sessions[session] = state
        self._chars += state.chars

    def touch(self, session: int, now_us: Micros, index: int) -> Session | None:
        """A sign of life; None when the session is gone."""
        held = self._sessions.get(session)
        if held is not None:
            held.active_us, held.active_index = now_us, index
        return held

    def end(self, session: int) -> bool:
        """Whether there was such a session."""
        held = self._sessions.pop(session, None)
        if held is not None:
            self._chars -= held.chars
        return held is not None

    def expire(self, now_us: Micros) -> None:
        for session in [session for session, held in self._sessions.items() if held.active_us + SESSION_TTL_US <= now_us]:
            self.end(session)

    def earliest_us(self) -> Micros | None:
        """When the next session ends if its client stays silent."""
        return min((held.active_us + SESSION_TTL_US for held in self._sessions.values()), default=None)

    def once(self, asked: InSession, now_us: Micros, index: int, perform: Callable[[Write], Reply]) -> Reply:
        """Perform a write that was not performed yet, or say again what came of it (Law 1)."""
        held = self.touch(asked.session, now_us, index)
        if held is None:
            return Reply("unknown", error=NO_SESSION)
        self._forget(held, asked.unanswered)
        if asked.sequence < held.unanswered:
            return Reply("unknown", error="the client has said that it has this answer")
        if (known := held.replies.get(asked.sequence)) is not None:
            return known
        reply = perform(asked.write)
        self._keep(held, asked.sequence, reply)
        return reply

    def _forget(self, held: Session, unanswered: int) -> None:
        if unanswered > held.unanswered:
            held.unanswered = unanswered
            for sequence in [sequence for sequence in held.replies if sequence < unanswered]:
                self._account(held, -reply_chars(held.replies.pop(sequence)))

    def _keep(self, held: Session, sequence: int, reply: Reply) -> None:
        held.replies[sequence] = reply
        self._account(held, reply_chars(reply))
        while self._chars > REPLIES_CHARS_MAX:
            self.end(self._silent_longest())

    def _account(self, held: Session, chars: int) -> None:
        held.chars += chars
        self._chars += chars

    def _silent_longest(self) -> int:
        return min(self._sessions, key=lambda session: self._sessions[session].active_index)


def reply_chars(reply: Reply) -> int:
    """What it weighs to keep this reply to a write."""
    chars = _REPLY_CHARS + len(reply.value or "") + len(reply.error)
    if isinstance(reply.body, Branch):
        chars += sum(map(reply_chars, reply.body.replies))
    elif isinstance(reply.body, Page):
        chars += sum(_REPLY_CHARS + len(item.key) + len(item.value) for item in reply.body.items)
    return chars
