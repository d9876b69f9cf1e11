"""Commands for the store's tests: a store that applied some, and an endless mixture of all kinds from one seed."""

from __future__ import annotations

import random
from collections.abc import Iterator

from cluster.core.kv.ops import (
    Cas,
    Command,
    Compact,
    Compare,
    Delete,
    DeleteRange,
    Grant,
    InSession,
    KeepAlive,
    OpenSession,
    Put,
    Range,
    Reply,
    Revoke,
    Stamped,
    Txn,
    encode_write,
)
from cluster.core.kv.store import Store
from cluster.core.types import SECOND


def apply(store: Store, *commands: Command) -> list[Reply]:
    """The replies to `commands`, applied as the store's next entries."""
    return [store.apply(store.applied + 1, 1, 1, encode_write(command)) for command in commands]


def done(store: Store, *commands: Command) -> list[Reply]:
    """The same, of commands that must succeed."""
    replies = apply(store, *commands)
    assert all(reply.outcome == "ok" for reply in replies), replies
    return replies


def applied(*commands: Command) -> Store:
    store = Store()
    apply(store, *commands)
    return store


def mixture(seed: int, count: int) -> Iterator[bytes]:
    """`count` entries that use everything there is, some of them in vain, some of them malformed."""
    dice = random.Random(seed)
    time_us = 0
    opened: list[int] = []  # indexes of entries that opened a lease or a session
    for index in range(1, count + 1):
        time_us += dice.randrange(SECOND)
        key, value = f"k{dice.randrange(20)}", str(index)
        lease = dice.choice(opened[-8:]) if opened and dice.random() < 0.5 else 0
        command: Command
        match dice.randrange(12):
            case 0 | 1 | 2:
                command = Put(key, value, lease)
            case 3:
                command = Delete(key)
            case 4:
                command = DeleteRange(key, key + "~")
            case 5:
                command = Cas(key, dice.choice([None, str(index - 1)]), value)
            case 6:
                branch = (Put(key, value), Delete("a"), Range("", None, 5, max(0, index - 5)))
                command = Txn((Compare(key, "version", ">", dice.randrange(3)),), branch, (Put("a", value, lease),))
            case 7 if dice.random() < 0.2:
                command = Compact(dice.randrange(index))
            case 8:
                command = Stamped(time_us, Grant(dice.randrange(1, 200) * SECOND))
                opened.append(index)
            case 9:
                command = Stamped(time_us, dice.choice([KeepAlive, Revoke])(lease))
            case 10:
                command = Stamped(time_us, OpenSession())
                opened.append(index)
            case _:
                command = Stamped(time_us, InSession(lease, dice.randrange(5, 8), 5, Put(key, value)))
        yield encode_write(command) if dice.random() < 0.97 else b"\xc1" + value.encode()
