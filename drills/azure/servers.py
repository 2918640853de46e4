"""What can be asked of flexible servers, and what can be done to those that are ours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.mgmt.postgresqlflexibleservers.models import (
    FirewallRule,
    FirewallRuleProperties,
    Server,
    ServerProperties,
)

from drills.errors import ProviderError

if TYPE_CHECKING:
    from azure.mgmt.postgresqlflexibleservers import PostgreSQLManagementClient

    from drills.azure.operations import Caller, Operation


@dataclass(frozen=True, slots=True)
class ServerSeen:
    """A server as GET showed it; None where the answer left something out. Words are the service's own."""

    id: str
    name: str
    location: str
    state: str | None
    fqdn: str | None
    sku: str | None
    tier: str | None
    version: str | None
    storage_gb: int | None
    zone: str | None
    high_availability: str | None
    retention_days: int | None
    geo_redundant_backup: str | None
    created_at: str | None


class Servers:
    """The servers of one subscription."""

    def __init__(self, client: PostgreSQLManagementClient, caller: Caller) -> None:
        """Read by the client; change by the caller."""
        self._client = client
        self._caller = caller

    def get(self, group: str, name: str) -> ServerSeen | None:
        """Look at a server; None where there is none.

        Raises:
            ProviderError: the question was refused, or nothing came back.
        """
        try:
            return _seen(self._client.servers.get(group, name))
        except ResourceNotFoundError:
            return None
        except AzureError as problem:
            raise ProviderError(f"the server {name} could not be looked at: {problem.message}") from problem

    def names(self, group: str) -> tuple[str, ...]:
        """List the names of all servers in a group.

        Raises:
            ProviderError: the question was refused, or nothing came back.
        """
        try:
            return tuple(sorted(s.name or "" for s in self._client.servers.list_by_resource_group(group)))
        except AzureError as problem:
            raise ProviderError(f"the group {group} could not be listed: {problem.message}") from problem

    def restore(self, group: str, name: str, *, source: ServerSeen, point: datetime) -> Operation:
        """Ask for a new server that holds the source as it was at `point` (UTC)."""
        body = Server(
            location=source.location,
            properties=ServerProperties(
                create_mode="PointInTimeRestore",
                source_server_resource_id=source.id,
                point_in_time_utc=point,
            ),
        )
        begin = partial(self._client.servers.begin_create_or_update, group, name, body)
        return self._caller.send("restore to a point in time", name, begin)

    def open_to(self, group: str, name: str, *, rule: str, address: str) -> Operation:
        """Let one address through the server's firewall."""
        body = FirewallRule(
            properties=FirewallRuleProperties(start_ip_address=address, end_ip_address=address)
        )
        begin = partial(self._client.firewall_rules.begin_create_or_update, group, name, rule, body)
        return self._caller.send("firewall rule", name, begin)

    def delete(self, group: str, name: str) -> Operation:
        """Delete a server; one that is absent already is a success."""
        return self._caller.send("delete", name, partial(self._client.servers.begin_delete, group, name))


def _seen(server: Server) -> ServerSeen:
    """Read an answer without trust: the SDK accepts any type, and leaves out what is absent."""
    properties = server.properties
    sku, storage, backup = server.sku, properties and properties.storage, properties and properties.backup
    ha = properties and properties.high_availability
    created = server.system_data and server.system_data.created_at
    return ServerSeen(
        id=str(server.id),
        name=str(server.name),
        location=str(server.location),
        state=_text(properties and properties.state),
        fqdn=_text(properties and properties.fully_qualified_domain_name),
        sku=_text(sku and sku.name),
        tier=_text(sku and sku.tier),
        version=_text(properties and properties.version),
        storage_gb=storage.storage_size_gb if storage else None,
        zone=_text(properties and properties.availability_zone),
        high_availability=_text(ha and ha.mode),
        retention_days=backup.backup_retention_days if backup else None,
        geo_redundant_backup=_text(backup and backup.geo_redundant_backup),
        created_at=created.isoformat() if isinstance(created, datetime) else None,
    )


def _text(value: object) -> str | None:
    """A word of the service; enumerations carry theirs in `value`."""
    return None if value is None else str(getattr(value, "value", value))
