"""What do answers look like on the wire?

Shapes, spellings and time formats are those of recorded traffic (azure-cli's tests, 2024-11 to 2026-06). Nothing is
ever null: what is not known is absent. `createMode`, `pointInTimeUTC` and the password never come back.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from drills.twin.operations import Operation
    from drills.twin.server import FirewallRule, Server

PROVIDER = "Microsoft.DBforPostgreSQL"
SERVER_TYPE = f"{PROVIDER}/flexibleServers"
RULE_TYPE = f"{SERVER_TYPE}/firewallRules"

# Premium SSD: provisioned tier and operations a second by size in GB (capabilities example of the API description).
_STORAGE_TIERS: Mapping[int, tuple[str, int]] = {
    32: ("P4", 120), 64: ("P6", 240), 128: ("P10", 500), 256: ("P15", 1100), 512: ("P20", 2300),
    1024: ("P30", 5000), 2048: ("P40", 7500), 4096: ("P50", 7500), 8192: ("P60", 16000), 16384: ("P70", 18000),
}  # fmt: skip


class Refusal(Exception):
    """The service says no. `status` is the HTTP status where the refusal answers the request itself.

    Raised inside an operation, it makes the operation end as Failed with the same code and message; HTTP is 200 then.
    """

    def __init__(self, status: int, code: str, message: str, *, cause: str | None = "service") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.cause = cause

    @classmethod
    def internal_error(cls) -> Refusal:
        """The service's answer to its own faults; the misspelling is the service's."""
        words = f"An unexpected error occured while processing the request. Tracking ID: '{uuid.uuid4()}'"
        return cls(500, "InternalServerError", words)

    def body(self) -> dict[str, Any]:
        """The error document."""
        return {"error": {"code": self.code, "message": self.message}}


def is_storage_size(size_gb: int) -> bool:
    """Whether Premium SSD comes in that size."""
    return size_gb in _STORAGE_TIERS


def server_body(server: Server, at: datetime) -> dict[str, Any]:
    """A server as GET and the lists show it at that time."""
    body: dict[str, Any] = {
        "sku": {"name": server.sku_name, "tier": server.sku_tier},
        "systemData": {"createdAt": seven_decimals(server.created_at) + "Z"},
        "properties": _server_properties(server, at),
        "location": server.location,
        "id": server.identifier,
        "name": server.name,
        "type": SERVER_TYPE,
    }
    if server.tags:
        body["tags"] = dict(server.tags)
    return body


def _server_properties(server: Server, at: datetime) -> dict[str, Any]:
    tier, iops = _STORAGE_TIERS[server.storage_gb]
    properties: dict[str, Any] = {
        "dataEncryption": {"type": "SystemManaged"},
        "replica": {"role": "Primary", "capacity": 5},
        "storage": {
            "type": "", "iops": iops, "tier": tier, "storageSizeGB": server.storage_gb, "autoGrow": server.auto_grow,
        },
        "network": {"publicNetworkAccess": server.public_access},
        "privateEndpointConnections": [],
        "authConfig": {"activeDirectoryAuth": "Disabled", "passwordAuth": "Enabled"},
        "version": server.version,
        "minorVersion": server.minor_version,
        "administratorLogin": server.administrator,
        "state": server.state.value,
        "availabilityZone": server.zone,
        "backup": {"backupRetentionDays": server.retention_days, "geoRedundantBackup": "Disabled"},
        "highAvailability": {"mode": "Disabled", "state": "NotEnabled"},
        "maintenanceWindow": {"customWindow": "Disabled", "dayOfWeek": 0, "startHour": 0, "startMinute": 0},
        "replicationRole": "Primary",
        "replicaCapacity": 5,
    }  # fmt: skip
    if server.fqdn_shown:
        properties["fullyQualifiedDomainName"] = server.fqdn
    earliest = server.earliest_restore(at)
    if earliest is not None:
        properties["backup"]["earliestRestoreDate"] = seven_decimals(earliest) + "+00:00"
    return properties


def rule_body(server: Server, rule: FirewallRule) -> dict[str, Any]:
    """One firewall rule."""
    return {
        "properties": {"startIpAddress": str(rule.start), "endIpAddress": str(rule.end)},
        "id": f"{server.identifier}/firewallRules/{rule.name}",
        "name": rule.name,
        "type": RULE_TYPE,
    }


def accepted_body(operation: Operation) -> dict[str, Any]:
    """The 202 that answers every mutation."""
    return {"operation": operation.kind.value.name, "startTime": three_decimals(operation.began.utc)}


def operation_body(operation: Operation) -> dict[str, Any]:
    """The status document."""
    body: dict[str, Any] = {
        "name": operation.identifier,
        "status": operation.status.value,
        "startTime": three_decimals(operation.began.utc),
    }
    if operation.refusal is not None:
        body |= operation.refusal.body()
    return body


def seven_decimals(time: datetime) -> str:
    """As the service writes times in resources: always seven decimals; the offset is the caller's."""
    return f"{time:%Y-%m-%dT%H:%M:%S.%f}0"


def three_decimals(time: datetime) -> str:
    """As the service writes times in operations: up to three decimals, without trailing zeros."""
    decimals = f"{time.microsecond // 1000:03}".rstrip("0")
    return f"{time:%Y-%m-%dT%H:%M:%S}" + (f".{decimals}" if decimals else "") + "Z"
