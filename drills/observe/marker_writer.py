"""Which rows was a client promised? A process that commits numbered rows at a fixed rate.

Each marker is one statement and one round trip, so its acknowledgement is the commit's. *began* is written down
before it is sent and *outcome* after: ACKED, REFUSED by an error on a connection that still answers, or UNKNOWN.
The process never cancels a statement; one that exceeds the limit loses its socket and stays UNKNOWN.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from drills import clock
from drills.journal import Journal
from drills.model import Instant
from drills.observe import child, schema
from drills.observe.connections import Login, NameUnknown, connect, drop, one_line

if TYPE_CHECKING:
    from psycopg import Connection

_FIELDS = (
    "server_time_us",
    "statement_time_us",
    "xid",
    "snapshot",
    "lsn",
    "timeline",
    "synchronous_commit",
    "server_started_us",
)
_NOT_KEPT = ("01", "57")
"""Classes of notices under which an acknowledged row may be on this server only (cancelled wait for a standby)."""


class Writer:
    """Writes the markers of one writer until it is told to stop."""

    def __init__(self, order: dict[str, Any]) -> None:
        """Take the order: run, writer, server, login, pace, limit (wall seconds) and file."""
        self._run_id: str = order["run_id"]
        self._name: str = order["writer"]
        self._fqdn: str = order["fqdn"]
        self._period_s: float = order["period_s"]
        self._limit_s: float = order["limit_s"]
        self._login = Login(**order["login"])
        self._journal = Journal(Path(order["path"]))
        self._stop = threading.Event()
        self._connection: Connection[Any] | None = None
        self._notices: list[str] = []
        self._deadline: Instant | None = None
        self._counts = {"acked": 0, "refused": 0, "unknown": 0}

    def run(self) -> None:
        """Write until stopped; a beat that is missed is skipped, not made up for."""
        child.listen(lambda _: self._stop.set(), lost=self._stop.set)
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()
        self._journal.write(
            "writer_began",
            writer=self._name,
            period_s=self._period_s,
            limit_s=self._limit_s,
            run=self._run_id,
        )
        number, beat = 0, clock.now()
        while not self._stop.is_set():
            if self._ready():
                number += 1
                self._write(number)
                child.tell(number=number, **self._counts)
            beat = Instant(max(beat + self._period_s, clock.now()))
            clock.sleep_until(beat, stop=self._stop)
        self._journal.write("writer_stopped", writer=self._name, **self._counts)
        self._journal.close()

    def _ready(self) -> bool:
        """Have a session, or try for one; without one no marker is attempted."""
        if self._connection is not None and not self._connection.closed:
            return True
        try:
            self._connection = connect(self._login, self._fqdn, limit_s=self._limit_s)
        except (NameUnknown, psycopg.Error):
            return False
        self._connection.add_notice_handler(lambda notice: self._notices.append(notice.sqlstate or ""))
        return True

    def _write(self, number: int) -> None:
        assert self._connection is not None  # noqa: S101  # _ready() said so
        self._notices.clear()
        began = clock.now()
        self._journal.write("marker_began", number=number, began=began)
        self._deadline = Instant(began + self._limit_s)
        row, reason = None, None
        try:
            found = self._connection.execute(
                schema.WRITE_MARKER, (self._run_id, self._name, number)
            ).fetchone()
            ended = clock.now()
            row = dict(zip(_FIELDS, found or (), strict=True))
            outcome = "acked"
            if kept_here := [n for n in self._notices if n.startswith(_NOT_KEPT)]:
                outcome, reason = "unknown", f"acknowledged with notice {', '.join(kept_here)}"
        except psycopg.Error as problem:
            ended = clock.now()
            reason = one_line(problem)
            outcome = "refused" if problem.sqlstate is not None and self._answers() else "unknown"
        finally:
            self._deadline = None
        self._counts[outcome] += 1
        self._journal.write(
            "marker_ended", number=number, ended=ended, outcome=outcome, row=row, reason=reason
        )
        if outcome != "acked":
            self._forget()

    def _answers(self) -> bool:
        """A refusal is only final on a connection that still answers."""
        try:
            return self._connection is not None and self._connection.execute("SELECT 1").fetchone() == (1,)
        except psycopg.Error:
            return False

    def _forget(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _watch(self) -> None:
        """A driver can hang without an error: past its limit, a marker's socket is cut."""
        while not self._stop.wait(self._limit_s / 10):
            deadline, connection = self._deadline, self._connection
            if deadline is not None and connection is not None and clock.now() > deadline:
                drop(connection)


if __name__ == "__main__":
    Writer(child.first_order()).run()
