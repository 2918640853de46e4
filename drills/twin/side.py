"""What does the twin tell about itself, to those who run it and not to those who use it?

A plain HTTP server on loopback, apart from ARM: the twin's name service, its status, what ARM was asked, and its
ground truth. All but the name service asks for the token that was handed out at the start.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from aiohttp import web

from drills.twin.errors import TwinError
from drills.twin.exchanges import Exchanges
from drills.twin.ground_truth import restore_truth
from drills.twin.servers import Servers
from drills.twin.truth import Truth
from drills.twin.world import World


class SideDoor:
    """The answers of the side door."""

    def __init__(
        self,
        servers: Servers,
        world: World,
        truth: Truth,
        exchanges: Exchanges,
        *,
        token: str,
        status: Callable[[], dict[str, Any]],
    ) -> None:
        self._servers = servers
        self._world = world
        self._truth = truth
        self._exchanges = exchanges
        self._token = token
        self._status = status

    def application(self) -> web.Application:
        """The aiohttp application."""
        application = web.Application(middlewares=[self._guard])
        application.router.add_get("/names/{fqdn}", self._resolve)
        application.router.add_get("/status", self._show_status)
        application.router.add_get("/exchanges", self._show_exchanges)
        application.router.add_get("/truth/events", self._show_events)
        application.router.add_get("/truth/restore", self._show_restore)
        return application

    @web.middleware
    async def _guard(self, request: web.Request, handler: Callable[[web.Request], Any]) -> web.StreamResponse:
        given = request.headers.get("Authorization", "")
        if not request.path.startswith("/names/") and not hmac.compare_digest(given, f"Bearer {self._token}"):
            return web.json_response({"error": "the side door wants its token"}, status=401)
        response: web.StreamResponse = await handler(request)
        return response

    async def _resolve(self, request: web.Request) -> web.Response:
        server = self._servers.by_address(request.match_info["fqdn"])
        if server is None or server.address is None or request.query.get("port", "5432") != "5432":
            return web.json_response({"error": "no such name"}, status=404)
        return web.json_response({"host": "127.0.0.1", "port": server.address.port})

    async def _show_status(self, request: web.Request) -> web.Response:
        return web.json_response(self._status())

    async def _show_exchanges(self, request: web.Request) -> web.Response:
        lines = "".join(json.dumps(asdict(exchange)) + "\n" for exchange in self._exchanges)
        return web.Response(text=lines, content_type="application/x-ndjson")

    async def _show_events(self, request: web.Request) -> web.Response:
        lines = "".join(json.dumps(event.as_json()) + "\n" for event in self._truth.events())
        return web.Response(text=lines, content_type="application/x-ndjson")

    async def _show_restore(self, request: web.Request) -> web.Response:
        try:
            source, recovered = (request.query[key] for key in ("source", "recovered"))
            disaster_boot_s = float(request.query["disaster_boot_s"])
        except (KeyError, ValueError):
            wanted = "wanted: source, recovered, disaster_boot_s"
            return web.json_response({"error": wanted}, status=400)
        try:
            found = await restore_truth(self._world, source, recovered, disaster_boot_s=disaster_boot_s)
        except TwinError as unknown:
            return web.json_response({"error": str(unknown)}, status=404)
        return web.json_response(found)
