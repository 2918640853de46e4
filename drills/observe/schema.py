"""What does a drill keep on a server? Two tables in the database `dr_drill`, and the questions asked of it.

Neither table has a key: a marker written twice must be seen, not refused.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from drills.observe.connections import DRILL_DATABASE

if TYPE_CHECKING:
    from psycopg import Connection

TABLES = """
CREATE TABLE IF NOT EXISTS markers (
    run_id      text        NOT NULL,
    writer      text        NOT NULL,
    number      bigint      NOT NULL,
    server_time timestamptz NOT NULL,
    lsn         pg_lsn      NOT NULL,
    xid         xid8        NOT NULL
);
CREATE TABLE IF NOT EXISTS nonces (
    nonce  text        NOT NULL,
    run_id text        NOT NULL,
    at     timestamptz NOT NULL DEFAULT clock_timestamp()
);
"""

US = "(extract(epoch FROM {})*1000000)::bigint"
"""A server's time as whole microseconds since 1970: exact, where a float would round."""

TIMELINE = "('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int"
"""Right at once after a promotion; pg_control_checkpoint() shows the old one until the next checkpoint."""

IDENTITY = (
    "SELECT (SELECT system_identifier::text FROM pg_control_system()), "
    f"{US.format('pg_postmaster_start_time()')}, "
    f"CASE WHEN pg_is_in_recovery() THEN 0 ELSE {TIMELINE} END, pg_is_in_recovery()"
)

WRITE_MARKER = f"""
INSERT INTO markers (run_id, writer, number, server_time, lsn, xid)
VALUES (%s, %s, %s, clock_timestamp(), pg_current_wal_insert_lsn(), pg_current_xact_id())
RETURNING {US.format("server_time")}, {US.format("statement_timestamp()")}, xid::text::bigint,
          pg_current_snapshot()::text, (lsn - '0/0')::bigint, {TIMELINE},
          current_setting('synchronous_commit'), {US.format("pg_postmaster_start_time()")}
"""

SAMPLE_ARCHIVE = f"""
SELECT last_archived_wal, (SELECT setting::bigint FROM pg_settings WHERE name = 'wal_segment_size'),
       {TIMELINE}, {US.format("clock_timestamp()")}, (pg_current_wal_lsn() - '0/0')::bigint
FROM pg_stat_archiver
"""


def create_tables(connection: Connection[Any]) -> None:
    """Create the tables where they are missing."""
    connection.execute(TABLES)


def create_database(connection: Connection[Any]) -> None:
    """Create `dr_drill` where it is missing; another client that was faster is as good."""
    with contextlib.suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DRILL_DATABASE)))


def identity(connection: Connection[Any]) -> dict[str, Any]:
    """Ask a server who it is, as the journal keeps it."""
    row = connection.execute(IDENTITY).fetchone()
    if row is None:
        raise psycopg.DataError("the server did not say who it is")
    return dict(zip(("system_identifier", "started_us", "timeline", "in_recovery"), row, strict=True))
