"""What does a client ask for when it puts a server?

One PUT creates, restores and more; `createMode` tells which. Enumerations are compared without regard to case, as the
service does (azure-cli's tests). A text that is no time is no validation error on the service but an operation that
fails (terraform-provider-azurerm #18082), so such a point is kept as None here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import AddressValueError, IPv4Address
from typing import Any

from drills.twin.locations import display_name
from drills.twin.responses import Refusal, is_storage_size

_EDITIONS = {"burstable": "standard_b", "generalpurpose": "standard_d", "memoryoptimized": "standard_e"}


@dataclass(frozen=True, slots=True)
class CreateRequest:
    """A new, empty server."""

    location: str
    sku_name: str
    sku_tier: str
    storage_gb: int
    auto_grow: str
    retention_days: int
    version: str
    administrator: str
    password: str
    zone: str | None
    public_access: str
    tags: Mapping[str, str]
    wants_ha: bool

    @property
    def edition_fits(self) -> bool:
        """Whether the SKU belongs to the tier that was named."""
        prefix = _EDITIONS.get(self.sku_tier.lower())
        return prefix is not None and self.sku_name.lower().startswith(prefix)

    @property
    def burstable(self) -> bool:
        """Whether the tier is the one without high availability."""
        return self.sku_tier.lower() == "burstable"


@dataclass(frozen=True, slots=True)
class RestoreRequest:
    """A new server from a source's backups; no point means that the text was no time."""

    location: str
    source: str
    point: datetime | None
    zone: str | None
    public_access: str


def parse_server(body: Any) -> CreateRequest | RestoreRequest:
    """Read the body of a PUT of a server.

    Raises:
        Refusal: something needed is missing, or the twin's service does not offer it.
    """
    if not isinstance(body, dict):
        raise _invalid(
            "The request content was invalid and could not be deserialized.", code="InvalidRequestContent"
        )
    properties = _object(body, "properties")
    location = display_name(str(body.get("location", "")))
    if location is None:
        raise Refusal(400, "LocationNotAvailableForResourceType", "The provided location is not available for "
                      "resource type 'Microsoft.DBforPostgreSQL/flexibleServers'.", cause="gateway")  # fmt: skip
    if str(_object(properties, "backup").get("geoRedundantBackup", "Disabled")).lower() == "enabled":
        raise _invalid("Geo-redundant backup is not supported in this region.", code="GeoBackupNotSupported")
    mode = str(properties.get("createMode", "Default")).lower()
    if mode == "pointintimerestore":
        return _parse_restore(location, properties)
    if mode in ("create", "default"):
        return _parse_create(location, body, properties)
    raise _invalid(f"The create mode '{properties['createMode']}' is not available.")


def parse_rule(body: Any) -> tuple[IPv4Address, IPv4Address]:
    """Read the body of a PUT of a firewall rule: first and last address.

    Raises:
        Refusal: an address is missing or none, or the last lies before the first.
    """
    properties = _object(body if isinstance(body, dict) else {}, "properties")
    try:
        start, end = (IPv4Address(str(properties.get(key))) for key in ("startIpAddress", "endIpAddress"))
    except AddressValueError as wrong:
        raise _invalid(f"Invalid value given for an IP address: {wrong}") from wrong
    if end < start:
        raise _invalid("Invalid value given for parameter endIpAddress. Specify a valid parameter value.")
    return start, end


def _parse_restore(location: str, properties: dict[str, Any]) -> RestoreRequest:
    for needed in ("sourceServerResourceId", "pointInTimeUTC"):
        if not properties.get(needed):
            raise Refusal(400, "MissingRequiredParameter", f"Required parameter '{needed}' is missing.")
    return RestoreRequest(
        location=location,
        source=str(properties["sourceServerResourceId"]),
        point=_time(str(properties["pointInTimeUTC"])),
        zone=_text(properties, "availabilityZone"),
        public_access=_public_access(properties),
    )


def _parse_create(location: str, body: dict[str, Any], properties: dict[str, Any]) -> CreateRequest:
    sku = _object(body, "sku")
    storage_gb = _object(properties, "storage").get("storageSizeGB", 32)
    retention_days = _object(properties, "backup").get("backupRetentionDays", 7)
    if not isinstance(storage_gb, int) or not is_storage_size(storage_gb):
        raise _invalid("Invalid value given for parameter storageSizeGB. Specify a valid parameter value.")
    if not isinstance(retention_days, int) or not 7 <= retention_days <= 35:
        raise _invalid(
            "Invalid value given for parameter backupRetentionDays. Specify a valid parameter value."
        )
    if str(properties.get("version", "16")) != "16":
        raise _invalid("Invalid value given for parameter version. Specify a valid parameter value.")
    return CreateRequest(
        location=location,
        sku_name=_needed(sku, "name"),
        sku_tier=_needed(sku, "tier"),
        storage_gb=storage_gb,
        auto_grow=str(_object(properties, "storage").get("autoGrow", "Disabled")),
        retention_days=retention_days,
        version="16",
        administrator=_needed(properties, "administratorLogin"),
        password=_needed(properties, "administratorLoginPassword"),
        zone=_text(properties, "availabilityZone"),
        public_access=_public_access(properties),
        tags={str(key): str(value) for key, value in _object(body, "tags").items()},
        wants_ha=str(_object(properties, "highAvailability").get("mode", "Disabled")).lower() != "disabled",
    )


def _time(text: str) -> datetime | None:
    try:
        point = datetime.fromisoformat(text)
    except ValueError:
        return None
    return point.astimezone(UTC) if point.tzinfo else None


def _public_access(properties: dict[str, Any]) -> str:
    asked = str(_object(properties, "network").get("publicNetworkAccess", "Enabled"))
    return "Disabled" if asked.lower() == "disabled" else "Enabled"


def _object(body: dict[str, Any], key: str) -> dict[str, Any]:
    value = body.get(key)
    return value if isinstance(value, dict) else {}


def _text(body: dict[str, Any], key: str) -> str | None:
    value = body.get(key)
    return str(value) if value not in (None, "") else None


def _needed(body: dict[str, Any], key: str) -> str:
    value = _text(body, key)
    if value is None:
        raise Refusal(400, "MissingRequiredParameter", f"Required parameter '{key}' is missing.")
    return value


def _invalid(message: str, *, code: str = "InvalidParameterValue") -> Refusal:
    return Refusal(400, code, message)
