"""Is this server ours? Ownership is in the name, so that it can be proven without any record.

    drl-<10 base32 characters of the run id's SHA-256>-<expiry, yymmddhhmm UTC>-<leg>

A name is journaled before it is sent anywhere. Tags may inform; they never authorise.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime

_NAME = re.compile(r"drl-(?P<run>[a-z2-7]{10})-(?P<expiry>\d{10})-(?P<leg>[a-z0-9]+)")
_EXPIRY = "%y%m%d%H%M"


@dataclass(frozen=True, slots=True)
class DrillName:
    """A server's name that this software gave."""

    run: str
    expires: datetime
    leg: str

    def __str__(self) -> str:
        """Spell it as the server is named."""
        return f"drl-{self.run}-{self.expires:{_EXPIRY}}-{self.leg}"


def name_for(run_id: str, *, expires: datetime, leg: str) -> DrillName:
    """Name a server of a run; `expires` is cut to the minute, in UTC."""
    digest = hashlib.sha256(run_id.encode()).digest()
    run = base64.b32encode(digest).decode().lower()[:10]
    return DrillName(run=run, expires=expires.astimezone(UTC).replace(second=0, microsecond=0), leg=leg)


def parse(name: str) -> DrillName | None:
    """Read a name of ours, or None if it is somebody else's."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    try:
        expires = datetime.strptime(match["expiry"], _EXPIRY).replace(tzinfo=UTC)
    except ValueError:
        return None
    return DrillName(run=match["run"], expires=expires, leg=match["leg"])
