"""`python -m tui.picture`: the picture of the walkthrough in the README, drawn from a real run."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from rewriter.options import Options
from tui import files, words
from tui.app import Walkthrough
from tui.verbs.walk import phases, subject

PICTURE = Path(__file__).parent.parent / "tutorials" / "walkthrough.svg"
SIZE = (110, 36)
PHASE = "inline"
PATIENCE = 600  # seconds


def main() -> None:
    """Write the file named on the command line, or the one that the README shows."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURE
    files.write(path, asyncio.run(draw(Options())).encode())
    print(path)


async def draw(options: Options) -> str:
    """Walk through all phases without a terminal, look at one, and draw the screen as SVG."""
    app = Walkthrough(phases(options), subject(options))
    async with app.run_test(size=SIZE) as pilot:
        async with asyncio.timeout(PATIENCE):
            while not (app.walk_state.finished or app.walk_state.error):
                await asyncio.sleep(0.1)
        await pilot.press(str(words.number(PHASE)))
        await pilot.pause()
        return app.export_screenshot()


if __name__ == "__main__":
    main()
