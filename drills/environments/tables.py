"""What may be said about one environment? One class for each table of environments.toml, frozen.

Keys carry no unit in the file (`rto = "15m"`) and carry it here (`rto_s = 900.0`). A key that no class knows is an
error: a misspelt objective that is silently ignored would be judged by nobody.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    model_validator,
)

from drills.environments.units import (
    Bytes,
    Expandable,
    PositiveSeconds,
    Seconds,
    Sentence,
    expand,
    misuse,
    variables_in,
)
from drills.errors import ConfigurationError

_SUBSCRIPTION = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_SERVER = re.compile(r"[a-z0-9](?:[a-z0-9-]{1,61})[a-z0-9]")
_VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HOURS = re.compile(r"(?P<days>\S+)\s+(\d\d):([0-5]\d)-(\d\d):([0-5]\d)")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DRILLED = re.compile(r"[a-z][a-z0-9_]*(\[[a-z][a-z0-9_]*\])?")


def plain_region(region: str) -> str:
    """Write a region as Azure's requests do: `East US 2` and `eastus2` are one place."""
    return region.replace(" ", "").lower()


class Table(BaseModel):
    """A table of the file: no unknown key, no silent conversion, nothing changed after it was read."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ExpandableTable(Table):
    """A table whose texts may name environment variables, which are read only when it is really used."""

    _where: str = PrivateAttr(default="environments.toml")

    def located(self, where: str) -> None:
        """Remember file and table, for the sentence of an error that is found later."""
        self._where = where

    def resolved(self, environ: Mapping[str, str]) -> Self:
        """Give the same table with every variable replaced by its value, and judge the values."""
        values = {name: self._expanded(name, value, environ) for name, value in self if value is not None}
        try:
            table = type(self).model_validate(values, strict=False)
        except ValidationError as error:
            raise _after_expansion(error, self._where) from None
        table.located(self._where)
        return table

    def _expanded(self, key: str, value: object, environ: Mapping[str, str]) -> object:
        if isinstance(value, tuple):
            return tuple(self._expanded(key, item, environ) for item in value)
        if not isinstance(value, str):
            return value
        try:
            return expand(value, environ)
        except KeyError as unset:
            variable = unset.args[0]
            raise ConfigurationError(
                f"{self._where}, key {key!r}: the environment variable {variable} is not set",
                hint=f"set it (export {variable}=…), or write the value into the file if it is no secret",
            ) from None


def _after_expansion(error: ValidationError, where: str) -> ConfigurationError:
    first = error.errors(include_url=False)[0]
    context = first.get("ctx", {})
    key = context.get("key") or first["loc"][0]
    return ConfigurationError(
        f"{where}, key {key!r}, after its variables were replaced: {first['msg']}",
        hint=context.get("hint") or "look at the values of the variables that the table names",
    )


class Azure(ExpandableTable):
    """Where the source server is, and where copies of it may be made."""

    subscription: Expandable
    resource_group: Expandable
    server: Expandable
    region: Expandable
    paired_region: Expandable | None = None
    drill_resource_group: Expandable

    @model_validator(mode="after")
    def _values_that_can_be_meant(self) -> Self:
        """Check what is written out; what hides in variables is checked again when they are replaced."""
        if self.drill_resource_group.lower() == self.resource_group.lower():
            raise misuse(
                f"the drill's group is the source's own, {self.resource_group!r}",
                hint="name another resource group: it is the only place where a drill may delete",
                key="drill_resource_group",
            )
        if self.paired_region and plain_region(self.paired_region) == plain_region(self.region):
            raise misuse(
                f"the paired region is the region itself, {self.region!r}",
                hint="name the region that Azure copies the geo-redundant backup to, or leave the key out",
                key="paired_region",
            )
        _matches(self.subscription, _SUBSCRIPTION, key="subscription", what="a subscription id")
        _matches(self.server, _SERVER, key="server", what="the name of a flexible server")
        return self

    @property
    def server_id(self) -> str:
        """The resource id of the source, complete: a restore needs all of it."""
        return (
            f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"
            f"/providers/Microsoft.DBforPostgreSQL/flexibleServers/{self.server}"
        )


def _matches(text: str, pattern: re.Pattern[str], *, key: str, what: str) -> None:
    if not variables_in(text) and not pattern.fullmatch(text):
        raise misuse(f"{text!r} is not {what}", hint="copy it from the portal, or write ${NAME}", key=key)


class Connection(ExpandableTable):
    """How the application's database is reached; a password is never here, only the name of its variable."""

    database: Expandable
    user: Expandable
    auth: Literal["entra", "password"]
    password_env: str | None = None
    port: Annotated[int, Field(ge=1, le=65535)] = 5432

    @model_validator(mode="after")
    def _password_where_there_is_one(self) -> Self:
        if self.auth == "password" and not _VARIABLE_NAME.fullmatch(self.password_env or ""):
            raise misuse(
                "password authentication needs the name of the variable that holds the password",
                hint='add password_env = "DRILLS_PASSWORD"; never the password itself',
                key="password_env",
            )
        if self.auth == "entra" and self.password_env is not None:
            raise misuse(
                "Entra authentication has no password",
                hint='remove password_env, or say auth = "password"',
                key="password_env",
            )
        return self


class Network(ExpandableTable):
    """Who may reach a recovered server: never more than may reach the source."""

    mode: Literal["public", "private"]
    allow_from: Annotated[tuple[Expandable, ...], Field(strict=False)] = ()
    subnet_id: Expandable | None = None
    dns_zone_id: Expandable | None = None

    @model_validator(mode="after")
    def _one_mode(self) -> Self:
        for key in ("subnet_id", "dns_zone_id"):
            if self.mode == "private" and getattr(self, key) is None:
                raise misuse(f"a private network needs {key}", hint=f"add {key}, or use public mode", key=key)
            if self.mode == "public" and getattr(self, key) is not None:
                raise misuse(f"a public network has no {key}", hint=f"remove {key}, or use private", key=key)
        if self.mode == "private" and self.allow_from:
            raise misuse(
                "a private network has no firewall rules", hint="remove allow_from", key="allow_from"
            )
        for address in self.allow_from:
            _narrow_enough(address)
        return self


def _narrow_enough(address: str) -> None:
    if variables_in(address):
        return
    try:
        network = ipaddress.ip_network(address)
    except ValueError:
        raise misuse(
            f"{address!r} is no IPv4 address or network",
            hint='write "203.0.113.7" or "203.0.113.0/28"',
            key="allow_from",
        ) from None
    if network.version != 4:
        raise misuse(f"{address!r} is not IPv4", hint="the service's rules are IPv4 only", key="allow_from")
    if network.prefixlen == 0 or network.network_address.packed == b"\0\0\0\0":
        raise misuse(
            f"{address!r} lets in the whole internet, or every customer of Azure",
            hint="a copy holds the same personal data as the source: name the drill's own addresses",
            key="allow_from",
        )


class Hnsw(Table):
    """A graph index over vectors: larger and slower to build, better recall."""

    method: Literal["hnsw"]
    m: Annotated[int, Field(ge=2, le=100)] = 16
    ef_construction: Annotated[int, Field(ge=4, le=1000)] = 64


class IvfFlat(Table):
    """An index of lists over vectors, for servers with little memory."""

    method: Literal["ivfflat"]
    lists: Annotated[int, Field(ge=1, le=32768)] = 100


class Expected(Table):
    """How the source is configured when it is as declared."""

    tier: Literal["Burstable", "GeneralPurpose", "MemoryOptimized"]
    sku: Annotated[str, Field(pattern=r"^Standard_[BDE]")]
    sku_or_higher: bool = False
    vcores: Annotated[int, Field(ge=1)]
    memory_gb: Annotated[int, Field(ge=1)]
    version: Annotated[int, Field(ge=11)]
    storage_gb: Annotated[int, Field(ge=32)]
    storage_or_more: bool = False
    high_availability: Literal["Disabled", "SameZone", "ZoneRedundant"]
    backup_retention_days: int
    geo_redundant_backup: bool
    point_in_time_restore_promised: bool
    minimum_tls: Literal["1.2", "1.3"] = "1.2"
    extensions: Annotated[tuple[str, ...], Field(strict=False)] = ()
    vector_index: Annotated[Hnsw | IvfFlat, Field(discriminator="method")]

    @model_validator(mode="after")
    def _what_the_service_can_be(self) -> Self:
        """Refuse what no flexible server can be: it would be reported as drift for ever."""
        # https://learn.microsoft.com/azure/postgresql/flexible-server/concepts-backup-restore: 7 to 35 days.
        if not 7 <= self.backup_retention_days <= 35:
            raise misuse(
                f"{self.backup_retention_days} days of retention do not exist",
                hint="the service keeps backups for 7 to 35 days",
                key="backup_retention_days",
            )
        family = {"B": "Burstable", "D": "GeneralPurpose", "E": "MemoryOptimized"}[self.sku[9]]
        if family != self.tier:
            raise misuse(
                f"{self.sku} is of the tier {family}, not {self.tier}",
                hint=f'say tier = "{family}", or name another sku',
                key="tier",
            )
        if self.tier == "Burstable" and self.high_availability != "Disabled":
            raise misuse(
                f"high availability {self.high_availability} on Burstable, which has none",
                hint='say high_availability = "Disabled", or a tier that has it',
                key="high_availability",
            )
        return self


class Objectives(Table):
    """What has to be met in one scenario, who said so, and whether somebody said so at all."""

    rpo_s: PositiveSeconds = Field(alias="rpo")
    rto_s: PositiveSeconds = Field(alias="rto")
    source: Sentence
    assumed: bool = False
    stretch_s: PositiveSeconds | None = Field(alias="stretch", default=None)
    rows: Annotated[int, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _stretch_is_tighter(self) -> Self:
        if self.stretch_s is not None and self.stretch_s > self.rto_s:
            raise misuse(
                f"the stretch of {self.stretch_s:g} s is looser than the RTO of {self.rto_s:g} s",
                hint="a stretch is what one hopes for: it is shorter than the objective",
                key="stretch",
            )
        return self


def _off_limits(text: str) -> str:
    found = _HOURS.fullmatch(text)
    days = found["days"].split("-") if found else []
    hours_exist = found is not None and int(found[2]) < 24 and int(found[4]) <= 24
    if not hours_exist or not 1 <= len(days) <= 2 or any(day not in _DAYS for day in days):
        raise misuse(
            f"{text!r} are no hours", hint='write "Mon-Fri 08:00-18:00" or "Sun 00:00-24:00", in UTC'
        )
    return text


def _drilled(text: str) -> str:
    if not _DRILLED.fullmatch(text):
        raise misuse(f"{text!r} names no scenario", hint='write "ha_failover" or "ha_failover[planned]"')
    return text


class Policy(Table):
    """What a drill may do here, when, and how it observes."""

    faults_allowed: Annotated[tuple[Annotated[str, AfterValidator(_drilled)], ...], Field(strict=False)] = ()
    approval: Literal["all", "disruptive", "none"] = "disruptive"
    self_approval: bool = False
    off_limits: Annotated[tuple[Annotated[str, AfterValidator(_off_limits)], ...], Field(strict=False)] = ()
    active_copy: Literal["refuse"] | Sentence = "refuse"
    source_read_limit_bytes: Bytes = Field(alias="source_read_limit", default=1024**3)
    markers_per_second: Annotated[float, Field(gt=0, le=100, strict=False)] = 10.0
    probe_every_s: PositiveSeconds | None = Field(alias="probe_every", default=None)
    switch_over_delay_s: Seconds = Field(alias="switch_over_delay", default=30.0)
    detection_and_decision_s: Seconds = Field(alias="detection_and_decision", default=0.0)
    archive_lag_accepted: Sentence | None = None
    unreadable_archive_accepted: Sentence | None = None


class Evidence(ExpandableTable):
    """Where sealed campaigns are kept: a folder, or a container of Blob storage."""

    store: Expandable = "evidence"


class Hook(Table):
    """Something of the operator's own that runs at a point of the drill, within a limit."""

    command: Annotated[tuple[str, ...], Field(strict=False)] = ()
    sql: str | None = None
    limit_s: PositiveSeconds = Field(alias="limit", default=300.0)

    @model_validator(mode="after")
    def _one_thing_to_run(self) -> Self:
        if bool(self.command) == (self.sql is not None):
            raise misuse(
                "a hook runs one thing: a command or a .sql file",
                hint='say command = ["./repoint.sh"] or sql = "checks.sql"',
                key="command",
            )
        if self.sql is not None and not self.sql.endswith(".sql"):
            raise misuse(f"{self.sql!r} is no .sql file", hint="name a file that ends in .sql", key="sql")
        return self


class Hooks(Table):
    """The four points of a drill at which something of the operator's own may run."""

    before_fault: Hook | None = None
    after_recovery: Hook | None = None
    repointed: Hook | None = None
    before_cleanup: Hook | None = None


class Assertion(Table):
    """A rule of the application: SQL that finds the rows that break it, and so must find none."""

    proves: Sentence
    sql: Sentence
    tables: Annotated[tuple[str, ...], Field(strict=False, min_length=1)]
