"""What was asked of ARM, and what was it answered?

The last few thousand exchanges are kept in memory for whoever runs the twin: to see what a client really sent, and to
hold every answer against what the service would have said. Credentials are in headers and token requests, and neither
is kept.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_KEPT = 20_000


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer, as they went over the wire."""

    method: str
    url: str
    status: int
    headers: Mapping[str, str]
    body: str


class Exchanges:
    """The newest exchanges, oldest first."""

    def __init__(self) -> None:
        self._kept: deque[Exchange] = deque(maxlen=_KEPT)

    def keep(self, exchange: Exchange) -> None:
        """Keep one; the oldest is forgotten when there are too many."""
        self._kept.append(exchange)

    def __iter__(self) -> Iterator[Exchange]:
        return iter(tuple(self._kept))
