"""Which code drilled? The version, and a hash over every source file that took part."""

from __future__ import annotations

import hashlib
from importlib import metadata
from pathlib import Path

_ROOT = Path(__file__).parent.parent
_PARTS = ("drills", "scenarios", "reports")


def code_version() -> str:
    """Give `<version>+<first 12 hex digits of the SHA-256 over the names and contents of all sources>`."""
    digest = hashlib.sha256()
    for part in _PARTS:
        for path in sorted((_ROOT / part).rglob("*.py")):
            digest.update(path.relative_to(_ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return f"{metadata.version('azure-postgres-drills')}+{digest.hexdigest()[:12]}"
