"""What is the twin told when it starts, and what is wrong with it?

The file is JSON. Every key is checked, an unknown one is an error that names it: a misspelt hardship that silently
does nothing would make a rehearsal prove less than it says.
"""

from __future__ import annotations

import json
import re
from dataclasses import MISSING, dataclass, field, fields
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_type_hints

from drills.twin import lies, zep
from drills.twin.errors import BadConfiguration
from drills.twin.locations import display_name
from drills.twin.responses import is_storage_size

LatestMeans = Literal["last_archived", "flushes_source"]
_SERVER_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{1,61}[a-z0-9])")
_LARGEST_SCALE = 60.0
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """A server that exists, with `zep` in it, before anybody asks: it looks `born_days_ago` days old."""

    name: str
    administrator_password: str
    resource_group: str = "twin"
    location: str = "eastus"
    zone: str = "1"
    sku: dict[str, str] = field(default_factory=lambda: {"name": "Standard_D2s_v3", "tier": "GeneralPurpose"})
    storage_gb: int = 128
    backup_retention_days: int = 7
    administrator_login: str = zep.OWNER
    tags: dict[str, str] = field(default_factory=dict)
    traffic: Literal["busy", "idle", "none"] = "idle"
    index: Literal["hnsw", "ivfflat"] = "hnsw"
    born_days_ago: float = 9.0
    allow_from: list[str] = field(default_factory=list)

    def check(self) -> None:
        """Refuse what the service could not have created."""
        _expect(
            bool(_SERVER_NAME.fullmatch(self.name)), "servers[].name", self.name, "3 to 63 of a-z, 0-9 and -"
        )
        _expect(
            display_name(self.location) is not None,
            "servers[].location",
            self.location,
            "a region, as 'eastus'",
        )
        _expect(is_storage_size(self.storage_gb), "servers[].storage_gb", self.storage_gb, "32, 64, 128, ...")
        _expect(7 <= self.backup_retention_days <= 35, "servers[].backup_retention_days", self.backup_retention_days,
                "7 to 35")  # fmt: skip
        _expect(set(self.sku) == {"name", "tier"}, "servers[].sku", self.sku, '{"name": ..., "tier": ...}')
        _expect(self.born_days_ago >= 0, "servers[].born_days_ago", self.born_days_ago, "days, 0 or more")
        for address in self.allow_from:
            _expect(_is_address(address), "servers[].allow_from", address, "an IPv4 address")


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that one start of the twin depends on."""

    time_scale: float = 30.0
    seed: int = 1
    operation_durations: Literal["drawn", "off"] = "drawn"
    recorded_tail: bool = False
    latest_means: LatestMeans = "last_archived"
    archive_every_s: float = 300.0
    servers: tuple[ServerConfig, ...] = ()
    lies: lies.Lies = field(default_factory=lies.Lies)

    def check(self) -> None:
        """Refuse values outside the twin's range."""
        _expect(
            1 <= self.time_scale <= _LARGEST_SCALE, "time_scale", self.time_scale, f"1 to {_LARGEST_SCALE:g}"
        )
        _expect(
            self.archive_every_s > 0, "archive_every_s", self.archive_every_s, "service seconds, more than 0"
        )
        names = [server.name for server in self.servers]
        _expect(len(names) == len(set(names)), "servers[].name", names, "names that differ")


def read(file: Path) -> Config:
    """Read and check a configuration file.

    Raises:
        BadConfiguration: the file is not there, is not JSON, or holds something impossible.
    """
    try:
        content = json.loads(file.read_text())
    except (OSError, ValueError) as wrong:
        raise BadConfiguration(f"{file}: {wrong}") from wrong
    return parse(content)


def parse(content: Any) -> Config:
    """Check a configuration that was already read from JSON."""
    if not isinstance(content, dict):
        raise BadConfiguration(f"the configuration is a JSON object, not {type(content).__name__}")
    values = dict(content)
    servers = tuple(
        _build(ServerConfig, entry, "servers[]") for entry in _list(values.pop("servers", []), "servers")
    )
    told = lies.parse(_list(values.pop("lies", []), "lies"))
    config = _build(Config, values | {"servers": servers, "lies": told}, "the configuration")
    for server in servers:
        server.check()
    config.check()
    return config


def _list(value: Any, where: str) -> list[dict[str, Any]]:
    _expect(isinstance(value, list) and all(isinstance(entry, dict) for entry in value), where, value,
            "a list of objects")  # fmt: skip
    return list(value)


def _build(kind: type[_T], values: Any, where: str) -> _T:
    known = {entry.name: entry for entry in fields(kind)}  # type: ignore[arg-type]  # always one of the two above
    for key in values:
        _expect(key in known, where, key, f"one of {', '.join(known)}")
    for name, entry in known.items():
        optional = entry.default is not MISSING or entry.default_factory is not MISSING
        _expect(optional or name in values, where, name, "present")
    hints = get_type_hints(kind)
    for key, value in values.items():
        _check_type(f"{where}.{key}", hints[key], value)
    return kind(**values)


def _check_type(where: str, wanted: Any, value: Any) -> None:
    if choices := [choice for choice in get_args(wanted) if isinstance(choice, str)]:
        _expect(value in choices, where, value, f"one of {', '.join(choices)}")
    elif wanted is float:
        _expect(isinstance(value, int | float) and not isinstance(value, bool), where, value, "a number")
    elif wanted in (int, str, bool):
        _expect(type(value) is wanted, where, value, wanted.__name__)
    elif wanted == list[str]:
        _expect(isinstance(value, list) and all(isinstance(entry, str) for entry in value), where, value,
                "a list of strings")  # fmt: skip
    elif wanted == dict[str, str]:
        _expect(isinstance(value, dict) and all(isinstance(entry, str) for entry in value.values()), where, value,
                "an object of strings")  # fmt: skip


def _is_address(text: str) -> bool:
    try:
        IPv4Address(text)
    except ValueError:
        return False
    return True


def _expect(holds: bool, where: str, seen: object, wanted: str) -> None:
    if not holds:
        raise BadConfiguration(f"{where}: {seen!r} is not accepted\nHINT: {wanted}")
