"""Who may call, and how does a client prove it?

A service principal exchanges its secret for a bearer token, a JSON Web Token with the claims that clients read: `aud`,
`exp`, `oid`, `appid`, `tid`. It is signed with a key of this run, so no token of another run is accepted.
Codes and words follow Microsoft Entra ID (https://learn.microsoft.com/entra/identity-platform/reference-error-codes)
and Azure Resource Manager.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from drills.twin.responses import Refusal

_LIFETIME_S = 3599


class TokenRefused(Exception):
    """The identity platform says no: an OAuth error code, its sentence, and the HTTP status."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.error = error
        self.description = description


@dataclass(frozen=True, slots=True)
class Identity:
    """The one service principal that may use the twin, and the key that its tokens are signed with."""

    tenant: str
    client: str
    secret: str
    object_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    _key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    def grant(self, tenant: str, form: Mapping[str, str], *, issuer: str) -> dict[str, Any]:
        """Answer a request for a token by client credentials.

        Raises:
            TokenRefused: unknown tenant, application or secret, or another way of asking.
        """
        if tenant.lower() != self.tenant:
            raise TokenRefused(400, "invalid_request", f"AADSTS90002: Tenant '{tenant}' not found.")
        if form.get("grant_type") != "client_credentials":
            raise TokenRefused(400, "unsupported_grant_type", "AADSTS70003: The grant type is not supported.")
        if form.get("client_id") != self.client:
            words = f"AADSTS700016: Application with identifier '{form.get('client_id')}' was not found."
            raise TokenRefused(400, "unauthorized_client", words)
        if not hmac.compare_digest(form.get("client_secret", "").encode(), self.secret.encode()):
            raise TokenRefused(401, "invalid_client", "AADSTS7000215: Invalid client secret provided.")
        audience = form.get("scope", "").removesuffix("/.default")
        token = self.token(audience, issuer=issuer, lifetime_s=_LIFETIME_S)
        return {
            "token_type": "Bearer",
            "expires_in": _LIFETIME_S,
            "ext_expires_in": _LIFETIME_S,
            "access_token": token,
        }

    def token(self, audience: str, *, issuer: str, lifetime_s: int) -> str:
        """A signed token for this audience, valid for so many wall seconds."""
        issued = int(time.time())
        claims = {
            "aud": audience, "iss": issuer, "iat": issued, "nbf": issued, "exp": issued + lifetime_s,
            "appid": self.client, "oid": self.object_id, "sub": self.object_id, "tid": self.tenant,
            "idtyp": "app", "ver": "1.0", "uti": secrets.token_urlsafe(16),
        }  # fmt: skip
        signed = ".".join(
            _encode(json.dumps(part).encode()) for part in ({"typ": "JWT", "alg": "HS256"}, claims)
        )
        return f"{signed}.{self._sign(signed)}"

    def check(self, authorization: str | None, *, audience: str) -> None:
        """Accept or refuse the Authorization header of a call to ARM.

        Raises:
            Refusal: 401 in ARM's words: absent, malformed, of another run, expired, or meant for somebody else.
        """
        if not authorization:
            raise _denied(
                "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing."
            )
        scheme, _, token = authorization.partition(" ")
        signed, _, signature = token.rpartition(".")
        if scheme.lower() != "bearer" or not hmac.compare_digest(
            signature.encode(), self._sign(signed).encode()
        ):
            raise _denied("InvalidAuthenticationToken", "The access token is invalid.")
        claims = _claims(signed)
        if claims["exp"] <= time.time():
            expiry = datetime.fromtimestamp(claims["exp"], tz=UTC)
            words = (
                f"The access token expiry UTC time '{expiry:%m/%d/%Y %I:%M:%S %p}' is earlier than "
                f"current UTC time '{datetime.now(UTC):%m/%d/%Y %I:%M:%S %p}'."
            )
            raise _denied("ExpiredAuthenticationToken", words)
        if str(claims["aud"]).rstrip("/") != audience.rstrip("/"):
            words = (
                "The access token has been obtained for wrong audience or resource "
                f"'{claims['aud']}'. It should exactly match with one of the allowed audiences '{audience}'."
            )
            raise _denied("InvalidAuthenticationTokenAudience", words)

    def _sign(self, text: str) -> str:
        return _encode(hmac.digest(self._key, text.encode(), hashlib.sha256))


def discovery(authority: str) -> dict[str, Any]:
    """The OpenID configuration of a tenant whose pages begin with `authority`."""
    return {
        "issuer": f"{authority}/v2.0",
        "authorization_endpoint": f"{authority}/oauth2/v2.0/authorize",
        "token_endpoint": f"{authority}/oauth2/v2.0/token",
        "token_endpoint_auth_methods_supported": ["client_secret_post"],
        "response_types_supported": ["code"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }


def _denied(code: str, message: str) -> Refusal:
    return Refusal(401, code, message, cause="gateway")


def _claims(signed: str) -> dict[str, Any]:
    """The claims of a token whose signature was already found right."""
    try:
        claims = json.loads(_decode(signed.rpartition(".")[2]))
    except (ValueError, binascii.Error) as wrong:
        raise _denied("InvalidAuthenticationToken", "The access token is invalid.") from wrong
    return dict(claims)


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
