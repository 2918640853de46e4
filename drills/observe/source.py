"""What does the source hold, and how far has its archive come?

The database `dr_drill` is prepared here, before anything else; then its archive is sampled once a wall second,
since a drill's source is alive and may flush what a dead one could not.
"""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import psycopg

from drills import clock
from drills.model import ArchiveSampled, Instant, InventoryTaken, Lsn, NoncesRead, ServerIdentity
from drills.observe import schema
from drills.observe.connections import Login, NameUnknown, connect, one_line

if TYPE_CHECKING:
    from psycopg import Connection

    from drills.journal import Journal

SAMPLE_EVERY_S = 1.0
"""Wall seconds between archive readings; not scaled, since a reading costs the source what it costs."""


@dataclass(frozen=True, slots=True)
class Source:
    """How to reach the source."""

    login: Login
    fqdn: str

    def connect(self, database: str = "dr_drill") -> Connection[Any]:
        """Open a session; raises as `connections.connect` does."""
        return connect(self.login, self.fqdn, database)


def prepare(source: Source, journal: Journal) -> InventoryTaken:
    """Have `dr_drill` with its tables, and note which runs left rows there before."""
    with source.connect("postgres") as connection:
        schema.create_database(connection)
    with source.connect() as connection:
        schema.create_tables(connection)
        began = clock.now()
        rows = connection.execute("SELECT run_id, count(*) FROM markers GROUP BY run_id").fetchall()
        inventory = InventoryTaken(began=began, ended=clock.now(), rows_by_run=dict(rows))
    journal.write("inventory_taken", **asdict(inventory))
    return inventory


def read_nonces(source: Source, journal: Journal, run_id: str) -> NoncesRead:
    """Ask the source which nonces of this run it holds; one that it holds was not written on the copy."""
    with source.connect() as connection:
        began = clock.now()
        found = connection.execute("SELECT nonce FROM nonces WHERE run_id = %s", (run_id,)).fetchall()
        identity = ServerIdentity(**schema.identity(connection))
    read = NoncesRead(began, clock.now(), identity, frozenset(nonce for (nonce,) in found))
    journal.write(
        "nonces_read",
        began=read.began,
        ended=read.ended,
        identity=asdict(identity),
        nonces=sorted(read.nonces),
    )
    return read


def marker_after(source: Source, run_id: str, point_us: int) -> Lsn | None:
    """Where the first marker of this run after a moment of the source's clock lies in the log, if there is one."""
    with source.connect() as connection:
        found = connection.execute(
            "SELECT (min(lsn) - '0/0')::bigint FROM markers "
            f"WHERE run_id = %s AND {schema.US.format('server_time')} > %s",
            (run_id, point_us),
        ).fetchone()
    return None if found is None or found[0] is None else Lsn(found[0])


class ArchiveSampler:
    """Reads `pg_stat_archiver` once a second in a thread, and once more whenever it is told to."""

    def __init__(self, source: Source, journal: Journal) -> None:
        """Sample this source into this journal; nothing is read yet."""
        self._source = source
        self._journal = journal
        self._connection: Connection[Any] | None = None
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="archive", daemon=True)
        self.latest: ArchiveSampled | None = None

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End the regular readings; `sample` still works."""
        self._stop.set()
        self._thread.join()

    def close(self) -> None:
        """End, and close the session."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()
        if self._connection is not None:
            self._connection.close()

    def sample(self) -> ArchiveSampled:
        """Read once, journal it and give it.

        Raises:
            NameUnknown: the source's name is not known.
            psycopg.Error: the source did not answer; the next reading opens a new session.
        """
        with self._lock:
            if self._connection is None or self._connection.closed:
                self._connection = self._source.connect("postgres")
            began = clock.now()
            row = self._connection.execute(schema.SAMPLE_ARCHIVE).fetchone()
            if row is None:
                raise psycopg.DataError("pg_stat_archiver gave no row")
            sample = ArchiveSampled(began, clock.now(), *row)
            self._journal.write("archive_sampled", **asdict(sample))
            self.latest = sample
            return sample

    def _run(self) -> None:
        beat = clock.now()
        while not self._stop.is_set():
            try:
                self.sample()
            except (NameUnknown, psycopg.Error) as problem:
                self._journal.write("archive_not_read", error=one_line(problem))
            beat = Instant(max(beat + SAMPLE_EVERY_S, clock.now()))
            clock.sleep_until(beat, stop=self._stop)


def archived_to(sample: ArchiveSampled) -> Lsn | None:
    """The end of the segment that a reading names, or None where the field names no segment."""
    name = sample.segment or ""
    if len(name) != 24 or not all(c in "0123456789ABCDEF" for c in name):
        return None
    per_log = 0x1_0000_0000 // sample.segment_bytes
    return Lsn((int(name[8:16], 16) * per_log + int(name[16:], 16) + 1) * sample.segment_bytes)
