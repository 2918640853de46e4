"""How is one twin put together, started, described and ended?"""

from __future__ import annotations

import asyncio
import random
import secrets
import ssl
import uuid
from typing import Any

import trustme
from aiohttp import web

from drills.twin.arm import Arm
from drills.twin.clock import ServiceTime
from drills.twin.config import Config
from drills.twin.exchanges import Exchanges
from drills.twin.operations import Durations, Operations
from drills.twin.server import Server
from drills.twin.servers import Servers
from drills.twin.side import SideDoor
from drills.twin.state import State
from drills.twin.template import Template
from drills.twin.tokens import Identity
from drills.twin.truth import Truth
from drills.twin.world import World

_POSTGRES_PORT = 5432


class Twin:
    """A running twin: ARM, side door, servers. Build it inside the event loop of the main thread."""

    def __init__(self, config: Config, state: State, template: Template) -> None:
        self._config = config
        self._state = state
        self._truth = Truth(state.folder / "truth.jsonl")
        self._exchanges = Exchanges()
        self._ca = trustme.CA(organization_name="azure-postgres-drills twin")
        self._ca_file = state.folder / "ca.pem"
        self._ca.cert_pem.write_to_path(str(self._ca_file))
        self._world = World(config, state.folder, template, self._ca, self._truth)
        self._subscription = _uuid(config.seed, "subscription")
        tenant, client = _uuid(config.seed, "tenant"), _uuid(config.seed, "client")
        self._identity = Identity(tenant, client, secrets.token_urlsafe(24))
        self._side_token = secrets.token_urlsafe(24)
        numbers = random.Random(f"{config.seed}/durations")
        drawn = config.operation_durations == "drawn"
        durations = Durations(ServiceTime(config.time_scale), numbers, drawn, config.recorded_tail)
        self._operations = Operations(durations, self._truth)
        self._servers = Servers(self._world, self._operations, self._subscription)
        self._runners: list[web.AppRunner] = []
        self._arm_port = 0
        self._side_port = 0

    async def start(self) -> None:
        """Bring up the servers of the configuration, then ARM and the side door."""
        self._truth.record("began", seed=self._config.seed, time_scale=self._config.time_scale,
                           latest_means=self._config.latest_means, lies=self._config.lies.as_json())  # fmt: skip
        await asyncio.gather(*(self._servers.be_born_old(wanted) for wanted in self._config.servers))
        arm = Arm(
            self._servers, self._operations, self._identity,
            subscription=self._subscription, scale=self._config.time_scale, exchanges=self._exchanges,
        )  # fmt: skip
        certificate = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._ca.issue_cert("localhost", "127.0.0.1").configure_cert(certificate)
        self._arm_port = await self._serve(arm.application(), certificate)
        side = SideDoor(
            self._servers,
            self._world,
            self._truth,
            self._exchanges,
            token=self._side_token,
            status=self.describe,
        )
        self._side_port = await self._serve(side.application(), None)

    async def stop(self) -> None:
        """End every process, port and file of this twin."""
        for runner in self._runners:
            await runner.cleanup()
        await self._operations.stop()
        await self._world.stop()
        self._truth.close()

    def describe(self) -> dict[str, Any]:
        """What a client needs to know, and what tests may know: addresses, credentials, servers."""
        servers = list(self._servers)
        return {
            "arm_endpoint": f"https://localhost:{self._arm_port}",
            "ca_file": str(self._ca_file),
            "subscription_id": self._subscription,
            "tenant_id": self._identity.tenant,
            "client_id": self._identity.client,
            "client_secret": self._identity.secret,
            "time_scale": float(self._config.time_scale),
            "side_door": f"http://127.0.0.1:{self._side_port}",
            "side_token": self._side_token,
            "state": str(self._state.folder),
            "endpoints": [_endpoint(server) for server in servers if server.fqdn_shown],
            "servers": [_process(server) for server in servers if server.cluster],
        }

    async def _serve(self, application: web.Application, certificate: ssl.SSLContext | None) -> int:
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        self._runners.append(runner)
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=certificate)
        await site.start()
        return int(runner.addresses[0][1])


def _endpoint(server: Server) -> dict[str, Any]:
    port = server.address.port if server.address else 0
    return {"fqdn": server.fqdn, "port": _POSTGRES_PORT, "host": "127.0.0.1", "hostport": port}


def _process(server: Server) -> dict[str, Any]:
    assert server.cluster is not None  # noqa: S101  # described are only servers that have one
    postgres = server.cluster.postgres
    return {
        "id": server.identifier,
        "name": server.name,
        "location": server.location,
        "zone": server.zone,
        "state": server.state.value,
        "role": "Primary",
        "data_directory": str(postgres.data),
        "host": "127.0.0.1",
        "port": postgres.port,
        "superuser_dsn": postgres.dsn("postgres"),
    }


def _uuid(seed: int, purpose: str) -> str:
    return str(uuid.UUID(int=random.Random(f"{seed}/{purpose}").getrandbits(128), version=4))
