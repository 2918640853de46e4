"""Who asks? The credential for ARM, and which identity its tokens carry."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ClientSecretCredential

from drills.errors import ProviderError

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

    from drills.target import Target


def credential_for(target: Target) -> TokenCredential:
    """Give the credential that a target wants; nothing is asked of the network yet."""
    application = target.application
    return ClientSecretCredential(
        application.tenant_id,
        application.client_id,
        application.client_secret,
        authority=application.authority,
        disable_instance_discovery=True,
        connection_verify=str(target.ca_file),
    )


def identity_of(credential: TokenCredential, scope: str) -> dict[str, str]:
    """Ask for a token once and give the claims that Azure's Activity Log shows: oid, appid, tid.

    Raises:
        ProviderError: no token was given; the sentence is the authority's.
    """
    try:
        token = credential.get_token(scope).token
    except ClientAuthenticationError as problem:
        raise ProviderError(
            f"no token for {scope}: {problem.message}",
            hint="check tenant, client id and secret, and that the authority can be reached",
        ) from problem
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return {name: str(claims[name]) for name in ("oid", "appid", "tid") if name in claims}
