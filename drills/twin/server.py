"""What does the control plane know about one server?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from ipaddress import IPv4Address

from drills.twin.cluster import Cluster
from drills.twin.gateway import Address
from drills.twin.operations import Operation, Status
from drills.twin.responses import PROVIDER

DOMAIN = "postgres.twin.test"


class State(Enum):
    """The states that this service's servers pass through."""

    PROVISIONING = "Provisioning"
    READY = "Ready"
    DROPPING = "Dropping"


@dataclass(frozen=True, slots=True)
class FirewallRule:
    """Addresses that are let in, both ends included."""

    name: str
    start: IPv4Address
    end: IPv4Address

    def admits(self, peer: IPv4Address) -> bool:
        """Whether a client with this address may come in."""
        return self.start <= peer <= self.end


@dataclass(slots=True)
class Server:
    """A server as the control plane knows it."""

    subscription: str
    group: str
    name: str
    location: str
    zone: str
    sku_name: str
    sku_tier: str
    storage_gb: int
    auto_grow: str
    retention_days: int
    version: str
    minor_version: str
    administrator: str
    public_access: str
    tags: Mapping[str, str]
    created_at: datetime
    state: State = State.PROVISIONING
    fqdn_shown: bool = False
    first_backup: datetime | None = None
    rules: dict[str, FirewallRule] = field(default_factory=dict)
    operation: Operation | None = None
    cluster: Cluster | None = None
    address: Address | None = None
    routed_to: Cluster | None = None

    @property
    def identifier(self) -> str:
        """The resource id."""
        return (
            f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"
            f"/providers/{PROVIDER}/flexibleServers/{self.name}"
        )

    @property
    def fqdn(self) -> str:
        """The name under which clients reach it."""
        return f"{self.name}.{DOMAIN}"

    @property
    def busy(self) -> bool:
        """Whether an operation on it has not ended."""
        return self.operation is not None and self.operation.status is Status.IN_PROGRESS

    def earliest_restore(self, at: datetime) -> datetime | None:
        """The oldest point that backups still reach; None before the first backup."""
        if self.first_backup is None:
            return None
        return max(self.first_backup, at - timedelta(days=self.retention_days))

    def admits(self, peer: IPv4Address) -> bool:
        """Whether some rule lets this client in."""
        return any(rule.admits(peer) for rule in self.rules.values())

    def port(self) -> int | None:
        """Where the address leads now; None while nothing answers there."""
        return self.routed_to.postgres.port if self.routed_to and self.routed_to.postgres.running else None
