"""`python -m tests.tui.golden`: makes the golden screens anew; look at the difference before it is committed."""

from __future__ import annotations

import asyncio

from tests.tui.golden.scenes import COLOURED, FOLDER, SCENES, golden, shown


async def _remake() -> None:
    for old in [*FOLDER.glob("*-*x*.txt"), *FOLDER.glob("*.svg")]:
        old.unlink()
    for scene in SCENES:
        for size in scene.sizes:
            golden(scene, size).write_text((await shown(scene, size)).text, encoding="utf-8")
    golden(*COLOURED).with_suffix(".svg").write_text((await shown(*COLOURED)).svg, encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(_remake())
