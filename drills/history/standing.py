"""When was each marker of the permanent stream written, by our own clock?

    server's clock     s1 -------- s2 -------- s3 ----| read        our clock: the instant of the reading,
    heartbeat's UTC    h1 -------- h2 -------- h3     |             less what the row is older than it
                                               tied together here

Nobody of this run saw these rows written. A row says when its server inserted it and how long the one before it
took; counted back from the reading by both clocks, the earlier is when it began at the earliest, the later when it
had ended at the latest. A clock that is wrong by 20 s is wrong for all of them alike, so it moves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from drills.model import Instant, Lsn, StandingRead, StandingRow

DRIFT = 200e-6
"""How much faster or slower than ours a clock may run that is kept in step by NTP."""


@dataclass(frozen=True, slots=True)
class Written:
    """A standing marker: no earlier than *began*, acknowledged no later than *ended*, by our own clock."""

    row: StandingRow
    began: Instant
    ended: Instant


@dataclass(frozen=True, slots=True)
class Promise:
    """A row that a client was promised, by a marker of this run or by a standing one."""

    name: str
    began: Instant
    ended: Instant
    lsn: Lsn


def written(read: StandingRead | None) -> tuple[Written, ...]:
    """Say of each standing marker of the source when it was written, by our own clock; in the order of numbers."""
    if read is None or not read.rows:
        return ()
    rows = sorted(read.rows, key=lambda row: row.number)
    began = [_when(read, rows[-1], row) for row in rows]
    ended = list(_ends(read, rows))
    return tuple(Written(row, low, high) for row, low, high in zip(rows, began, ended, strict=True))


def _when(read: StandingRead, newest: StandingRow, row: StandingRow) -> Instant:
    """The earliest at which a row can have been sent."""
    return Instant(min(read.began - age_s * (1 + DRIFT) for age_s in _ages_s(read, newest, row)))


def _ends(read: StandingRead, rows: list[StandingRow]) -> Iterator[Instant]:
    """The latest at which each row was acknowledged; the last one by the reading that found it."""
    newest = rows[-1]
    for row, following in pairwise(rows):
        took_s = following.before_took_s if following.number == row.number + 1 else None
        if took_s is None:
            # The heartbeat sends one row after another: this one had ended when the next was sent.
            latest = max(read.ended - age_s * (1 - DRIFT) for age_s in _ages_s(read, newest, following))
        else:
            latest = max(read.ended - age_s * (1 - DRIFT) for age_s in _ages_s(read, newest, row)) + took_s
        yield Instant(min(latest, read.ended))
    yield read.ended


def _ages_s(read: StandingRead, newest: StandingRow, row: StandingRow) -> tuple[float, float]:
    """How much older than the reading a row is, by the server's clock and by the heartbeat's own."""
    by_server_us = read.server_time_us - row.server_time_us
    by_heartbeat_us = read.server_time_us - newest.server_time_us + newest.heartbeat_us - row.heartbeat_us
    return by_server_us / 1e6, by_heartbeat_us / 1e6
