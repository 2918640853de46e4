"""Does each lie of the twin do to its client what it says?"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from tests.twin.test_restores import boot_s, rows, write, write_and_archive
from tests.twin.twins import QUICK, Twin, server, twin, wait_for

pytestmark = pytest.mark.twin


LIES: tuple[dict[str, Any], ...] = (
    {"server": "tail", "kind": "tail_missing", "service_s": 60},
    {"server": "shifted", "kind": "point_shifted", "wall_s": 1.5},
    {"server": "rows", "kind": "sql_on_copy", "database": "zep", "sql": "DELETE FROM written WHERE number = 2"},
    {"server": "rows", "kind": "sql_on_copy", "database": "zep",
     "sql": "UPDATE written SET number = 30 WHERE number = 3"},
    {"server": "routed", "kind": "routed_to_source"},
    {"server": "ahead", "kind": "ready_before_recovered", "service_s": 120},
    {"server": "third", "kind": "answer_dropped_after_commit", "every": 3},
    {"server": "second", "kind": "answer_dropped_after_commit", "statement": 2},
    {"server": "reads", "kind": "answer_dropped_after_commit", "statement": 2},
)  # fmt: skip


@pytest.fixture(scope="module")
def cloud() -> Iterator[Twin]:
    """One twin that tells each lie about a server of its own."""
    sources = [server(name) for name in {lie["server"]: None for lie in LIES}]
    with twin({**QUICK, "archive_every_s": 360_000, "servers": sources, "lies": LIES}) as running:
        yield running


def test_the_tail_is_missing(cloud: Twin) -> None:
    write_and_archive(cloud, "tail", 1)
    time.sleep(1.5)
    write_and_archive(cloud, "tail", 2)
    disaster = boot_s()
    cloud.restore("tail", "tail-copy")

    assert rows(cloud, "tail-copy") == [1]
    assert cloud.truth("tail", "tail-copy", disaster)["lost_s"] > 0
    assert cloud.truth("tail", "tail-copy", disaster)["exposed_s"] == 0


def test_the_point_is_shifted_to_a_later_one(cloud: Twin) -> None:
    write(cloud, "shifted", 1)
    time.sleep(0.1)
    poller = cloud.begin_restore("shifted", "shifted-copy", datetime.now(UTC))
    write(cloud, "shifted", 2)
    time.sleep(2)
    write(cloud, "shifted", 3)
    poller.result()
    cloud.let_in("shifted-copy")

    assert rows(cloud, "shifted-copy") == [1, 2]


def test_a_row_is_missing_and_another_rewritten_on_the_copy(cloud: Twin) -> None:
    for number in (1, 2, 3):
        write_and_archive(cloud, "rows", number)
    disaster = boot_s()
    cloud.restore("rows", "rows-copy")

    assert rows(cloud, "rows-copy") == [1, 30]
    lied = cloud.truth("rows", "rows-copy", disaster)["lies"]
    assert [(lie["event"], lie["rows"]) for lie in lied] == [("lied_on_copy", 1), ("lied_on_copy", 1)]


def test_the_name_of_the_copy_leads_to_the_source(cloud: Twin) -> None:
    cloud.restore("routed", "routed-copy")
    cloud.let_in("routed")
    with cloud.connect("routed-copy") as session:
        session.execute("CREATE DATABASE nonce")
    with cloud.connect("routed") as session:
        assert session.execute("SELECT count(*) FROM pg_database WHERE datname = 'nonce'").fetchone() == (1,)
    assert cloud.truth("routed", "routed-copy", boot_s())["service_back_boot_s"] is None


def test_the_operation_succeeds_before_postgresql_has_recovered(cloud: Twin) -> None:
    cloud.restore("ahead", "ahead-copy")
    assert not cloud.events("recovered", server="ahead-copy")
    with pytest.raises(psycopg.OperationalError, match=r"starting up|not yet accepting|reset|closed"):
        cloud.connect("ahead-copy")

    def takes_writes() -> bool:
        try:
            cloud.connect("ahead-copy").close()
        except psycopg.OperationalError:
            return False
        return True

    wait_for(takes_writes, what="the end of the recovery")
    shown = cloud.events("address_shown", server="ahead-copy")[0]["boot_s"]
    recovered = cloud.events("recovered", server="ahead-copy")[0]["boot_s"]
    assert recovered - shown >= 120 / 60
    assert cloud.truth("ahead", "ahead-copy", boot_s())["service_back_boot_s"] == pytest.approx(recovered)


def test_the_answer_to_every_third_committed_write_is_lost(cloud: Twin) -> None:
    write(cloud, "third", 1)
    cloud.let_in("third")

    outcomes = [insert_says_done(cloud, "third", number) for number in range(10, 16)]

    assert outcomes == [True, True, False, True, True, False]
    with cloud.superuser("third", "zep") as session:
        assert session.execute("SELECT count(*) FROM written WHERE number >= 10").fetchone() == (6,)


def test_the_answer_to_one_chosen_write_is_lost(cloud: Twin) -> None:
    write(cloud, "second", 1)
    cloud.let_in("second")

    assert [insert_says_done(cloud, "second", number) for number in (10, 11, 12)] == [True, False, True]


def test_reads_and_failed_writes_are_not_counted_as_committed(cloud: Twin) -> None:
    write(cloud, "reads", 1)
    cloud.let_in("reads")
    with cloud.connect("reads", autocommit=False) as session:
        session.execute("INSERT INTO written VALUES (20)")
        session.execute("SELECT 1")
        session.commit()
        with pytest.raises(psycopg.errors.UndefinedTable):
            session.execute("INSERT INTO unwritten VALUES (21)")
        session.rollback()
        session.execute("INSERT INTO written VALUES (22)")
        with pytest.raises(psycopg.OperationalError):
            session.commit()


def insert_says_done(cloud: Twin, name: str, number: int) -> bool:
    """Whether a client that commits one row is told so."""
    session = cloud.connect(name)
    try:
        session.execute("INSERT INTO written VALUES (%s)", [number])
    except psycopg.OperationalError:
        return False
    finally:
        session.close()
    return True
