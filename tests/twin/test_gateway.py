"""Who reaches a server through its address, and what does everybody else see?"""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from tests.twin.twins import QUICK, Twin, server, twin, wait_for

pytestmark = pytest.mark.twin


@pytest.fixture(scope="module")
def cloud() -> Iterator[Twin]:
    sources = [server("open"), server("shut"), server("dying")]
    with twin({**QUICK, "servers": sources}) as running:
        running.let_in("open")
        running.let_in("dying")
        yield running


def test_without_a_rule_there_is_silence_until_the_client_gives_up(cloud: Twin) -> None:
    began = time.monotonic()

    with pytest.raises(psycopg.errors.ConnectionTimeout):
        cloud.connect("shut", connect_timeout=2)

    assert time.monotonic() - began >= 2


def test_a_rule_for_others_does_not_let_us_in(cloud: Twin) -> None:
    cloud.let_in("shut", "10.0.0.1")

    with socket.create_connection(cloud.address("shut")) as connection:
        connection.settimeout(0.5)
        connection.sendall(bytes.fromhex("0000000804d2162f"))
        with pytest.raises(TimeoutError):
            connection.recv(1)


def test_a_client_without_encryption_is_refused_in_the_words_of_postgresql(cloud: Twin) -> None:
    with pytest.raises(psycopg.OperationalError, match=r"no pg_hba.conf entry for host .*, no encryption"):
        cloud.connect("open", sslmode="disable")


def test_the_certificate_holds_for_the_name_and_for_no_other(cloud: Twin) -> None:
    with cloud.connect("open") as session:
        assert session.pgconn.ssl_in_use
    with pytest.raises(psycopg.OperationalError, match="does not match host name"):
        cloud.connect("open", host="other.postgres.twin.test")


def test_an_unknown_name_does_not_resolve(cloud: Twin) -> None:
    assert cloud.ask_side_door("/names/nobody.postgres.twin.test?port=5432") is None
    assert cloud.ask_side_door("/names/open.postgres.twin.test?port=6432") is None


def test_a_statement_can_be_cancelled_through_the_gateway(cloud: Twin) -> None:
    with cloud.connect("open") as session:

        def cancel() -> None:
            # The server closes a cancel's own connection; libpq calls that an error if it comes too soon.
            with suppress(psycopg.OperationalError):
                session.cancel_safe()

        timer = threading.Timer(0.3, cancel)
        timer.start()
        with pytest.raises(psycopg.errors.QueryCanceled):
            session.execute("SELECT pg_sleep(20)")
        timer.join()


def test_large_answers_pass_whole(cloud: Twin) -> None:
    with cloud.connect("open") as session:
        row = session.execute("SELECT repeat('x', 20000000)").fetchone()

    assert row is not None
    assert len(row[0]) == 20_000_000


def test_while_postgresql_is_gone_connections_are_reset(cloud: Twin) -> None:
    described = cloud.ask_side_door("/status")["servers"]
    data = next(entry["data_directory"] for entry in described if entry["name"] == "dying")
    postmaster = int(Path(data, "postmaster.pid").read_text().splitlines()[0])
    held = cloud.connect("dying")
    os.kill(postmaster, signal.SIGQUIT)

    wait_for(lambda: held.pgconn.socket and _is_cut(held), what="the held session to be cut")
    with pytest.raises(psycopg.OperationalError, match=r"closed|reset|refused"):
        cloud.connect("dying")
    held.close()


def _is_cut(session: psycopg.Connection[object]) -> bool:
    try:
        session.execute("SELECT 1")
    except psycopg.OperationalError:
        return True
    return False
