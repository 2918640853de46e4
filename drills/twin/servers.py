"""What does the service do with a server, in which states is it meanwhile, and what does it refuse?

    PUT ──▶ Provisioning ──▶ Ready ──DELETE──▶ Dropping ──▶ gone; the name stays reserved
                  └─▶ gone, where the operation fails

A restore takes login, version, tags, storage, SKU and retention from its source; high availability, firewall rules
and the earliest restore date it does not (recorded by azure-cli's tests, RestoreSnapshotManagementOperation). The
address appears together with the state Ready.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from ipaddress import IPv4Address
from typing import Any

from drills.twin import clock
from drills.twin.cluster import Administrator, Cluster
from drills.twin.config import ServerConfig
from drills.twin.locations import display_name
from drills.twin.operations import Kind, Operation, Operations
from drills.twin.requests import CreateRequest, RestoreRequest, parse_rule, parse_server
from drills.twin.responses import PROVIDER, Refusal
from drills.twin.restore import Restore
from drills.twin.server import FirewallRule, Server, State
from drills.twin.world import World

# Errors that the service finds only inside the operation surface after about a minute (terraform-provider-azurerm
# #24549).
_FAILS_AFTER_SERVICE_S = 60.0
_LOOPBACK = IPv4Address("127.0.0.1")
# Lower case, figures and hyphens, 3 to 63 of them, no hyphen at the ends (API description, checkNameAvailability).
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
_ZONES = ("1", "2", "3")


class Servers:
    """The flexible servers of one subscription, and what can be done to them."""

    def __init__(self, world: World, operations: Operations, subscription: str) -> None:
        self._world = world
        self._operations = operations
        self._truth = world.truth
        self._subscription = subscription
        self._servers: dict[str, Server] = {}
        self._reserved: set[str] = set()

    def __iter__(self) -> Iterator[Server]:
        return iter(list(self._servers.values()))

    def find(self, group: str, name: str) -> Server:
        """The server of that name in that resource group.

        Raises:
            Refusal: there is none (ResourceNotFound).
        """
        server = self._servers.get(name.lower())
        if server is None or server.group.lower() != group.lower():
            raise _not_found(f"{PROVIDER}/flexibleServers/{name}", group)
        return server

    def in_group(self, group: str) -> list[Server]:
        """The servers of one resource group."""
        return [server for server in self if server.group.lower() == group.lower()]

    def by_address(self, fqdn: str) -> Server | None:
        """The server that a name leads to, once the name exists."""
        named = (server for server in self if server.fqdn == fqdn.lower() and server.fqdn_shown)
        return next(named, None)

    async def be_born_old(self, wanted: ServerConfig) -> None:
        """Put a server there that looks as if it had been created days ago."""
        created_at = clock.now().utc - timedelta(days=wanted.born_days_ago)
        server = Server(
            subscription=self._subscription, group=wanted.resource_group, name=wanted.name,
            location=display_name(wanted.location) or wanted.location, zone=wanted.zone,
            sku_name=wanted.sku["name"], sku_tier=wanted.sku["tier"], storage_gb=wanted.storage_gb,
            auto_grow="Disabled", retention_days=wanted.backup_retention_days, version="16",
            minor_version=self._world.minor_version, administrator=wanted.administrator_login,
            public_access="Enabled", tags=wanted.tags, created_at=created_at,
        )  # fmt: skip
        self._add(server)
        server.cluster = self._world.cluster(server.name)
        for number, address in enumerate(map(IPv4Address, wanted.allow_from), start=1):
            server.rules[f"own-{number}"] = FirewallRule(f"own-{number}", address, address)
        await self._world.be_born_old(server.cluster, wanted)
        server.first_backup = min(created_at + timedelta(seconds=330), clock.now().utc)
        await self._become_ready(server, server.cluster)

    async def put(self, group: str, name: str, body: Any) -> Operation:
        """Create or restore a server.

        Raises:
            Refusal: the request is refused at once; what fails later ends the operation as Failed.
        """
        if not _NAME.fullmatch(name):
            raise Refusal(400, "InvalidServerName", f"Invalid server name '{name}'.")
        existing = self._servers.get(name)
        if existing is not None and existing.busy:
            raise _busy(name)
        if name in self._reserved:
            raise Refusal(409, "ServerNameAlreadyExists", "Specified server name is already used.")
        request = parse_server(body)
        if isinstance(request, RestoreRequest):
            return self._begin_restore(group, name, request)
        return self._begin_create(group, name, request)

    def delete(self, group: str, name: str) -> Operation | None:
        """Begin to delete a server; None if there is none.

        Raises:
            Refusal: another operation is on its way (ServerIsBusy).
        """
        server = self._servers.get(name.lower())
        if server is None or server.group.lower() != group.lower():
            return None
        self._refuse_if_busy(server)
        server.state = State.DROPPING
        self._truth.record("dropping", server=name)

        async def work(operation: Operation) -> None:
            server.fqdn_shown = False
            if server.cluster is not None:
                await self._world.retire(server.cluster, server.address)
            await operation.rest()
            self._servers.pop(name.lower(), None)
            self._truth.record("deleted", server=name)

        return self._begin(server, Kind.DELETE, work)

    def put_rule(self, group: str, name: str, rule: str, body: Any) -> Operation:
        """Begin to set a firewall rule; it takes effect when the operation ends."""
        server = self._ready(group, name)
        start, end = parse_rule(body)
        wanted = FirewallRule(rule, start, end)

        async def work(operation: Operation) -> None:
            await operation.rest()
            server.rules[rule.lower()] = wanted
            loopback = wanted.admits(_LOOPBACK)
            self._truth.record("rule_effective", server=name, rule=rule, admits_loopback=loopback)

        return self._begin(server, Kind.SET_RULE, work)

    def delete_rule(self, group: str, name: str, rule: str) -> Operation | None:
        """Begin to drop a firewall rule; None if there is none."""
        server = self._ready(group, name)
        if rule.lower() not in server.rules:
            return None

        async def work(operation: Operation) -> None:
            await operation.rest()
            server.rules.pop(rule.lower(), None)
            self._truth.record("rule_dropped", server=name, rule=rule)

        return self._begin(server, Kind.DROP_RULE, work)

    def find_rule(self, group: str, name: str, rule: str) -> tuple[Server, FirewallRule]:
        """A server and one of its rules.

        Raises:
            Refusal: either does not exist.
        """
        server = self.find(group, name)
        found = server.rules.get(rule.lower())
        if found is None:
            kind = f"{PROVIDER}/flexibleServers/firewallRules"
            words = f"The requested resource of type '{kind}' with name '{rule}' was not found."
            raise Refusal(404, "ResourceNotFound", words)
        return server, found

    def _begin_create(self, group: str, name: str, request: CreateRequest) -> Operation:
        if request.wants_ha and not request.burstable:
            raise Refusal(400, "AvailabilityZoneNotAvailable", "Specified availability zone is not supported in this "
                          "region. Please choose a different availability zone.")  # fmt: skip
        server = Server(
            subscription=self._subscription, group=group, name=name, location=request.location,
            zone=request.zone or self._world.numbers.choice(_ZONES), sku_name=request.sku_name,
            sku_tier=request.sku_tier, storage_gb=request.storage_gb, auto_grow=request.auto_grow,
            retention_days=request.retention_days, version=request.version,
            minor_version=self._world.minor_version, administrator=request.administrator,
            public_access=request.public_access, tags=request.tags, created_at=clock.now().utc,
        )  # fmt: skip

        async def work(operation: Operation) -> None:
            async with self._gone_if_it_fails(server):
                await self._refuse_misfit(server, request)
                server.cluster = cluster = self._world.cluster(name)
                login = Administrator(request.administrator, request.password)
                await asyncio.gather(operation.rest(), self._world.create_empty(cluster, login))
                self._world.back_up_later(cluster, noted=lambda first: _note_backup(server, first))
                await self._become_ready(server, cluster)

        self._add(server)
        return self._begin(server, Kind.CREATE, work)

    def _begin_restore(self, group: str, name: str, request: RestoreRequest) -> Operation:
        source = self._source_of(request, group)
        if source.location != request.location:
            raise _not_found(f"{PROVIDER}/flexibleServers/{source.name}", source.group)
        requested = clock.now().utc
        server = Server(
            subscription=self._subscription, group=group, name=name, location=source.location,
            zone=request.zone or self._world.numbers.choice(_ZONES), sku_name=source.sku_name,
            sku_tier=source.sku_tier, storage_gb=source.storage_gb, auto_grow=source.auto_grow,
            retention_days=source.retention_days, version=source.version, minor_version=source.minor_version,
            administrator=source.administrator, public_access=request.public_access, tags=source.tags,
            created_at=requested,
        )  # fmt: skip
        earliest = source.earliest_restore(requested)
        reachable = request.point is not None and earliest is not None and request.point >= earliest
        restore = None
        if reachable and request.point is not None and source.cluster is not None:
            restore = self._world.restore(source.cluster, asked=request.point)

        async def work(operation: Operation) -> None:
            async with self._gone_if_it_fails(server):
                if restore is None:
                    await self._world.time.sleep(_FAILS_AFTER_SERVICE_S if operation.duration_s else 0.0)
                    raise Refusal.internal_error()
                await self._restore(server, restore, operation)

        self._add(server)
        return self._begin(server, Kind.RESTORE, work)

    async def _restore(self, server: Server, restore: Restore, operation: Operation) -> None:
        server.cluster = cluster = self._world.cluster(server.name)
        head_start_s = restore.lies.head_start_service_s()
        if head_start_s is None:
            await asyncio.gather(operation.rest(), restore.recover(cluster))
            self._keep(server, cluster)
        else:
            hold = cluster.folder / "go_on"

            async def recover_late() -> None:
                await restore.recover(cluster, hold=hold)
                self._keep(server, cluster)

            async def let_go() -> None:
                await self._world.time.sleep(head_start_s)
                hold.touch()

            cluster.keep_doing(recover_late())
            await operation.rest()
            cluster.keep_doing(let_go())
        leads_to = restore.source if restore.lies.routes_to_source() else cluster
        await self._become_ready(server, leads_to)

    def _keep(self, server: Server, cluster: Cluster) -> None:
        self._world.keep(cluster, noted=lambda first: _note_backup(server, first))

    async def _become_ready(self, server: Server, leads_to: Cluster) -> None:
        """Show the address: name, route and state appear together, after everything else."""
        server.address = await self._world.address(
            server.fqdn, name=server.name, admits=server.admits, port=server.port
        )
        server.routed_to = leads_to
        self._truth.record("gateway_routes", server=server.name, to=leads_to.name, port=server.address.port)
        server.fqdn_shown = True
        server.state = State.READY
        self._truth.record("name_resolvable", server=server.name, fqdn=server.fqdn)
        self._truth.record("address_shown", server=server.name, fqdn=server.fqdn)

    async def _refuse_misfit(self, server: Server, request: CreateRequest) -> None:
        """What the service notices only inside the operation, in its own spelling."""
        refusal = None
        if not request.edition_fits:
            refusal = Refusal(400, "ServerEditionIncompatibleWithSkuSize",
                              "The requested server edition is incompatible with requested Sku Size.")  # fmt: skip
        elif request.wants_ha:
            words = f"High availiability not supported for burstable server [{server.name}]."
            refusal = Refusal(400, "", words)
        if refusal is not None:
            seconds = _FAILS_AFTER_SERVICE_S if self._operations.durations.drawn else 0.0
            await self._world.time.sleep(seconds)
            raise refusal

    @contextlib.asynccontextmanager
    async def _gone_if_it_fails(self, server: Server) -> AsyncIterator[None]:
        """A server whose creation fails does not stay; its name becomes free again."""
        try:
            yield
        except Exception:
            if server.cluster is not None:
                await self._world.retire(server.cluster, server.address)
            self._servers.pop(server.name.lower(), None)
            self._reserved.discard(server.name.lower())
            raise

    def _source_of(self, request: RestoreRequest, group: str) -> Server:
        parts = request.source.strip("/").split("/")
        wanted = parts[-1]
        server = self._servers.get(wanted.lower())
        if server is None or server.identifier.lower() != "/" + "/".join(parts).lower():
            raise _not_found(f"{PROVIDER}/flexibleServers/{wanted}", parts[3] if len(parts) > 3 else group)
        return server

    def _ready(self, group: str, name: str) -> Server:
        server = self.find(group, name)
        self._refuse_if_busy(server)
        if server.state is not State.READY:
            raise _busy(name)
        return server

    def _refuse_if_busy(self, server: Server) -> None:
        if server.busy:
            raise _busy(server.name)

    def _add(self, server: Server) -> None:
        self._servers[server.name.lower()] = server
        self._reserved.add(server.name.lower())

    def _begin(self, server: Server, kind: Kind, work: Any) -> Operation:
        operation = self._operations.begin(kind, location=server.location, server=server.name, work=work)
        server.operation = operation
        return operation


def _note_backup(server: Server, first: datetime) -> None:
    server.first_backup = server.first_backup or first


def _busy(name: str) -> Refusal:
    words = f"Cannot complete operation while server '{name}' is busy processing another operation. Try again later."
    return Refusal(409, "ServerIsBusy", words)


def _not_found(resource: str, group: str) -> Refusal:
    """ARM's own words for a resource that it does not know."""
    words = (
        f"The Resource '{resource}' under resource group '{group}' was not found. "
        "For more details please go to https://aka.ms/ARMResourceNotFoundFix"
    )
    return Refusal(404, "ResourceNotFound", words, cause="gateway")
