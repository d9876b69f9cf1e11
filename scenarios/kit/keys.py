"""How a client names what it means to do: the rules by which idempotency keys are made, good ones and bad ones.

Law 1: a key is made before the first attempt and is the same for every further one, except by the rule that says otherwise: that rule
is the mistake. (It stands in the client's history before the bytes leave, so a client that dies has not lost it.)
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from typing import Any

Intent = dict[str, Any]
Rule = Callable[[Intent], Callable[[], str | None]]  # intent -> what to ask for the key at each attempt


def _none(_intent: Intent) -> Callable[[], str | None]:
    return lambda: None


def _per_attempt(_intent: Intent) -> Callable[[], str | None]:
    return lambda: str(uuid.uuid4())


def _per_payment(_intent: Intent) -> Callable[[], str | None]:
    key = str(uuid.uuid4())
    return lambda: key


def _of(*fields: str) -> Rule:
    def rule(intent: Intent) -> Callable[[], str | None]:
        key = hashlib.sha256("|".join(str(intent[field]) for field in fields).encode()).hexdigest()
        return lambda: key

    return rule


RULES: dict[str, Rule] = {
    "none": _none,
    "per_attempt": _per_attempt,
    "per_payment": _per_payment,
    "order": _of("order"),
    "saga+step+kind": _of("order", "step", "what"),
    "user+batch": _of("user", "batch"),
    "user+amount+recipient": _of("user", "cents", "recipient"),
    "user+op+entity": _of("user", "op", "entity"),
}
