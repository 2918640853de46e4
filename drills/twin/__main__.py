"""How does a twin live and die?

    python -m drills.twin --config FILE

One line of JSON on standard output says that it is ready and where. It ends when its standard input does, so that it
never outlives the process that started it, and on SIGTERM and SIGINT. Everything else it has to say goes to
`twin.log` in its state folder; only what keeps it from starting goes to standard error.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import os
import signal
import stat
import sys
from pathlib import Path
from typing import TextIO

from drills.twin import config, template
from drills.twin.errors import TwinError
from drills.twin.privileges import postgres_account
from drills.twin.state import State, remove_abandoned
from drills.twin.twin import Twin

_EXIT_USAGE = 2


def main() -> int:
    """Run a twin until it is told to end; the exit status is 0 then, 2 if it could not start."""
    parser = argparse.ArgumentParser(prog="python -m drills.twin", description="A local twin of the service.")
    parser.add_argument(
        "--config", type=Path, required=True, metavar="FILE", help="JSON, see drills/twin/config.py"
    )
    arguments = parser.parse_args()
    remove_abandoned(template.cache_folder())
    state = State(template.cache_folder())
    try:
        wanted = config.read(arguments.config)
        logging.basicConfig(
            filename=state.folder / "twin.log", level=logging.INFO, format="%(asctime)s %(name)s %(message)s"
        )
        asyncio.run(_live(wanted, state, template.prepared(postgres_account())))
    except TwinError as refused:
        print(refused, file=sys.stderr)
        return _EXIT_USAGE
    finally:
        state.remove()
    return 0


async def _live(wanted: config.Config, state: State, prepared: template.Template) -> None:
    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end.set)
    if _is_pipe(sys.stdin):
        await loop.connect_read_pipe(lambda: _UntilEnd(end), sys.stdin)
    twin = Twin(wanted, state, prepared)
    try:
        starting = asyncio.create_task(twin.start())
        ended = asyncio.create_task(end.wait())
        await asyncio.wait((starting, ended), return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
            with contextlib.suppress(
                BrokenPipeError
            ):  # whoever started us is gone; standard input says so too
                print(json.dumps(twin.describe()), flush=True)
            await ended
        else:
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
        ended.cancel()
    finally:
        await twin.stop()


def _is_pipe(stream: TextIO) -> bool:
    """Whether somebody can hold the other end: a terminal or a file never ends in the sense that is meant here."""
    mode = os.fstat(stream.fileno()).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


class _UntilEnd(asyncio.Protocol):
    """Waits for the end of standard input; what is written there does not matter."""

    def __init__(self, end: asyncio.Event) -> None:
        self._end = end

    def connection_lost(self, exc: Exception | None) -> None:
        self._end.set()


if __name__ == "__main__":
    sys.exit(main())
