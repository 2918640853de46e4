"""Does a twin end when it should, and leave nothing?"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.twin.twins import QUICK, server, start, twin, wait_for

pytestmark = pytest.mark.twin

# A parent that starts a twin, says what the twin said, and waits to be killed.
PARENT = """
import subprocess, sys, time
twin = subprocess.Popen([sys.executable, "-m", "drills.twin", "--config", sys.argv[1]],
                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
print(twin.pid, twin.stdout.readline(), flush=True)
time.sleep(600)
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "twin.json"
    file.write_text(json.dumps({**QUICK, "servers": [server("prod", traffic="busy")]}))
    return file


def processes_of(state: str) -> list[int]:
    """The PostgreSQL servers that work in a twin's folder, and whatever else names it."""
    return [int(folder.name) for folder in Path("/proc").glob("[0-9]*") if state in _read(folder / "cmdline")]


def is_gone(pid: int) -> bool:
    """Whether a process has ended, even if nobody has asked for its exit status yet."""
    said = _read(Path(f"/proc/{pid}/stat"))
    return said == "" or said.rpartition(") ")[2].startswith("Z")


def _read(file: Path) -> str:
    try:
        return file.read_text(errors="replace")
    except OSError:
        return ""


def test_when_the_parent_is_killed_everything_ends(config: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, config], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid, _, said = parent.stdout.readline().partition(" ")
        state = json.loads(said)["state"]
        family = [int(pid), *processes_of(state)]
        assert len(family) >= 2
        parent.kill()

    wait_for(lambda: all(map(is_gone, family)), what="the twin and its servers to end")
    wait_for(lambda: not Path(state).exists(), what="the folder to go")


def test_when_the_twin_is_killed_its_servers_end_and_the_next_one_clears_up(config: Path) -> None:
    process, handshake = started(config)
    servers = processes_of(handshake["state"])
    assert servers
    process.kill()

    wait_for(lambda: all(map(is_gone, servers)), what="the servers to end")
    finish(process)
    assert Path(handshake["state"]).exists()
    with twin(QUICK):
        assert not Path(handshake["state"]).exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_properly(config: Path, number: signal.Signals) -> None:
    process, handshake = started(config)
    servers = processes_of(handshake["state"])
    os.kill(process.pid, number)

    assert process.wait(timeout=20) == 0
    assert all(map(is_gone, servers))
    assert not Path(handshake["state"]).exists()
    finish(process)


@pytest.mark.parametrize(("wrong", "said"), [
    ({"time_scle": 30}, "time_scle"),
    ({"time_scale": 600}, "time_scale: 600"),
    ({"servers": [{"name": "prod"}]}, "administrator_password"),
    ({"servers": [server("prod", traffic="bussy")]}, "traffic"),
    ({"servers": [server("prod", location="atlantis")]}, "atlantis"),
    ({"lies": [{"kind": "white_lie"}]}, "white_lie"),
    ({"lies": [{"kind": "tail_missing", "seconds": 3}]}, "service_s"),
    ({"lies": [{"kind": "answer_dropped_after_commit"}]}, "every"),
])  # fmt: skip
def test_a_configuration_that_cannot_be_is_refused_in_a_sentence(
    tmp_path: Path, wrong: dict[str, Any], said: str
) -> None:
    file = tmp_path / "wrong.json"
    file.write_text(json.dumps(wrong))

    ended = subprocess.run(
        [sys.executable, "-m", "drills.twin", "--config", file],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )

    assert ended.returncode == 2
    assert ended.stdout == ""
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


def test_two_servers_are_strangers_to_each_other() -> None:
    identity = "SELECT (pg_control_system()).system_identifier"
    with (
        twin({**QUICK, "servers": [server("one"), server("two", index="ivfflat")]}) as cloud,
        cloud.superuser("one") as one,
        cloud.superuser("two") as two,
    ):
        assert one.execute(identity).fetchone() != two.execute(identity).fetchone()


def started(config: Path) -> tuple[subprocess.Popen[str], dict[str, Any]]:
    """A twin that is ready."""
    process = start(config)
    assert process.stdout is not None
    handshake: dict[str, Any] = json.loads(process.stdout.readline())
    return process, handshake


def finish(process: subprocess.Popen[str]) -> None:
    """Close our ends of a twin that has ended."""
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
