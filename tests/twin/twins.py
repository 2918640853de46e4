"""Start a twin for a test, reach it as a client does, and leave nothing behind.

with twin({"time_scale": 60, "operation_durations": "off", "servers": [server("prod")]}) as cloud:
    cloud.client.servers.get("twin", "prod")
    cloud.connect("prod")
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar
from urllib.error import HTTPError

import psycopg
from azure.identity import ClientSecretCredential
from azure.mgmt.postgresqlflexibleservers import PostgreSQLManagementClient

from tests.twin.conformance import AnswersConform

PASSWORD = "Correct-Horse-7"
ADMINISTRATOR = "cogadmin"
GROUP = "twin"
START_LIMIT_S = 60.0
QUICK: Mapping[str, Any] = {"time_scale": 60, "operation_durations": "off"}
Found = TypeVar("Found")


def server(name: str, **more: Any) -> dict[str, Any]:
    """The configuration of a server that was born old."""
    return {"name": name, "administrator_password": PASSWORD, **more}


@dataclass(frozen=True)
class Twin:
    """A running twin, and the ways into it."""

    process: subprocess.Popen[str]
    handshake: dict[str, Any]

    @cached_property
    def credential(self) -> ClientSecretCredential:
        """The service principal that the twin accepts."""
        return ClientSecretCredential(
            self.handshake["tenant_id"],
            self.handshake["client_id"],
            self.handshake["client_secret"],
            authority=self.handshake["arm_endpoint"],
            disable_instance_discovery=True,
            connection_verify=self.handshake["ca_file"],
        )

    @cached_property
    def client(self) -> PostgreSQLManagementClient:
        """The SDK as users have it; every answer is held against its schema on the way."""
        return self.client_of(self.handshake["subscription_id"])

    def client_of(self, subscription: str, **options: Any) -> PostgreSQLManagementClient:
        """The SDK for another subscription or with other options."""
        endpoint = self.handshake["arm_endpoint"]
        wanted: dict[str, Any] = {
            "credential": self.credential,
            "base_url": endpoint,
            "credential_scopes": [f"{endpoint}/.default"],
            "connection_verify": self.handshake["ca_file"],
            "per_call_policies": [AnswersConform()],
            "retry_total": 0,
        }
        return PostgreSQLManagementClient(subscription_id=subscription, **(wanted | options))

    def id_of(self, name: str) -> str:
        """The resource id of a server in the common group."""
        subscription = self.handshake["subscription_id"]
        provider = "Microsoft.DBforPostgreSQL/flexibleServers"
        return f"/subscriptions/{subscription}/resourceGroups/{GROUP}/providers/{provider}/{name}"

    def begin_restore(self, source: str, name: str, point: str | datetime) -> Any:
        """Ask for a restore of `source` into `name`; returns the SDK's poller."""
        text = point if isinstance(point, str) else point.isoformat()
        properties: Any = {
            "createMode": "PointInTimeRestore",
            "sourceServerResourceId": self.id_of(source),
            "pointInTimeUTC": text,
        }
        wanted: Any = {"location": "eastus", "properties": properties}
        return self.client.servers.begin_create_or_update(GROUP, name, wanted)

    def restore(self, source: str, name: str, point: str | datetime = "2099-01-01T00:00:00Z") -> Any:
        """Restore and let ourselves in; returns the server. Without a point: as late as it goes."""
        restored = self.begin_restore(source, name, point).result()
        self.let_in(name)
        return restored

    def let_in(self, name: str, address: str = "127.0.0.1") -> None:
        """Set a firewall rule for one address."""
        rule: Any = {"properties": {"startIpAddress": address, "endIpAddress": address}}
        self.client.firewall_rules.begin_create_or_update(
            GROUP, name, f"tests-{address.replace('.', '-')}", rule
        ).result()

    def address(self, name: str) -> tuple[str, int]:
        """What the twin's name service says."""
        found = self.ask_side_door(f"/names/{name}.postgres.twin.test?port=5432")
        return found["host"], found["port"]

    def connect(self, name: str, database: str = "zep", **options: Any) -> psycopg.Connection[Any]:
        """A session of the administrator through the gateway, with the certificate checked against the name."""
        host, port = self.address(name)
        wanted: dict[str, Any] = {
            "host": f"{name}.postgres.twin.test", "hostaddr": host, "port": port, "dbname": database,
            "user": ADMINISTRATOR, "password": PASSWORD, "sslmode": "verify-full",
            "sslrootcert": self.handshake["ca_file"], "autocommit": True, "connect_timeout": 5,
        }  # fmt: skip
        return psycopg.connect(**(wanted | options))

    def superuser(self, name: str, database: str = "postgres") -> psycopg.Connection[Any]:
        """A session past the gateway."""
        described = self.ask_side_door("/status")["servers"]
        dsn = next(entry["superuser_dsn"] for entry in described if entry["name"] == name)
        return psycopg.connect(dsn, dbname=database, autocommit=True)

    def ask_side_door(self, path: str, *, token: str | None = None) -> Any:
        """GET a page of the side door; None where it answers 404."""
        request = urllib.request.Request(self.handshake["side_door"] + path)
        request.add_header("Authorization", f"Bearer {token or self.handshake['side_token']}")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.loads(answer.read())
        except HTTPError as refused:
            with refused:
                if refused.code == 404:
                    return None
                raise

    def events(self, name: str, **fields: Any) -> list[dict[str, Any]]:
        """What the twin recorded under that name, with these fields."""
        lines = Path(self.handshake["state"], "truth.jsonl").read_text().splitlines()
        events = [json.loads(line) for line in lines]
        wanted = {"event": name, **fields}
        return [event for event in events if wanted.items() <= event.items()]

    def truth(self, source: str, recovered: str, disaster_boot_s: float) -> dict[str, Any]:
        """The ground truth of one restore."""
        query = f"source={source}&recovered={recovered}&disaster_boot_s={disaster_boot_s}"
        found: dict[str, Any] = self.ask_side_door(f"/truth/restore?{query}")
        return found


@contextmanager
def twin(config: Mapping[str, Any]) -> Iterator[Twin]:
    """A twin with this configuration for the length of a block."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(config, file)
        file.flush()
        process = start(Path(file.name))
        handshake = _handshake(process)
        try:
            yield Twin(process, handshake)
        finally:
            _end(process)


def start(config: Path) -> subprocess.Popen[str]:
    """Start a twin whose life hangs on our end of its standard input."""
    command = [sys.executable, "-m", "drills.twin", "--config", str(config)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def wait_for(look: Callable[[], Found], *, what: str, limit_s: float = 10.0) -> Found:
    """Look until something true is seen."""
    give_up = time.monotonic() + limit_s
    while not (found := look()):
        assert time.monotonic() < give_up, f"waited {limit_s:g} s for {what}"
        time.sleep(0.01)
    return found


def _handshake(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        _end(process, expected=2)
        raise AssertionError("the twin refused to start; standard error says why")
    handshake: dict[str, Any] = json.loads(line)
    return handshake


def _end(process: subprocess.Popen[str], *, expected: int = 0) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    said = process.stdout.read()
    process.stdout.close()
    assert process.wait(timeout=30) == expected
    assert said == "", "a twin says one line and no more"
