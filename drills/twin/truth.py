"""What really happened, as the twin saw it from the inside?

One JSON line an event, in the order in which they were recorded; each carries the moment by both clocks. Nothing in
it rests on what a client observed, so a measurement can be compared with it. `ground_truth.py` draws the conclusions.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from drills.twin import clock


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened: its name, when, and whatever else belongs to it."""

    name: str
    at: clock.Instant
    fields: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        """The event as it is written: `event`, `boot_s`, `utc`, and its fields."""
        return {"event": self.name, "boot_s": self.at.boot_s, "utc": self.at.utc.isoformat(), **self.fields}


class Truth:
    """An append-only list of events, kept in memory and in a file of JSON lines."""

    def __init__(self, file: Path) -> None:
        self._file = file.open("a", buffering=1)
        self._events: list[Event] = []

    def record(self, event: str, *, at: clock.Instant | None = None, **fields: object) -> clock.Instant:
        """Note an event, now or at the instant given, and return that instant."""
        noted = Event(event, at or clock.now(), fields)
        self._events.append(noted)
        self._file.write(json.dumps(noted.as_json()) + "\n")
        return noted.at

    def events(self, name: str | None = None, **fields: object) -> Iterator[Event]:
        """The events of that name whose fields have these values, oldest first."""
        for event in self._events:
            if name in (None, event.name) and all(event.fields.get(key) == fields[key] for key in fields):
                yield event

    def first(self, name: str, **fields: object) -> Event | None:
        """The earliest of those events, if there is one."""
        return min(self.events(name, **fields), key=lambda event: event.at.boot_s, default=None)

    def utc_of(self, boot_s: float) -> datetime:
        """The UTC time of an instant given in seconds since boot, by the event recorded nearest to it."""
        near = min(self._events, key=lambda event: abs(event.at.boot_s - boot_s))
        return near.at.utc.fromtimestamp(
            near.at.utc.timestamp() + boot_s - near.at.boot_s, tz=near.at.utc.tzinfo
        )

    def close(self) -> None:
        """Close the file; nothing is recorded afterwards."""
        self._file.close()
