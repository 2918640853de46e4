"""Where does a drill run? The few settings in which Azure and the local twin differ, and nothing else.

The engine knows a target by where ARM answers, who may ask, which certificates count and how a name becomes an
address. Each is used in one place: `azure.client`, `azure.credentials`, `observe.connections` twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Application:
    """An application's credential at an authority: how the drill proves who it is to ARM."""

    authority: str
    tenant_id: str
    client_id: str
    client_secret: str

    def __repr__(self) -> str:
        """Show everything but the secret, which belongs in no log."""
        return f"Application(authority={self.authority!r}, client_id={self.client_id!r})"


@dataclass(frozen=True, slots=True)
class Target:
    """Everything that differs between Azure and the twin.

    `ca_file` holds the roots that both ARM and PostgreSQL are verified with; `names_url` answers what DNS
    would; `time_scale` is how many seconds of the service pass in one of ours.
    """

    kind: str
    arm_endpoint: str
    subscription_id: str
    application: Application
    ca_file: Path
    names_url: str
    time_scale: float


@dataclass(frozen=True, slots=True)
class SourceServer:
    """The server whose loss is drilled, where copies of it may be made, and how it is logged in to."""

    name: str
    resource_group: str
    drill_resource_group: str
    user: str
    password: str
    database: str
    port: int
    allow_from: tuple[str, ...]

    def __repr__(self) -> str:
        """Show everything but the password, which belongs in no log."""
        return f"SourceServer(name={self.name!r}, resource_group={self.resource_group!r}, user={self.user!r})"
