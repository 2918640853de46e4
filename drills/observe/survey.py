"""Which markers are there now? One transaction on one instance that reads who it is and everything it holds."""

from __future__ import annotations

import uuid
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import psycopg

from drills import clock
from drills.model import Instant, Lsn, ServerIdentity, Surveyed, SurveyedRow
from drills.observe import schema
from drills.observe.connections import Login, connect

if TYPE_CHECKING:
    from psycopg import Connection

    from drills.journal import Journal

_ROWS_A_LINE = 1000
_ALL_MARKERS = (
    f"SELECT run_id, writer, number, {schema.US.format('server_time')}, (lsn - '0/0')::bigint, "
    "xid::text::bigint FROM markers"
)


def survey(login: Login, fqdn: str, journal: Journal, *, run_id: str, server: str) -> Surveyed:
    """Read identity and all markers of an instance, after writing a nonce there in the same transaction.

    An instance without `dr_drill`, or with one that lacks the table, is surveyed as holding no rows.

    Raises:
        NameUnknown, psycopg.Error: the instance did not answer.
    """
    journal.write("survey_began", server=server)
    nonce = str(uuid.uuid4())
    try:
        with connect(login, fqdn) as connection:
            done = _in_one_transaction(connection, run_id, nonce, server)
    except psycopg.errors.InvalidCatalogName:
        with connect(login, fqdn, "postgres") as connection:
            done = _without_database(connection, server)
    _write_down(done, journal)
    return done


def _in_one_transaction(connection: Connection[Any], run_id: str, nonce: str, server: str) -> Surveyed:
    began = clock.now()
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        connection.execute("SET LOCAL enable_indexscan = off")  # an index may be what was damaged
        connection.execute("SET LOCAL enable_indexonlyscan = off")
        connection.execute("SET LOCAL enable_bitmapscan = off")
        identity = ServerIdentity(**schema.identity(connection))
        tables = connection.execute("SELECT to_regclass('markers'), to_regclass('nonces')").fetchone()
        has_markers, has_nonces = (name is not None for name in tables or (None, None))
        if has_nonces:
            connection.execute("INSERT INTO nonces (nonce, run_id) VALUES (%s, %s)", (nonce, run_id))
        found = connection.execute(_ALL_MARKERS).fetchall() if has_markers else []
    rows = tuple(SurveyedRow(run, writer, n, us, Lsn(lsn), xid) for run, writer, n, us, lsn, xid in found)
    return Surveyed(
        began=began,
        ended=clock.now(),
        server=server,
        identity=identity,
        nonce=nonce if has_nonces else None,
        rows=rows,
    )


def _without_database(connection: Connection[Any], server: str) -> Surveyed:
    began: Instant = clock.now()
    identity = ServerIdentity(**schema.identity(connection))
    return Surveyed(
        began=began,
        ended=clock.now(),
        server=server,
        identity=identity,
        nonce=None,
        rows=(),
        database_found=False,
    )


def _write_down(done: Surveyed, journal: Journal) -> None:
    for first in range(0, len(done.rows), _ROWS_A_LINE):
        rows = done.rows[first : first + _ROWS_A_LINE]
        journal.write(
            "survey_rows",
            rows=[[r.run_id, r.writer, r.number, r.server_time_us, r.lsn, r.xid] for r in rows],
        )
    journal.write(
        "surveyed",
        began=done.began,
        ended=done.ended,
        server=done.server,
        identity=asdict(done.identity),
        nonce=done.nonce,
        rows_count=len(done.rows),
        database_found=done.database_found,
    )
