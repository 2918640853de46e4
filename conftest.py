"""What holds for every test: how much hypothesis tries, and that nothing is left behind when all have ended."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest
from hypothesis import settings

from drills.twin.template import cache_folder

settings.register_profile("quick", deadline=None, max_examples=100)
settings.register_profile("ci", deadline=None, max_examples=400, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "quick")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the session if a twin that a test killed left its folder or its servers behind."""
    if hasattr(session.config, "workerinput"):
        return  # other workers may still have theirs
    left = [folder for folder in (cache_folder() / "twins").glob("twin-*") if _dead(folder)]
    if left:
        print(f"\nleft behind by a twin that is gone: {', '.join(map(str, left))}")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _dead(folder: Path) -> bool:
    """A twin holds a lock in its folder for as long as it lives."""
    try:
        with (folder / "alive.lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.flock(lock, fcntl.LOCK_UN)
    except OSError:
        return False
    return True
