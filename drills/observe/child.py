"""How does a process of ours listen to the engine? Orders in on standard input, news out on standard output.

Markers and probes are processes of their own, since a driver can hang without an error and a process can be
killed. One that loses its parent sees the end of its input and stops.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from typing import Any


def first_order() -> dict[str, Any]:
    """Read the order that every process gets first: what it is to do, secrets included, never in argv."""
    order = json.loads(sys.stdin.readline())
    if not isinstance(order, dict):
        raise TypeError("the first order must be an object")
    return order


def listen(hear: Callable[[dict[str, Any]], None], *, lost: Callable[[], None]) -> None:
    """Hear further orders in a thread; `lost` is called when the engine is gone."""

    def run() -> None:
        for line in sys.stdin:
            hear(json.loads(line))
        lost()

    threading.Thread(target=run, name="orders", daemon=True).start()


def tell(**news: Any) -> None:
    """Tell the engine something; when it is gone, nobody has to know."""
    try:
        sys.stdout.write(json.dumps(news) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        pass
