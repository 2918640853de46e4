"""As whom do PostgreSQL's programs run, and what ends them when the twin is gone?

PostgreSQL refuses to run as root, so under root its programs run as `postgres`, or `nobody` where that account does
not exist. The kernel ends each server when its parent dies, even if the parent was killed: the wish is expressed
after the change of user, because a change of credentials clears it, and servers are started from the main thread,
because it is bound to the thread that started them (prctl(2), PR_SET_PDEATHSIG).
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import pwd
import signal
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from drills.twin.errors import PostgresFailed

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True, slots=True)
class Account:
    """The account that owns PostgreSQL's files and runs its programs."""

    uid: int
    gid: int
    is_other: bool

    @property
    def user(self) -> int | None:
        """The user to change to, None for the caller's own."""
        return self.uid if self.is_other else None

    @property
    def group(self) -> int | None:
        """The group to change to, None for the caller's own."""
        return self.gid if self.is_other else None

    @property
    def other_groups(self) -> list[int] | None:
        """Further groups: none of another account, None for the caller's own."""
        return [] if self.is_other else None


def postgres_account() -> Account:
    """The caller's own account; under root the first of `postgres` and `nobody` that exists."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), is_other=False)
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid, is_other=True)
    raise PostgresFailed("PostgreSQL does not run as root, and neither 'postgres' nor 'nobody' exists here")


def give(path: Path, account: Account) -> None:
    """Hand a file or folder to the account; nothing to do where the twin is not root."""
    if account.is_other:
        os.chown(path, account.uid, account.gid)


def start_server(command: Sequence[str | Path], account: Account, log: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start a program that must not outlive this process. Call it from the main thread only."""
    return subprocess.Popen(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        cwd="/",
        env=_ENVIRONMENT,
        start_new_session=True,
        preexec_fn=_end_with(os.getpid()),  # noqa: PLW1509  # one call of the kernel, bound before the fork
        user=account.user,
        group=account.group,
        extra_groups=account.other_groups,
    )


async def run(command: Sequence[str | Path], account: Account, *, may_fail: bool = False) -> str:
    """Run a program to its end and return what it printed.

    Raises:
        PostgresFailed: it ended with another status than 0, and may not.
    """
    process = await asyncio.create_subprocess_exec(
        *[str(part) for part in command],
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd="/",
        env=_ENVIRONMENT,
        preexec_fn=_end_with(os.getpid()),
        user=account.user,
        group=account.group,
        extra_groups=account.other_groups,
    )
    try:
        printed, _ = await process.communicate()
    except asyncio.CancelledError:  # whoever waited has given up: nothing may go on writing behind his back
        process.kill()
        await process.wait()
        raise
    if process.returncode != 0 and not may_fail:
        raise PostgresFailed(f"{Path(command[0]).name} ended with {process.returncode}: {_tail(printed)}")
    return printed.decode(errors="replace")


async def run_as_self(command: Sequence[str | Path], *, may_fail: bool = False) -> str:
    """Run a program with the twin's own rights: cp, or one that only reads."""
    return await run(command, Account(os.geteuid(), os.getegid(), is_other=False), may_fail=may_fail)


def _end_with(parent: int) -> Callable[[], None]:
    def in_child() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)
        if os.getppid() != parent:
            os._exit(1)

    return in_child


def _tail(printed: bytes) -> str:
    return printed[-800:].decode(errors="replace").strip()
