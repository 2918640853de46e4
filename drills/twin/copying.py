"""How are clusters copied, as fast as the disk allows and without a doubt that the copy is complete?"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from drills.twin.privileges import Account, give, run_as_self


async def copy_cluster(source: Path, target: Path) -> None:
    """Copy a data directory or backup, owner and times and all, sharing blocks where the file system can.

    Raises:
        PostgresFailed: cp ended with an error.
    """
    await run_as_self(["cp", "-a", "--reflink=auto", source, target])


def copy_sharing(source: Path, target: Path, *, original: Path, account: Account) -> None:
    """Copy what has changed in `source` since it was copied from `original`, and link the rest from there.

    Only for a copy that nobody ever writes to, a backup: a linked file is the original itself. A file is unchanged if
    it still has the size and the time that it was copied with. Where the original lies on another file system,
    everything is copied.
    """
    for folder, _, names in os.walk(source):
        here = Path(folder).relative_to(source)
        (target / here).mkdir(mode=0o700)
        give(target / here, account)
        for name in names:
            if not _linked(source / here / name, target / here / name, original / here / name):
                shutil.copy2(source / here / name, target / here / name)
                give(target / here / name, account)


def remove_cluster(folder: Path) -> None:
    """Delete a folder of a server; what a dying process still deletes itself does not matter."""
    shutil.rmtree(folder, ignore_errors=True)


def _linked(file: Path, target: Path, original: Path) -> bool:
    try:
        now, then = file.stat(), original.stat()
        if (now.st_size, now.st_mtime_ns) != (then.st_size, then.st_mtime_ns):
            return False
        target.hardlink_to(original)
    except OSError:
        return False
    return True
