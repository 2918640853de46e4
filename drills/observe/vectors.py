"""Can the application search by similarity again? One nearest-neighbour query by index on the copy.

It is shown beside the recovery and decides nothing: an index that is there and answers says little about how
many neighbours it finds.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from drills import clock
from drills.model import VectorQueried
from drills.observe.connections import Login, NameUnknown, connect, one_line

if TYPE_CHECKING:
    from psycopg import Connection

    from drills.journal import Journal

_INDEX = """
SELECT c.relname, i.indisvalid, n.nspname, t.relname, a.attname, opc.opcname
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_am am ON am.oid = c.relam AND am.amname IN ('hnsw', 'ivfflat')
JOIN pg_class t ON t.oid = i.indrelid
JOIN pg_namespace n ON n.oid = t.relnamespace
JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = i.indkey[0]
JOIN pg_opclass opc ON opc.oid = i.indclass[0]
ORDER BY c.relname LIMIT 1
"""
_OPERATORS = {
    "vector_cosine_ops": "<=>",
    "vector_l2_ops": "<->",
    "vector_ip_ops": "<#>",
    "vector_l1_ops": "<+>",
}


def query_by_index(login: Login, fqdn: str, database: str, journal: Journal) -> VectorQueried:
    """Ask for the ten nearest neighbours of a stored vector, by the first vector index of the database."""
    began = clock.now()
    try:
        with connect(login, fqdn, database) as connection:
            name, valid, rows, used = _query(connection)
        done = VectorQueried(began, clock.now(), name, valid, used, rows)
    except (NameUnknown, psycopg.Error) as problem:
        done = VectorQueried(began, clock.now(), None, False, False, 0, one_line(problem))
    journal.write("vector_queried", **asdict(done))
    return done


def _query(connection: Connection[Any]) -> tuple[str | None, bool, int, bool]:
    """The index, whether it is valid, how many rows came, and whether the plan really used it."""
    found = connection.execute(_INDEX).fetchone()
    if found is None:
        return None, False, 0, False
    index, valid, schema, table, column, operators = found
    nearest = sql.SQL("SELECT ctid FROM {t} ORDER BY {c} {op} (SELECT {c} FROM {t} LIMIT 1) LIMIT 10").format(
        t=sql.Identifier(schema, table),
        c=sql.Identifier(column),
        op=sql.SQL(_OPERATORS.get(operators, "<=>")),
    )
    with connection.transaction():
        connection.execute("SET LOCAL enable_seqscan = off")
        plan = connection.execute(sql.SQL("EXPLAIN (FORMAT JSON) {}").format(nearest)).fetchone()
        rows = len(connection.execute(nearest).fetchall())
    return index, valid, rows, json.dumps(index) in json.dumps(plan)
