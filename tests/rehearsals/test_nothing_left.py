"""Is anything left of a rehearsal, however it ended? Processes (and with them ports), files, servers."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest

from drills.twin.template import cache_folder

ROOT = Path(__file__).parents[2]


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A folder for everything temporary, open to the account that PostgreSQL is dropped to."""
    folder = Path(tempfile.mkdtemp(prefix="left-behind-"))
    folder.chmod(0o755)
    for name in ("tmp", "cache"):
        (folder / name).mkdir(mode=0o755)
    for kept in cache_folder().iterdir():
        if kept.name != "twins":  # the clusters that twins copy may be shared; where they run may not
            (folder / "cache" / kept.name).symlink_to(kept)
    yield folder
    shutil.rmtree(folder)


def rehearse(scratch: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "drills", "rehearse", "-s", "pitr_restore:latest"]
    return subprocess.Popen(
        [*command, "--time-scale", "60", "--out", str(scratch / "runs")],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(scratch / "tmp"), "DRILLS_CACHE": str(scratch / "cache")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def processes_of(scratch: Path) -> list[str]:
    """Every process whose command line or environment names the folder, and so belongs to these rehearsals."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            said = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
        except OSError:
            continue  # it ended, or it is somebody else's
        if str(scratch).encode() in said:
            found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found


def wait_until_gone(scratch: Path, limit_s: float = 30.0) -> list[str]:
    end = monotonic() + limit_s
    while (left := processes_of(scratch)) and monotonic() < end:
        sleep(0.1)
    return left


def test_three_rehearsals_leave_nothing_behind_even_if_one_is_killed_and_one_is_interrupted(
    scratch: Path,
) -> None:
    honest, interrupted, killed = (rehearse(scratch) for _ in range(3))
    assert killed.stdout is not None
    assert interrupted.stdout is not None
    for line in killed.stdout:
        if "disaster" in line:  # a restore is under way: a source, a copy, two writers, a prober
            killed.send_signal(signal.SIGKILL)
            break
    for line in interrupted.stdout:
        if "disaster" in line:
            interrupted.send_signal(signal.SIGINT)
            break
    told, _ = honest.communicate(timeout=120)
    said, _ = interrupted.communicate(timeout=120)
    killed.communicate(timeout=120)

    assert wait_until_gone(scratch) == []
    assert list((scratch / "tmp").iterdir()) == []
    assert list((scratch / "cache" / "twins").iterdir()) == []
    assert honest.returncode in (0, 3), told
    assert interrupted.returncode in (1, 3), said
    assert "is deleted and no longer listed" in said
