"""How long did something take, by the run's own clock and by those that watch it?

    run's clock    |----------------------|  960 s
    UTC            |----------------------|  agrees within half a second, or is taken into account
    Date           |------------------------------|  1020 s: our machine was paused

A step, a suspended machine and a paused virtual machine look alike, and nobody can tell which.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from drills.model import ClockRead, DateSeen, Instant

UTC_UNCERTAINTY_S = 0.5
"""Wall seconds by which UTC may differ from the run's clock over an interval before that is a finding."""
DATE_UNCERTAINTY_S = 1.0
"""Wall seconds that a `Date` of whole seconds leaves open; the round trips come on top."""

Track = list[tuple[float, float, float]]
"""Readings of a clock beside the run's: when, its offset, and how uncertain that is."""


@dataclass(frozen=True, slots=True)
class Durations:
    """One stretch of time by every clock that watched it; they differ only where a clock disagreed."""

    own_s: float
    others_s: Mapping[str, float] = field(default_factory=dict)

    @property
    def low_s(self) -> float:
        """The shortest that any clock makes of it."""
        return min(self.own_s, *self.others_s.values()) if self.others_s else self.own_s

    @property
    def high_s(self) -> float:
        """The longest that any clock makes of it."""
        return max(self.own_s, *self.others_s.values()) if self.others_s else self.own_s


class Clocks:
    """What UTC and the `Date` of the control plane's answers say of a stretch of the run's clock."""

    def __init__(self, clocks: Iterable[ClockRead], dates: Iterable[DateSeen]) -> None:
        """Put the readings in order: of a `Date`, the middle of the round trip and of the second."""
        self._utc: Track = sorted((c.at, c.utc_s - c.at, 0.0) for c in clocks)
        self._date: Track = sorted(
            ((d.began + d.ended) / 2, d.date_s + 0.5 - (d.began + d.ended) / 2, (d.ended - d.began) / 2)
            for d in dates
        )

    def durations(self, began: Instant, ended: Instant) -> Durations:
        """Measure a stretch by the run's clock, and by UTC and `Date` where they disagree with it."""
        own = ended - began
        others: dict[str, float] = {}
        utc = _drift(self._utc, began, ended)
        if utc is not None and abs(utc[0]) > UTC_UNCERTAINTY_S:
            others["utc"] = own + utc[0]
        date = _drift(self._date, began, ended)
        if date is not None and abs(date[0]) > DATE_UNCERTAINTY_S + date[1]:
            others["date"] = own + date[0]
        return Durations(own_s=own, others_s=others)

    def utc_s(self, at: Instant) -> float | None:
        """Say what UTC was at an instant, by the reading next before it (or the first); None: never read."""
        if not self._utc:
            return None
        return at + self._utc[max(bisect_right(self._utc, (at, float("inf"), 0.0)) - 1, 0)][1]


def _drift(track: Track, began: Instant, ended: Instant) -> tuple[float, float] | None:
    """By how much a clock's offset changed over a stretch, and how uncertain that is; None: unwatched.

    The readings just outside the stretch are taken, so that nothing inside it goes unseen.
    """
    if len(track) < 2:
        return None
    first = max(bisect_right(track, (began, float("inf"), 0.0)) - 1, 0)
    last = min(bisect_left(track, (ended, float("-inf"), 0.0)), len(track) - 1)
    if last <= first:
        return None
    return track[last][1] - track[first][1], track[last][2] + track[first][2]
