"""Who is let into ARM, and what are the others told?"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ClientSecretCredential

from drills.twin.responses import Refusal
from drills.twin.tokens import Identity
from tests.twin.test_refusals import SERVERS, ask
from tests.twin.twins import QUICK, Twin, twin

pytestmark = pytest.mark.twin

ARM = "https://localhost:1"


@pytest.fixture(scope="module")
def cloud() -> Iterator[Twin]:
    with twin(QUICK) as running:
        yield running


def test_a_token_holds_the_claims_that_name_its_bearer(cloud: Twin) -> None:
    granted = cloud.credential.get_token(f"{cloud.handshake['arm_endpoint']}/.default")

    payload = granted.token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert claims["aud"] == cloud.handshake["arm_endpoint"]
    assert claims["appid"] == cloud.handshake["client_id"]
    assert claims["tid"] == cloud.handshake["tenant_id"]
    assert claims["oid"]
    assert claims["exp"] == pytest.approx(time.time() + 3599, abs=10)


@pytest.mark.parametrize(("wrong", "code"), [
    ({"client_secret": "guessed"}, "AADSTS7000215"),
    ({"client_id": "11111111-1111-1111-1111-111111111111"}, "AADSTS700016"),
    ({"tenant_id": "11111111-1111-1111-1111-111111111111"}, "AADSTS90002"),
])  # fmt: skip
def test_a_wrong_secret_application_or_tenant_gets_no_token(
    cloud: Twin, wrong: dict[str, str], code: str
) -> None:
    right = {key: cloud.handshake[key] for key in ("tenant_id", "client_id", "client_secret")}
    credential = ClientSecretCredential(
        **(right | wrong), authority=cloud.handshake["arm_endpoint"], disable_instance_discovery=True,
        connection_verify=cloud.handshake["ca_file"],
    )  # fmt: skip
    with pytest.raises(ClientAuthenticationError, match=code):
        credential.get_token(f"{cloud.handshake['arm_endpoint']}/.default")


def test_arm_refuses_a_call_without_a_token(cloud: Twin) -> None:
    status, headers, body = ask(cloud, SERVERS, token="")

    assert (status, body["error"]["code"]) == (401, "AuthenticationFailed")
    assert headers["WWW-Authenticate"].startswith("Bearer authorization_uri=")


def test_arm_refuses_a_token_that_was_tampered_with_or_made_for_somebody_else(cloud: Twin) -> None:
    token = cloud.credential.get_token(f"{cloud.handshake['arm_endpoint']}/.default").token
    header, payload, signature = token.split(".")
    for bad in (f"{header}.{payload[:-2]}AA.{signature}", "nonsense", "a.b.c"):
        status, _, body = ask(cloud, SERVERS, token=bad)
        assert (status, body["error"]["code"]) == (401, "InvalidAuthenticationToken")
    elsewhere = cloud.credential.get_token("https://elsewhere.example/.default").token
    status, _, body = ask(cloud, SERVERS, token=elsewhere)
    assert (status, body["error"]["code"]) == (401, "InvalidAuthenticationTokenAudience")


def test_a_token_is_good_until_it_expires_and_not_longer() -> None:
    identity = Identity("tenant", "client", "secret")
    identity.check(f"Bearer {identity.token(ARM, issuer=ARM, lifetime_s=60)}", audience=ARM)

    with pytest.raises(Refusal, match="expiry UTC time") as caught:
        identity.check(f"Bearer {identity.token(ARM, issuer=ARM, lifetime_s=0)}", audience=ARM)

    assert (caught.value.status, caught.value.code) == (401, "ExpiredAuthenticationToken")


def test_a_token_of_another_run_is_worth_nothing() -> None:
    yesterday, today = (Identity("tenant", "client", "secret") for _ in range(2))

    with pytest.raises(Refusal, match="invalid"):
        today.check(f"Bearer {yesterday.token(ARM, issuer=ARM, lifetime_s=60)}", audience=ARM)
