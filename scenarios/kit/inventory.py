"""The stock: which units there are, and a ledger of what was held, sold, given up and refused.

Law 1: it writes down what it is told and sells to whoever asks: that a unit is sold once is the hold's business.
Law 2: a line is durable before its caller hears, and a worker tells it of the end of its own hold before it drops the key: so the times
in this book lie inside those for which the key was there.

Args: `skus` and `units` of each.
"""

from __future__ import annotations

from typing import Any

from scenarios.kit.calls import OK, serve
from scenarios.kit.ledger import Ledger
from scenarios.kit.process import Process

GONE = 409  # it was sold before
ENDS = ("released", "lost", "reaped")


async def main(process: Process) -> None:
    inventory = Inventory(round(process.args["skus"]), round(process.args["units"]), Ledger.open(process.ledger_path, process.tasks))
    methods = {name: getattr(inventory, name) for name in ("stock", "held", "sell", "end", "refuse")}
    await serve(process.socket_of(process.name), methods, process.tasks)
    await process.for_ever()


class Inventory:
    """Its methods are what workers may ask."""

    def __init__(self, skus: int, units: int, ledger: Ledger) -> None:
        self._unsold = {f"sku{sku}": [f"sku{sku}.u{unit}" for unit in range(1, units + 1)] for sku in range(1, skus + 1)}
        self._ledger = ledger

    async def stock(self, args: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """What is left to sell, whoever holds it."""
        return OK, {"units": self._unsold[args["sku"]]}

    async def held(self, args: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Somebody has the hold on a unit. 409 when it went while he took it."""
        if args["unit"] not in self._unsold[_sku(args["unit"])]:
            return GONE, {}
        return await self._write("held", args)

    async def sell(self, args: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        left = self._unsold[_sku(args["unit"])]
        if args["unit"] in left:
            left.remove(args["unit"])
        return await self._write("sold", args)

    async def end(self, args: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Of a hold, without a sale: how is one of `ENDS`."""
        assert args["how"] in ENDS
        return await self._write(args["how"], args)

    async def refuse(self, args: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Nothing could be held of what a shopper wanted."""
        await self._ledger.append("refused", sku=args["sku"], purchase=args["purchase"], left=len(self._unsold[args["sku"]]))
        return OK, {}

    async def _write(self, kind: str, args: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        await self._ledger.append(kind, unit=args["unit"], owner=args["owner"], purchase=args.get("purchase", ""))
        return OK, {}


def _sku(unit: str) -> str:
    return unit.partition(".")[0]
