"""Does each lie of the twin do to its client what it says?"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from tests.twin.test_restores import boot_s, write, write_and_archive
from tests.twin.twins import QUICK, Twin, server, twin, wait_for

pytestmark = pytest.mark.twin


def liar(*lies: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The configuration of a twin with one source and these lies."""
    return {**QUICK, "archive_every_s": 360_000, "servers": [server("prod")], "lies": list(lies), **more}


def copied_rows(cloud: Twin) -> list[int]:
    """The numbers in the table of the copy."""
    with cloud.connect("copied") as session:
        return [
            number for (number,) in session.execute("SELECT number FROM written ORDER BY number").fetchall()
        ]


def test_the_tail_is_missing() -> None:
    with twin(liar({"kind": "tail_missing", "service_s": 60})) as cloud:
        write_and_archive(cloud, "prod", 1)
        time.sleep(1.5)
        write_and_archive(cloud, "prod", 2)
        disaster = boot_s()
        cloud.restore("prod", "copied")

        assert copied_rows(cloud) == [1]
        assert cloud.truth("prod", "copied", disaster)["lost_s"] > 0
        assert cloud.truth("prod", "copied", disaster)["exposed_s"] == 0


def test_the_point_is_shifted_to_a_later_one() -> None:
    with twin(liar({"kind": "point_shifted", "wall_s": 1.5})) as cloud:
        write(cloud, "prod", 1)
        time.sleep(0.1)
        point = datetime.now(UTC)
        poller = cloud.begin_restore("prod", "copied", point)
        write(cloud, "prod", 2)
        time.sleep(2)
        write(cloud, "prod", 3)
        poller.result()
        cloud.let_in("copied")

        assert copied_rows(cloud) == [1, 2]


def test_a_row_is_missing_and_another_rewritten_on_the_copy() -> None:
    lies = (
        {"kind": "sql_on_copy", "database": "zep", "sql": "DELETE FROM written WHERE number = 2"},
        {"kind": "sql_on_copy", "database": "zep", "sql": "UPDATE written SET number = 30 WHERE number = 3"},
    )
    with twin(liar(*lies)) as cloud:
        for number in (1, 2, 3):
            write_and_archive(cloud, "prod", number)
        disaster = boot_s()
        cloud.restore("prod", "copied")

        assert copied_rows(cloud) == [1, 30]
        lied = cloud.truth("prod", "copied", disaster)["lies"]
        assert [(lie["event"], lie["rows"]) for lie in lied] == [("lied_on_copy", 1), ("lied_on_copy", 1)]


def test_the_name_of_the_copy_leads_to_the_source() -> None:
    with twin(liar({"kind": "routed_to_source"})) as cloud:
        cloud.restore("prod", "copied")
        cloud.let_in("prod")
        with cloud.connect("copied") as session:
            session.execute("CREATE TABLE nonce (n int)")
        with cloud.connect("prod") as session:
            assert session.execute("SELECT to_regclass('nonce')").fetchone() == ("nonce",)
        assert cloud.truth("prod", "copied", boot_s())["service_back_boot_s"] is None


def test_the_operation_succeeds_before_postgresql_has_recovered() -> None:
    with twin(liar({"kind": "ready_before_recovered", "service_s": 120})) as cloud:
        cloud.restore("prod", "copied")
        assert not cloud.events("recovered", server="copied")
        with pytest.raises(psycopg.OperationalError, match=r"starting up|not yet accepting|reset|closed"):
            cloud.connect("copied")

        def takes_writes() -> bool:
            try:
                with cloud.connect("copied") as session:
                    session.execute("CREATE TABLE IF NOT EXISTS proof (n int)")
            except psycopg.OperationalError:
                return False
            return True

        wait_for(takes_writes, what="the end of the recovery")
        shown = cloud.events("address_shown", server="copied")[0]["boot_s"]
        recovered = cloud.events("recovered", server="copied")[0]["boot_s"]
        assert recovered - shown >= 120 / 60
        truth = cloud.truth("prod", "copied", boot_s())
        assert truth["service_back_boot_s"] == pytest.approx(recovered)


def test_the_answer_to_every_third_committed_write_is_lost() -> None:
    with twin(liar({"kind": "answer_dropped_after_commit", "every": 3, "server": "prod"})) as cloud:
        write(cloud, "prod", 1)
        cloud.let_in("prod")
        outcomes = [insert_says_done(cloud, number) for number in range(10, 16)]

        assert outcomes == [True, True, False, True, True, False]
        with cloud.superuser("prod", "zep") as session:
            assert session.execute("SELECT count(*) FROM written WHERE number >= 10").fetchone() == (6,)


def test_the_answer_to_one_chosen_write_is_lost() -> None:
    with twin(liar({"kind": "answer_dropped_after_commit", "statement": 2})) as cloud:
        write(cloud, "prod", 1)
        cloud.let_in("prod")
        assert [insert_says_done(cloud, number) for number in (10, 11, 12)] == [True, False, True]


def test_reads_and_failed_writes_are_not_counted_as_committed() -> None:
    with twin(liar({"kind": "answer_dropped_after_commit", "statement": 2})) as cloud:
        write(cloud, "prod", 1)
        cloud.let_in("prod")
        with cloud.connect("prod", autocommit=False) as session:
            session.execute("INSERT INTO written VALUES (20)")
            session.execute("SELECT 1")
            session.commit()
            with pytest.raises(psycopg.errors.UndefinedTable):
                session.execute("INSERT INTO unwritten VALUES (21)")
            session.rollback()
            session.execute("INSERT INTO written VALUES (22)")
            with pytest.raises(psycopg.OperationalError):
                session.commit()


def insert_says_done(cloud: Twin, number: int) -> bool:
    """Whether a client that commits one row is told so."""
    session = cloud.connect("prod")
    try:
        session.execute("INSERT INTO written VALUES (%s)", [number])
    except psycopg.OperationalError:
        return False
    finally:
        session.close()
    return True
