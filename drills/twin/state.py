"""Where does a running twin keep its files, and who removes them if it was killed?

Each twin holds a lock on a file in its folder for as long as it lives; the kernel lets go of it with the process.
So a folder whose lock is free belongs to a dead twin, and the next twin to start removes it. The folders lie beside
the cached template, on the same file system, so that one which can share blocks between copies does.
"""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

_FOLDER = "twins"
_LOCK = "alive.lock"
_GUARD = "twins.lock"


class State:
    """The folder of this twin, locked until the process ends."""

    def __init__(self, cache: Path) -> None:
        home = cache / _FOLDER
        home.mkdir(exist_ok=True, mode=0o755)
        with _alone(cache):
            self.folder = Path(tempfile.mkdtemp(prefix="twin-", dir=home))
            self.folder.chmod(0o755)  # PostgreSQL's account has to pass through it
            self._lock = _lock(self.folder)

    def remove(self) -> None:
        """Delete the folder with everything in it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._lock is not None:
            self._lock.close()


def remove_abandoned(cache: Path) -> list[Path]:
    """Delete the folders of twins that are dead; return what was deleted."""
    removed = []
    with _alone(cache):
        for folder in (cache / _FOLDER).glob("twin-*"):
            lock = _lock(folder)
            if lock is not None:
                shutil.rmtree(folder, ignore_errors=True)
                lock.close()
                removed.append(folder)
    return removed


@contextmanager
def _alone(cache: Path) -> Iterator[None]:
    """Between making a folder and locking it, no other twin may take it for a dead one's."""
    with (cache / _GUARD).open("ab") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        yield


def _lock(folder: Path) -> IO[bytes] | None:
    """The lock on a folder, or None if somebody else holds it or the folder is not ours."""
    try:
        file = (folder / _LOCK).open("ab")
    except OSError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file
