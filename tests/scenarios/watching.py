"""A front that has a run started and looks on: prints the runner's pid when w1 stands still, and stays until it is killed.

`python -m tests.scenarios.watching RUNS_DIR`
"""

from __future__ import annotations

import asyncio
import sys

from scenarios.commission import Asked, Commission
from scenarios.folding import fold_all
from scenarios.scene import Scene
from scenarios.seat import RunSession


async def main() -> None:
    session = await RunSession.open(Commission("stale-lock-holder", Asked(scale=4.0), sys.argv[1]))
    scene, said = Scene(), False
    async for batch in session.news():
        scene = fold_all(scene, batch)
        if not said and scene.players["w1"].state == "paused":
            said = True
            print(session.pid, flush=True)  # noqa: T201


asyncio.run(main())
