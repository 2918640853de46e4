"""Does the judge of answers notice what the SDK lets pass?"""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from jsonschema_rs import ValidationError

from tests.twin.conformance import check

SERVER_URL = "https://localhost/subscriptions/s/resourceGroups/g/providers/Microsoft.DBforPostgreSQL/flexibleServers/prod"
HEADERS = {
    "x-ms-request-id": "1",
    "x-ms-correlation-request-id": "1",
    "Date": "Sat, 21 Nov 2026 00:00:00 GMT",
    "Cache-Control": "no-cache",
}
SERVER: dict[str, Any] = {
    "id": "/subscriptions/s/…/prod",
    "name": "prod",
    "type": "Microsoft.DBforPostgreSQL/flexibleServers",
    "location": "East US",
    "properties": {"state": "Ready", "storage": {"type": "", "storageSizeGB": 128}},
}


def test_an_answer_as_the_service_gives_it_passes() -> None:
    check("GET", SERVER_URL, 200, HEADERS, json.dumps(SERVER))


@pytest.mark.parametrize(("key", "value"), [
    ("state", "Redy"),
    ("createMode", "Create"),
    ("administratorLoginPassword", "secret"),
    ("sourceServerResourceId", "/subscriptions/s"),
    ("version", 16),
    ("storage", {"storageSizeGB": "128"}),
    ("storage", {"storageSizeGb": 128}),
    ("parrot", True),
])  # fmt: skip
def test_unknown_keys_wrong_types_and_secrets_are_noticed(key: str, value: object) -> None:
    answer = copy.deepcopy(SERVER)
    answer["properties"][key] = value

    with pytest.raises(ValidationError):
        check("GET", SERVER_URL, 200, HEADERS, json.dumps(answer))


def test_a_null_is_noticed() -> None:
    with pytest.raises(AssertionError, match="null"):
        check("GET", SERVER_URL, 200, HEADERS, json.dumps(SERVER | {"tags": None}))


def test_an_answer_that_nobody_has_described_is_noticed() -> None:
    with pytest.raises(AssertionError, match="no schema"):
        check("GET", SERVER_URL + "/parrots", 200, HEADERS, "{}")


@pytest.mark.parametrize("body", [
    {"name": "x", "status": "Succeeded", "startTime": "2026-11-21T00:00:00.1Z"},
    {"name": "0" * 8 + "-0000-0000-0000-" + "0" * 12, "status": "Cancelled", "startTime": "2026-11-21T00:00:00.1Z"},
    {"name": "0" * 8 + "-0000-0000-0000-" + "0" * 12, "status": "Failed", "startTime": "2026-11-21T00:00:00.1Z"},
    {"name": "0" * 8 + "-0000-0000-0000-" + "0" * 12, "status": "Succeeded", "startTime": "2026-11-21T00:00:00.10Z"},
])  # fmt: skip
def test_a_status_document_of_another_shape_is_noticed(body: dict[str, Any]) -> None:
    url = "https://localhost/subscriptions/s/providers/Microsoft.DBforPostgreSQL/locations/l/azureAsyncOperation/1"

    with pytest.raises(ValidationError):
        check("GET", url, 200, HEADERS, json.dumps(body))
