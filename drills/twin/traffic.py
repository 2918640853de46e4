"""What does the application write while nobody is looking?

A busy server fills one segment of its log about every minute of service time. The writer looks at the server's own
position in the log after each transaction and keeps to that rate, whatever the rows and the indexes happen to cost,
without ever falling silent: a transaction commits every few hundredths of a second.
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
# A switch of segments moves the position by up to a segment; only so many seconds' worth of it are made up for.
_LONGEST_DEBT_S = 0.2


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
        turn, position, allowance = time.time_ns() // 1_000_000, None, 0.0
        every_s = max(_EVERY_S, _BYTES_A_MESSAGE / bytes_per_s)
        while True:
            began = time.monotonic()
            turn += 1
            messages = max(1, min(_MOST_MESSAGES, int(allowance / _BYTES_A_MESSAGE)))
            cursor = await session.execute(zep.TRAFFIC, {"turn": turn, "messages": messages})
            row = await cursor.fetchone()
            assert row is not None  # noqa: S101  # every message belongs to a session
            spent = row[0] - position if position is not None else 0
            position = row[0]
            await asyncio.sleep(every_s)
            earned = bytes_per_s * (time.monotonic() - began)
            allowance = max(allowance + earned - float(spent), -_LONGEST_DEBT_S * bytes_per_s)
