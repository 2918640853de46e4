"""What does the application write while nobody is looking?

A busy server fills one segment of its log about every minute of service time. The writer looks at the server's own
position in the log after each transaction and keeps to that rate, whatever the rows, the indexes and the page images
after a checkpoint happen to cost.
"""

from __future__ import annotations

import asyncio
import logging
import time

import psycopg

from drills.twin import zep
from drills.twin.cluster import Administrator
from drills.twin.postgres import Postgres

_LOG = logging.getLogger(__name__)
_EVERY_S = 0.05
_BYTES_A_MESSAGE = 2_100
_MOST_MESSAGES = 60
_RECONNECT_AFTER_S = 0.1


async def write_to_zep(postgres: Postgres, login: Administrator, *, bytes_per_s: float) -> None:
    """Write to `zep` at this rate of log per wall second until cancelled; connects again whenever it is cut off."""
    while True:
        try:
            await _write_on_one_connection(postgres, login, bytes_per_s)
        except psycopg.OperationalError as lost:
            _LOG.info("the application lost its connection: %s", lost)
            await asyncio.sleep(_RECONNECT_AFTER_S)


async def _write_on_one_connection(postgres: Postgres, login: Administrator, bytes_per_s: float) -> None:
    session = await psycopg.AsyncConnection.connect(
        host="127.0.0.1", port=postgres.port, dbname=zep.DATABASE, user=login.name, password=login.password,
        sslmode="disable", application_name="zep", autocommit=True,
    )  # fmt: skip
    async with session:
        turn = time.time_ns() // 1_000_000
        began, first, position = time.monotonic(), None, 0
        while True:
            due = bytes_per_s * (time.monotonic() - began) - (position - (first or position))
            messages = min(_MOST_MESSAGES, int(due / _BYTES_A_MESSAGE))
            if messages >= 1 or first is None:
                turn += 1
                cursor = await session.execute(zep.TRAFFIC, {"turn": turn, "messages": max(1, messages)})
                row = await cursor.fetchone()
                position = int(row[0]) if row else position
                first = position if first is None else first
            await asyncio.sleep(_EVERY_S)
