"""What does the service refuse, when, and in which words?"""

from __future__ import annotations

import json
import ssl
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError

import pytest
from azure.core.exceptions import HttpResponseError

from tests.twin.conformance import check
from tests.twin.test_path import NEW_SERVER
from tests.twin.twins import GROUP, QUICK, Twin, server, twin

pytestmark = pytest.mark.twin

SERVERS = "/resourceGroups/twin/providers/Microsoft.DBforPostgreSQL/flexibleServers"


@pytest.fixture(scope="module")
def cloud() -> Iterator[Twin]:
    with twin({**QUICK, "servers": [server("prod")]}) as running:
        yield running


def ask(cloud: Twin, path: str, *, method: str = "GET", version: str | None = "2026-10-01", body: Any = None,
        token: str | None = None, query: str | None = None) -> tuple[int, Any, Any]:  # fmt: skip
    """One raw request to ARM below the subscription: status, headers and JSON of the answer, which has to conform."""
    endpoint = cloud.handshake["arm_endpoint"]
    url = f"{endpoint}/subscriptions/{cloud.handshake['subscription_id']}{path}"
    url += f"?{query}" if query else f"?api-version={version}" if version else ""
    request = urllib.request.Request(url, method=method, data=json.dumps(body).encode() if body else None)
    bearer = cloud.credential.get_token(f"{endpoint}/.default").token if token is None else token
    if bearer:
        request.add_header("Authorization", f"Bearer {bearer}")
    context = ssl.create_default_context(cafile=cloud.handshake["ca_file"])
    try:
        answer = urllib.request.urlopen(request, context=context, timeout=10)
    except HTTPError as refused:
        answer = refused
    with answer:
        text = answer.read().decode()
        check(method, url, answer.status, answer.headers, text)
        return answer.status, answer.headers, json.loads(text) if text else None


def refused(call: Any) -> HttpResponseError:
    """The error that a call or its operation ends with."""
    with pytest.raises(HttpResponseError) as caught:
        _to_its_end(call)
    return caught.value


def _to_its_end(call: Any) -> None:
    began = call()
    began.result()


def code_of(error: HttpResponseError) -> str | None:
    """The service's code in an error."""
    return error.error.code if error.error else None


def test_an_absent_server_is_not_found_in_arms_words(cloud: Twin) -> None:
    status, _, body = ask(cloud, f"{SERVERS}/nobody")

    assert status == 404
    assert body["error"]["code"] == "ResourceNotFound"
    assert (
        "'Microsoft.DBforPostgreSQL/flexibleServers/nobody' under resource group 'twin'"
        in body["error"]["message"]
    )


def test_deleting_what_is_not_there_is_no_content(cloud: Twin) -> None:
    status, _, _ = ask(cloud, f"{SERVERS}/nobody", method="DELETE")

    assert status == 204


@pytest.mark.parametrize(("version", "code"), [
    (None, "MissingApiVersionParameter"),
    ("yesterday", "InvalidApiVersionParameter"),
    ("2021-06-01", "NoRegisteredProviderFound"),
])  # fmt: skip
def test_other_api_versions_are_refused(cloud: Twin, version: str | None, code: str) -> None:
    status, _, body = ask(cloud, f"{SERVERS}/prod", version=version)

    assert (status, body["error"]["code"]) == (400, code)


@pytest.mark.parametrize("version", ["2026-10-01", "2026-04-01-preview"])
def test_paths_are_compared_without_regard_to_case_under_both_versions(cloud: Twin, version: str) -> None:
    path = "/resourcegroups/TWIN/providers/microsoft.dbforpostgresql/FLEXIBLESERVERS/prod"
    status, _, body = ask(cloud, path, version=version)

    assert (status, body["name"]) == (200, "prod")


def test_unknown_paths_types_methods_and_subscriptions_are_refused_as_arm_refuses_them(cloud: Twin) -> None:
    assert ask(cloud, "/nothing")[2]["error"]["code"] == "MissingSubscription"
    assert ask(cloud, f"{SERVERS}/prod/parrots")[2]["error"]["code"] == "InvalidResourceType"
    assert ask(cloud, f"{SERVERS}/prod", method="POST")[0] == 405
    other = cloud.client_of("11111111-1111-1111-1111-111111111111")
    assert code_of(refused(lambda: other.servers.get(GROUP, "prod"))) == "SubscriptionNotFound"


def test_a_mutation_is_accepted_with_both_addresses_and_they_must_be_followed_exactly(cloud: Twin) -> None:
    rule = {"properties": {"startIpAddress": "10.0.0.1", "endIpAddress": "10.0.0.1"}}
    status, headers, body = ask(cloud, f"{SERVERS}/prod/firewallRules/exact", method="PUT", body=rule)

    assert status == 202
    assert body["operation"] == "UpsertServerFirewallRulesManagementOperation"
    assert "Retry-After" not in headers
    for name, kind in (("Azure-AsyncOperation", "azureAsyncOperation"), ("Location", "operationResults")):
        assert headers[name].startswith(cloud.handshake["arm_endpoint"] + "/subscriptions/")
        assert f"/providers/Microsoft.DBforPostgreSQL/locations/eastus/{kind}/" in headers[name]
        assert all(f"&{key}=" in headers[name] for key in "tcsh")
    path = headers["Azure-AsyncOperation"].split(cloud.handshake["subscription_id"])[1].split("?")[0]
    assert ask(cloud, path)[0] == 404


def test_a_restore_of_an_unknown_source_or_from_another_region_is_refused(cloud: Twin) -> None:
    assert refused(lambda: cloud.begin_restore("nobody", "copied", "2099-01-01T00:00:00Z")).status_code == 404
    elsewhere: Any = {"location": "westus", "properties": {
        "createMode": "PointInTimeRestore", "sourceServerResourceId": cloud.id_of("prod"),
        "pointInTimeUTC": "2099-01-01T00:00:00Z"}}  # fmt: skip
    call = cloud.client.servers.begin_create_or_update
    assert refused(lambda: call(GROUP, "copied", elsewhere)).status_code == 404


@pytest.mark.parametrize("point", [
    "2020-01-01T00:00:00Z", "last Tuesday", "2026-11-20 10:00:00",
])  # fmt: skip
def test_a_point_before_the_earliest_or_no_time_at_all_fails_inside_the_operation(
    cloud: Twin, point: str
) -> None:
    error = refused(lambda: cloud.begin_restore("prod", "copied", point))

    assert error.status_code == 200
    assert code_of(error) == "InternalServerError"
    assert "An unexpected error occured while processing the request. Tracking ID: '" in str(error)
    assert "copied" not in [found.name for found in cloud.client.servers.list_by_subscription()]


def test_a_name_that_is_taken_is_refused(cloud: Twin) -> None:
    error = refused(lambda: cloud.begin_restore("prod", "prod", "2099-01-01T00:00:00Z"))

    assert error.status_code == 409
    assert "Specified server name is already used." in str(error)


def test_what_the_twin_does_not_offer_is_refused_as_where_the_service_does_not(cloud: Twin) -> None:
    call = cloud.client.servers.begin_create_or_update
    ha = {"highAvailability": {"mode": "ZoneRedundant"}}
    general = {"sku": {"name": "Standard_D2s_v3", "tier": "GeneralPurpose"}}

    error = refused(lambda: call(GROUP, "new-a", with_properties(NEW_SERVER | general, ha)))
    assert code_of(error) == "AvailabilityZoneNotAvailable"
    error = refused(lambda: call(GROUP, "new-b", with_properties(NEW_SERVER, ha)))
    assert "High availiability not supported for burstable server [new-b]." in str(error)
    geo = {"backup": {"geoRedundantBackup": "Enabled"}}
    assert refused(lambda: call(GROUP, "new-c", with_properties(NEW_SERVER, geo))).status_code == 400
    misfit: Any = NEW_SERVER | {"sku": {"name": "Standard_D2s_v3", "tier": "Burstable"}}
    assert code_of(refused(lambda: call(GROUP, "new-d", misfit))) == "ServerEditionIncompatibleWithSkuSize"
    assert refused(lambda: call(GROUP, "No_Name", NEW_SERVER)).status_code == 400


def test_while_an_operation_runs_on_a_server_others_are_refused() -> None:
    config = {"time_scale": 60, "operation_durations": "drawn", "servers": [server("prod")]}
    with twin(config) as cloud:
        cloud.begin_restore("prod", "copied", "2099-01-01T00:00:00Z")
        for call in (
            lambda: cloud.begin_restore("prod", "copied", "2099-01-01T00:00:00Z"),
            lambda: cloud.client.servers.begin_delete(GROUP, "copied"),
            lambda: cloud.let_in("copied"),
        ):
            error = refused(call)
            assert (error.status_code, code_of(error)) == (409, "ServerIsBusy")
            assert "Cannot complete operation while server 'copied' is busy" in str(error)


def test_nothing_of_the_side_door_shows_in_arm(cloud: Twin) -> None:
    port = cloud.handshake["side_door"].rpartition(":")[2]
    for path in (f"{SERVERS}/prod", SERVERS, f"{SERVERS}/prod/firewallRules", "/truth/events", "/status"):
        _, headers, body = ask(cloud, path)
        shown = f"{headers} {json.dumps(body)}"
        assert port not in shown.replace("-", " ").split()
        assert cloud.handshake["side_token"] not in shown
        assert "superuser" not in shown


def test_the_side_door_wants_its_token_for_all_but_names(cloud: Twin) -> None:
    for path in ("/status", "/truth/events", "/truth/restore"):
        with pytest.raises(HTTPError, match="401"):
            cloud.ask_side_door(path, token="guessed")
    assert (
        cloud.ask_side_door("/names/prod.postgres.twin.test?port=5432", token="guessed")["host"]
        == "127.0.0.1"
    )


def with_properties(body: dict[str, Any], more: dict[str, Any]) -> Any:
    """The same request with other properties."""
    return body | {"properties": body["properties"] | more}
