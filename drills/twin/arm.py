"""What does Azure Resource Manager do with a request before and after the provider sees it?

It checks the bearer token, the subscription, the api-version and the path, in this order, hands over to the provider,
and puts its own headers on whatever comes back. Paths are compared without regard to case, as clients do not agree
on one (azure-cli sends `resourcegroups`).
"""

from __future__ import annotations

import json
import logging
import re
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any

from aiohttp import web

from drills.twin import clock, responses, tokens
from drills.twin.exchanges import Exchange, Exchanges
from drills.twin.operations import Operation, Operations, Status
from drills.twin.responses import PROVIDER, Refusal
from drills.twin.servers import Servers

_LOG = logging.getLogger(__name__)

API_VERSIONS = ("2026-10-01", "2026-04-01-preview")
_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(-[a-z]+)?")
_HEADERS = {
    "Cache-Control": "no-cache",
    "Pragma": "no-cache",
    "Expires": "-1",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
}
# What a subscription has left after one call, as recorded; the twin does not count down.
_REMAINING = {
    "PUT": {"x-ms-ratelimit-remaining-subscription-writes": "799",
            "x-ms-ratelimit-remaining-subscription-global-writes": "11999"},
    "DELETE": {"x-ms-ratelimit-remaining-subscription-deletes": "799",
               "x-ms-ratelimit-remaining-subscription-global-deletes": "11999"},
    "GET": {"x-ms-ratelimit-remaining-subscription-global-reads": "16499"},
}  # fmt: skip

_SUBSCRIPTION = r"/subscriptions/(?P<subscription>[^/]+)"
_PROVIDER = rf"/providers/{re.escape(PROVIDER)}"
_GROUP = rf"{_SUBSCRIPTION}/resourceGroups/(?P<group>[^/]+)"
_SERVERS = rf"{_PROVIDER}/flexibleServers"
_SERVER = rf"{_GROUP}{_SERVERS}/(?P<server>[^/]+)"
_LOCATION = rf"{_SUBSCRIPTION}{_PROVIDER}/locations/(?P<location>[^/]+)"


@dataclass(frozen=True, slots=True)
class Call:
    """A request that passed ARM's own checks: the parts of its path, its query and its body."""

    request: web.Request
    parts: dict[str, str]
    body: Any

    @property
    def base(self) -> str:
        """Scheme and host as the client wrote them: addresses in answers must lead back to the same place."""
        return f"{self.request.scheme}://{self.request.host}"

    @property
    def version(self) -> str:
        """The api-version asked for."""
        return self.request.query["api-version"]


Handler = Callable[[Call], Awaitable[web.Response]]


class Arm:
    """The REST surface of one twin."""

    def __init__(
        self,
        servers: Servers,
        operations: Operations,
        identity: tokens.Identity,
        *,
        subscription: str,
        scale: float,
        exchanges: Exchanges,
    ) -> None:
        self._servers = servers
        self._exchanges = exchanges
        self._operations = operations
        self._identity = identity
        self._subscription = subscription
        self._scale = scale
        self._routes: list[tuple[str, re.Pattern[str], Handler]] = [
            (method, re.compile(pattern, re.IGNORECASE), handler)
            for method, pattern, handler in (
                ("PUT", _SERVER, self._put_server),
                ("GET", _SERVER, self._get_server),
                ("DELETE", _SERVER, self._delete_server),
                ("GET", _GROUP + _SERVERS, self._list_group),
                ("GET", _SUBSCRIPTION + _SERVERS, self._list_subscription),
                ("GET", _SERVER + "/firewallRules", self._list_rules),
                ("PUT", _SERVER + "/firewallRules/(?P<rule>[^/]+)", self._put_rule),
                ("GET", _SERVER + "/firewallRules/(?P<rule>[^/]+)", self._get_rule),
                ("DELETE", _SERVER + "/firewallRules/(?P<rule>[^/]+)", self._delete_rule),
                ("GET", _LOCATION + "/azureAsyncOperation/(?P<id>[^/]+)", self._get_operation),
                ("GET", _LOCATION + "/operationResults/(?P<id>[^/]+)", self._get_result),
            )
        ]

    def application(self) -> web.Application:
        """The aiohttp application. Paths are matched here, since aiohttp's own router regards case."""
        application = web.Application()
        application.router.add_get(
            "/{tenant}/v2.0/.well-known/openid-configuration", self._openid_configuration
        )
        application.router.add_post("/{tenant}/oauth2/v2.0/token", self._token)
        application.router.add_route("*", "/{path:.*}", self._answer)
        return application

    async def _answer(self, request: web.Request) -> web.Response:
        try:
            response = await self._dispatch(request)
        except Refusal as refusal:
            response = _json(refusal.body(), status=refusal.status)
            if refusal.cause:
                response.headers["x-ms-failure-cause"] = refusal.cause
            if refusal.status == 401:
                response.headers["WWW-Authenticate"] = self._challenge(request, refusal)
        except Exception:  # noqa: BLE001  # ARM never shows a client what broke behind it; the log does
            _LOG.exception("%s %s broke", request.method, request.path)
            response = _json(Refusal.internal_error().body(), status=500)
        answer = self._with_headers(request, response)
        self._exchanges.keep(
            Exchange(request.method, str(request.url), answer.status, dict(answer.headers), answer.text or "")
        )
        return answer

    async def _dispatch(self, request: web.Request) -> web.Response:
        self._identity.check(
            request.headers.get("Authorization"), audience=f"{request.scheme}://{request.host}"
        )
        path = request.path.rstrip("/")
        self._check_subscription(path)
        found = [(method, match, handler) for method, pattern, handler in self._routes
                 if (match := pattern.fullmatch(path))]  # fmt: skip
        if not found:
            raise _unknown(path, request.query.get("api-version", ""))
        _check_version(request.query.get("api-version"))
        for method, match, handler in found:
            if method == request.method:
                return await handler(Call(request, match.groupdict(), await _body(request)))
        raise Refusal(405, "MethodNotAllowed", f"The HTTP method '{request.method}' is not supported at scope "
                      f"'{path.lstrip('/')}'.", cause="gateway")  # fmt: skip

    def _check_subscription(self, path: str) -> None:
        match = re.match(_SUBSCRIPTION, path, re.IGNORECASE)
        if match and match["subscription"].lower() != self._subscription:
            words = f"The subscription '{match['subscription']}' could not be found."
            raise Refusal(404, "SubscriptionNotFound", words, cause="gateway")

    def _challenge(self, request: web.Request, refusal: Refusal) -> str:
        authority = f"{request.scheme}://{request.host}/{self._identity.tenant}"
        return f'Bearer authorization_uri="{authority}", error="invalid_token", error_description="{refusal.message}"'

    def _with_headers(self, request: web.Request, response: web.Response) -> web.Response:
        identifier = str(uuid.uuid4())
        response.headers.update(_HEADERS)
        response.headers.update(_REMAINING.get(request.method, {}))
        response.headers["Date"] = formatdate(usegmt=True)
        response.headers["Server"] = "twin"
        response.headers["x-ms-request-id"] = identifier
        response.headers["x-ms-correlation-request-id"] = request.headers.get(
            "x-ms-correlation-request-id", identifier
        )
        response.headers["x-ms-routing-request-id"] = f"TWIN:{clock.now().utc:%Y%m%dT%H%M%SZ}:{identifier}"
        if "x-ms-client-request-id" in request.headers:
            response.headers["x-ms-client-request-id"] = request.headers["x-ms-client-request-id"]
        return response

    async def _put_server(self, call: Call) -> web.Response:
        return self._accepted(
            call, await self._servers.put(call.parts["group"], call.parts["server"], call.body)
        )

    async def _get_server(self, call: Call) -> web.Response:
        server = self._servers.find(call.parts["group"], call.parts["server"])
        return _json(responses.server_body(server, clock.now().utc))

    async def _delete_server(self, call: Call) -> web.Response:
        operation = self._servers.delete(call.parts["group"], call.parts["server"])
        return self._accepted(call, operation) if operation else web.Response(status=204)

    async def _list_group(self, call: Call) -> web.Response:
        at = clock.now().utc
        return _json(
            {
                "value": [
                    responses.server_body(each, at) for each in self._servers.in_group(call.parts["group"])
                ]
            }
        )

    async def _list_subscription(self, call: Call) -> web.Response:
        at = clock.now().utc
        return _json({"value": [responses.server_body(server, at) for server in self._servers]})

    async def _list_rules(self, call: Call) -> web.Response:
        server = self._servers.find(call.parts["group"], call.parts["server"])
        return _json({"value": [responses.rule_body(server, rule) for rule in server.rules.values()]})

    async def _put_rule(self, call: Call) -> web.Response:
        group, server, rule = (call.parts[key] for key in ("group", "server", "rule"))
        return self._accepted(call, self._servers.put_rule(group, server, rule, call.body))

    async def _get_rule(self, call: Call) -> web.Response:
        server, rule = self._servers.find_rule(*(call.parts[key] for key in ("group", "server", "rule")))
        return _json(responses.rule_body(server, rule))

    async def _delete_rule(self, call: Call) -> web.Response:
        operation = self._servers.delete_rule(*(call.parts[key] for key in ("group", "server", "rule")))
        return self._accepted(call, operation) if operation else web.Response(status=204)

    async def _get_operation(self, call: Call) -> web.Response:
        operation = self._operation(call)
        response = _json(responses.operation_body(operation))
        if operation.status is Status.IN_PROGRESS:
            self._hint(response, operation)
        return response

    async def _get_result(self, call: Call) -> web.Response:
        operation = self._operation(call)
        if operation.status is Status.IN_PROGRESS:
            response = web.Response(status=202)
            response.headers["Location"] = str(call.request.url)
            self._hint(response, operation)
            return response
        if operation.refusal is not None:
            raise operation.refusal
        return web.Response(status=200)

    def _operation(self, call: Call) -> Operation:
        operation = self._operations.find(call.parts["id"], dict(call.request.query))
        if operation is None:
            raise Refusal(404, "ResourceNotFound", f"The operation '{call.parts['id']}' was not found.")
        return operation

    def _accepted(self, call: Call, operation: Operation) -> web.Response:
        """202, with both addresses under which the operation can be followed."""
        response = _json(responses.accepted_body(operation), status=202)
        where = (
            f"{call.base}/subscriptions/{self._subscription}/providers/{PROVIDER}"
            f"/locations/{operation.location.replace(' ', '').lower()}"
        )
        query = "&".join(
            f"{key}={value}" for key, value in {"api-version": call.version, **operation.query}.items()
        )
        response.headers["Azure-AsyncOperation"] = (
            f"{where}/azureAsyncOperation/{operation.identifier}?{query}"
        )
        response.headers["Location"] = f"{where}/operationResults/{operation.identifier}?{query}"
        return response

    def _hint(self, response: web.Response, operation: Operation) -> None:
        """How long to wait before the next poll: whole seconds as the service says it, scaled ones in milliseconds."""
        wait_s = self._operations.durations.poll_s(operation.kind)
        if self._scale == 1 and wait_s >= 1:
            response.headers["Retry-After"] = str(round(wait_s))
        else:
            response.headers["x-ms-retry-after-ms"] = str(round(wait_s * 1000))

    async def _openid_configuration(self, request: web.Request) -> web.Response:
        authority = f"{request.scheme}://{request.host}/{request.match_info['tenant']}"
        return _json(tokens.discovery(authority))

    async def _token(self, request: web.Request) -> web.Response:
        form = {key: str(value) for key, value in (await request.post()).items()}
        tenant = request.match_info["tenant"]
        try:
            granted = self._identity.grant(
                tenant, form, issuer=f"{request.scheme}://{request.host}/{tenant}/v2.0"
            )
        except tokens.TokenRefused as refused:
            body = {"error": refused.error, "error_description": refused.description}
            return _json(body, status=refused.status)
        return _json(granted)


def _check_version(version: str | None) -> None:
    if not version:
        words = "The api-version query parameter (?api-version=) is required for all requests."
        raise Refusal(400, "MissingApiVersionParameter", words, cause="gateway")
    if not _VERSION.fullmatch(version):
        words = (
            f"The api-version '{version}' is invalid. The supported versions are '{','.join(API_VERSIONS)}'."
        )
        raise Refusal(400, "InvalidApiVersionParameter", words, cause="gateway")
    if version.lower() not in API_VERSIONS:
        words = (
            f"No registered resource provider found for API version '{version}' for type 'flexibleServers'. "
            f"The supported api-versions are '{', '.join(API_VERSIONS)}'."
        )
        raise Refusal(400, "NoRegisteredProviderFound", words, cause="gateway")


def _unknown(path: str, version: str) -> Refusal:
    """What ARM says to a path that nothing is registered for."""
    provider = re.fullmatch(rf".*{_PROVIDER}/(?P<type>.+)", path, re.IGNORECASE)
    if provider:
        words = (
            f"The resource type '{provider['type']}' could not be found in the namespace '{PROVIDER}' "
            f"for api version '{version}'."
        )
        return Refusal(404, "InvalidResourceType", words, cause="gateway")
    words = "The request did not have a subscription or a valid tenant level resource provider."
    return Refusal(404, "MissingSubscription", words, cause="gateway")


async def _body(request: web.Request) -> Any:
    text = await request.text()
    if not text:
        return None
    try:
        return json.loads(text)
    except ValueError as wrong:
        words = "The request content was invalid and could not be deserialized."
        raise Refusal(400, "InvalidRequestContent", words, cause="gateway") from wrong


def _json(body: Any, *, status: int = 200) -> web.Response:
    return web.json_response(body, status=status)
