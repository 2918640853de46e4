"""Which row of the record is which marker, in a table that a spreadsheet opens?

One line a marker, in the order in which they began; times in seconds of the run's own clock relative to the
disaster, negative before it, and empty where nothing was observed.
"""

from __future__ import annotations

from drills.history import History
from drills.model import MarkerWritten
from reports.moments import utc_of
from reports.words import utc_time

COLUMNS = (
    "writer",
    "number",
    "began_utc",
    "began_s",
    "ended_s",
    "took_s",
    "outcome",
    "presence",
    "server_time_us",
    "lsn",
    "xid",
    "timeline",
    "reason",
)


def markers_csv(history: History) -> str:
    """Give all markers of a run as CSV; lines end as RFC 4180 has it."""
    import pandas  # a quarter of a second, which only those wait who want the table

    rows = [_row(history, marker) for marker in sorted(history.markers, key=lambda m: (m.began, m.writer))]
    table = pandas.DataFrame(rows, columns=list(COLUMNS), dtype=object)
    return table.to_csv(index=False, lineterminator="\r\n")


def _row(history: History, marker: MarkerWritten) -> tuple[str | int | float | None, ...]:
    at = None if history.disaster is None else history.disaster.latest
    row = marker.row
    return (
        marker.writer,
        marker.number,
        utc_time(utc_of(history, marker.began), digits=6).removesuffix(" UTC"),
        None if at is None else round(marker.began - at, 6),
        None if at is None or marker.ended is None else round(marker.ended - at, 6),
        None if marker.ended is None else round(marker.ended - marker.began, 6),
        marker.outcome.value,
        history.presence(marker).value,
        None if row is None else row.server_time_us,
        None if row is None else row.lsn,
        None if row is None else row.xid,
        None if row is None else row.timeline,
        _harmless(marker.reason),
    )


def _harmless(text: str | None) -> str | None:
    """Keep a spreadsheet from taking the words of a server for a formula."""
    return f"'{text}" if text and text[0] in "=+-@\t\r" else text
