"""A bank's own database: balances, prepared transfers with the locks that they hold, and a log of what was done.

Law 1: a vote is a promise. What was prepared and its lock are on disk before anybody hears of the vote, and there again after a restart.
Law 2: what is resolved stays so: the first outcome of a transfer stands, also one that came before the transfer was prepared.
Law 3: the entry that tells of a change is part of the transaction that makes it, so the log neither lacks one nor has one too many.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from scenarios.kit.database import open_db, transaction
from scenarios.lines import now_ns

EVERYTHING = "*"  # the lock of a bank that has only one
Outcome = Literal["commit", "abort"]
_KINDS: dict[Outcome, str] = {"commit": "committed", "abort": "aborted"}
_SCHEMA = """
CREATE TABLE IF NOT EXISTS accounts (name TEXT PRIMARY KEY, cents INTEGER NOT NULL CHECK (cents >= 0));
CREATE TABLE IF NOT EXISTS transfers (id TEXT PRIMARY KEY, account TEXT NOT NULL, cents INTEGER NOT NULL, state TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS steps (id TEXT, step TEXT, done INTEGER NOT NULL, PRIMARY KEY (id, step));
CREATE TABLE IF NOT EXISTS locks (name TEXT PRIMARY KEY, holder TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS log (seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, fields TEXT NOT NULL);
"""


class Entry(msgspec.Struct, frozen=True):
    """One entry of the log. `fields["at_ns"]` is when the change was made."""

    kind: str
    fields: dict[str, Any]


class Prepared(msgspec.Struct, frozen=True):
    """A transfer's part here: `cents` are added to the account, or taken when they are negative."""

    id: str
    account: str
    cents: int


class Bankbook:
    """`accounts`: balances in cents, of a bank that is new. `one_lock`: a transfer locks the whole bank instead of its account.

    Every change returns its entry; None where there was nothing to change. Nothing here waits: callers ask `holder` first.
    """

    def __init__(self, path: str, accounts: Mapping[str, int], *, one_lock: bool = False) -> None:
        self._one_lock = one_lock
        self._db = open_db(path)
        self._db.executescript(_SCHEMA)
        if not self.entries(0):
            with transaction(self._db):
                self._db.executemany("INSERT INTO accounts VALUES (?, ?)", accounts.items())
                self._log("opened", accounts=dict(accounts))

    def close(self) -> None:
        self._db.close()

    # ---- two-phase commit ---------------------------------------------------------------------------------------

    def prepare(self, part: Prepared) -> Entry:
        """The vote: an entry "prepared", or "refused" with the reason."""
        with transaction(self._db):
            if reason := self._objection(part.account, part.cents):
                return self._refuse(part, reason)
            self._db.execute("INSERT INTO transfers VALUES (?, ?, ?, 'prepared')", (part.id, part.account, part.cents))
            self._db.execute("INSERT INTO locks VALUES (?, ?)", (self._lock_of(part.account), part.id))
            return self._log("prepared", txn=part.id, account=part.account, cents=part.cents)

    def refuse(self, part: Prepared, reason: str, **fields: Any) -> Entry:
        """Vote no, for a reason that the caller knows."""
        with transaction(self._db):
            return self._refuse(part, reason, **fields)

    def resolve(self, txn: str, outcome: Outcome, by: str) -> Entry | None:
        """Commit or abort. A transfer that is not known here is aborted for good; None when it was resolved before."""
        with transaction(self._db):
            if (state := self.state(txn)) not in ("", "prepared"):
                return None
            part = self._part(txn) if state else Prepared(txn, "", 0)
            if state and outcome == "commit":
                self._db.execute("UPDATE accounts SET cents = cents + ? WHERE name = ?", (part.cents, part.account))
            self._db.execute("DELETE FROM locks WHERE holder = ?", (txn,))
            kind = _KINDS[outcome if state else "abort"]
            self._db.execute("INSERT OR REPLACE INTO transfers VALUES (?, ?, ?, ?)", (txn, part.account, part.cents, kind))
            return self._log(kind, txn=txn, account=part.account, cents=part.cents, by=by)

    def in_doubt(self) -> list[Prepared]:
        """Promised, and not yet told what became of it."""
        rows = self._db.execute("SELECT id, account, cents FROM transfers WHERE state = 'prepared' ORDER BY id")
        return [Prepared(*row) for row in rows]

    def state(self, txn: str) -> str:
        """One of "prepared", "committed", "aborted", "refused"; "" for a transfer that was never heard of."""
        row = self._db.execute("SELECT state FROM transfers WHERE id = ?", (txn,)).fetchone()
        return row[0] if row else ""

    # ---- whatever needs no second bank --------------------------------------------------------------------------

    def move(self, txn: str, source: str, target: str, cents: int) -> Entry:
        """Between two accounts of this bank: an entry "moved" or "refused"."""
        with transaction(self._db):
            if reason := self._objection(source, -cents) or self._objection(target, cents):
                return self._log("refused", txn=txn, account=source, cents=-cents, reason=reason)
            for account, change in ((source, -cents), (target, cents)):
                self._db.execute("UPDATE accounts SET cents = cents + ? WHERE name = ?", (change, account))
            return self._log("moved", txn=txn, source=source, target=target, cents=cents)

    def step(self, part: Prepared, step: str) -> Entry | None:
        """One step of a saga, done for good at once: an entry "stepped" or "refused"; None when it was taken or refused before."""
        with transaction(self._db):
            if self.taken(part.id, step) is not None:
                return None
            reason = self._objection(part.account, part.cents)
            self._db.execute("INSERT INTO steps VALUES (?, ?, ?)", (part.id, step, not reason))
            if reason:
                return self._log("refused", txn=part.id, account=part.account, cents=part.cents, reason=reason, step=step)
            self._db.execute("UPDATE accounts SET cents = cents + ? WHERE name = ?", (part.cents, part.account))
            return self._log("stepped", txn=part.id, account=part.account, cents=part.cents, step=step)

    def taken(self, txn: str, step: str) -> bool | None:
        """Whether a saga's step was taken; None when it was never asked for."""
        row = self._db.execute("SELECT done FROM steps WHERE id = ? AND step = ?", (txn, step)).fetchone()
        return bool(row[0]) if row else None

    def gave_up(self, txn: str, account: str, holder: str) -> Entry:
        """Somebody waited for a lock for as long as may be waited."""
        with transaction(self._db):
            return self._log("blocked", txn=txn, account=account, holder=holder)

    # ---- what there is ------------------------------------------------------------------------------------------

    def balance(self, account: str) -> int | None:
        row = self._db.execute("SELECT cents FROM accounts WHERE name = ?", (account,)).fetchone()
        return int(row[0]) if row else None

    def holder(self, *accounts: str) -> str | None:
        """The prepared transfer that locks one of these accounts."""
        for account in accounts:
            row = self._db.execute("SELECT holder FROM locks WHERE name = ?", (self._lock_of(account),)).fetchone()
            if row:
                return str(row[0])
        return None

    def entries(self, first: int) -> list[Entry]:
        """The log from its `first` entry (0 is the oldest) on."""
        rows = self._db.execute("SELECT kind, fields FROM log ORDER BY seq LIMIT -1 OFFSET ?", (first,))
        return [Entry(kind, msgspec.json.decode(fields)) for kind, fields in rows]

    # ---- inside a transaction -----------------------------------------------------------------------------------

    def _objection(self, account: str, change: int) -> str:
        balance = self.balance(account)
        if balance is None:
            return "no such account"
        return "not enough money" if balance + change < 0 else ""

    def _refuse(self, part: Prepared, reason: str, **fields: Any) -> Entry:
        self._db.execute("INSERT OR IGNORE INTO transfers VALUES (?, ?, ?, 'refused')", (part.id, part.account, part.cents))
        return self._log("refused", txn=part.id, account=part.account, cents=part.cents, reason=reason, **fields)

    def _part(self, txn: str) -> Prepared:
        return Prepared(*self._db.execute("SELECT id, account, cents FROM transfers WHERE id = ?", (txn,)).fetchone())

    def _lock_of(self, account: str) -> str:
        return EVERYTHING if self._one_lock else account

    def _log(self, kind: str, **fields: Any) -> Entry:
        entry = Entry(kind, {**fields, "at_ns": now_ns()})
        self._db.execute("INSERT INTO log (kind, fields) VALUES (?, ?)", (kind, msgspec.json.encode(entry.fields).decode()))
        return entry
