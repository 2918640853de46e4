"""Where does ARM answer? The unmodified management client, pointed at a target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azure.mgmt.postgresqlflexibleservers import PostgreSQLManagementClient

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

    from drills.azure.witness import Witness
    from drills.target import Target

_POLL_S = 30.0
"""The SDK's own pace of polls where an answer names none (azure-mgmt-core, ARMPolling), service seconds."""


def scope_of(target: Target) -> str:
    """The scope that tokens for this ARM are asked for."""
    return f"{target.arm_endpoint}/.default"


def client_for(target: Target, credential: TokenCredential, witness: Witness) -> PostgreSQLManagementClient:
    """Build the client. Its scopes default to the public cloud's, so they are always given."""
    return PostgreSQLManagementClient(
        credential,
        target.subscription_id,
        base_url=target.arm_endpoint,
        credential_scopes=[scope_of(target)],
        connection_verify=str(target.ca_file),
        polling_interval=_POLL_S / target.time_scale,
        per_retry_policies=[witness],
    )
