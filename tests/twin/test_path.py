"""From a source to a recovered server and back to nothing, as a client of the service walks it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.core.exceptions import ResourceNotFoundError

from tests.twin.twins import GROUP, PASSWORD, QUICK, Twin, server, twin, wait_for

pytestmark = pytest.mark.twin

NEW_SERVER: Any = {
    "location": "southcentralus",
    "sku": {"name": "Standard_B1ms", "tier": "Burstable"},
    "tags": {"made": "by a test"},
    "properties": {
        "createMode": "Create",
        "version": "16",
        "administratorLogin": "ada",
        "administratorLoginPassword": PASSWORD,
        "storage": {"storageSizeGB": 64},
        "backup": {"backupRetentionDays": 9},
    },
}


@pytest.fixture(scope="module")
def cloud() -> Iterator[Twin]:
    source = server("prod", tags={"environment": "production"}, backup_retention_days=35, born_days_ago=40)
    with twin({**QUICK, "servers": [source]}) as running:
        running.let_in("prod")
        yield running


def test_a_server_that_was_born_old_can_be_restored_from_at_once(cloud: Twin) -> None:
    found = cloud.client.servers.get(GROUP, "prod")

    now = datetime.now(UTC)
    assert found.properties is not None
    assert found.properties.backup is not None
    assert found.properties.state == "Ready"
    assert found.properties.backup.earliest_restore_date is not None
    assert found.properties.backup.earliest_restore_date <= now - timedelta(days=34)
    assert found.system_data is not None
    assert found.system_data.created_at is not None
    assert found.system_data.created_at < now - timedelta(days=39)


def test_zep_is_there_with_its_vectors_and_its_index(cloud: Twin) -> None:
    with cloud.connect("prod") as session:
        counts = [
            session.execute(f"SELECT count(*) FROM {table}").fetchone()
            for table in ("zep_sessions", "zep_messages", "zep_facts", "zep_embeddings")
        ]
        methods = session.execute("SELECT amname FROM pg_am JOIN pg_class c ON c.relam = pg_am.oid"
                                  " WHERE c.relname LIKE 'zep_embeddings_embedding%'").fetchall()  # fmt: skip
        nearest = session.execute(
            "SELECT b.fact_id FROM zep_embeddings a, zep_embeddings b WHERE a.fact_id = 77"
            " ORDER BY a.embedding <=> b.embedding LIMIT 1"
        ).fetchone()

    assert counts == [(1_000,), (10_000,), (4_000,), (2_000,)]
    assert methods == [("hnsw",)]
    assert nearest == (77,)


def test_the_administrator_is_no_superuser_and_extensions_are_allow_listed(cloud: Twin) -> None:
    with cloud.connect("prod") as session:
        assert session.execute("SHOW is_superuser").fetchone() == ("off",)
        assert session.execute("SELECT pg_has_role('azure_pg_admin', 'MEMBER')").fetchone() == (True,)
        session.execute("CREATE DATABASE of_mine")
        with pytest.raises(
            Exception, match='"pg_cron" is not allow-listed for "azure_pg_admin" users in Azure'
        ):
            session.execute("CREATE EXTENSION pg_cron")
    with cloud.connect("prod", "of_mine") as session:
        session.execute("CREATE EXTENSION vector")


def test_the_administrator_reads_where_the_log_stands(cloud: Twin) -> None:
    with cloud.connect("prod") as session:
        row = session.execute(
            "SELECT pg_walfile_name(pg_current_wal_lsn()), pg_current_wal_insert_lsn()::text,"
            " (pg_control_system()).system_identifier, current_setting('track_commit_timestamp'),"
            " (SELECT count(*) FROM pg_stat_archiver)"
        ).fetchone()

    assert row is not None
    assert row[0].startswith("00000001")
    assert row[3:] == ("off", 1)


def test_a_restore_carries_over_what_the_service_carries_over(cloud: Twin) -> None:
    asked: Any = {
        "location": "East US",
        "tags": {"of": "the request"},
        "properties": {
            "createMode": "pointintimerestore",
            "sourceServerResourceId": cloud.id_of("prod"),
            "pointInTimeUTC": "2099-01-01T00:00:00Z",
            "backup": {"backupRetentionDays": 7, "geoRedundantBackup": "Disabled"},
            "highAvailability": {"mode": "ZoneRedundant"},
        },
    }
    requested = datetime.now(UTC)

    found = cloud.client.servers.begin_create_or_update(GROUP, "carried", asked).result()

    properties = found.as_dict()["properties"]
    assert found.tags == {"environment": "production"}
    assert properties["backup"] == {"backupRetentionDays": 35, "geoRedundantBackup": "Disabled"}
    assert properties["highAvailability"] == {"mode": "Disabled", "state": "NotEnabled"}
    assert properties["administratorLogin"] == "cogadmin"
    assert properties["storage"]["storageSizeGB"] == 128
    assert found.system_data is not None
    assert found.system_data.created_at is not None
    assert found.system_data.created_at >= requested
    assert list(cloud.client.firewall_rules.list_by_server(GROUP, "carried")) == []


def test_the_copy_has_the_roles_of_its_source_and_a_timeline_of_its_own(cloud: Twin) -> None:
    cloud.restore("prod", "copied")

    identity = "SELECT (pg_control_system()).system_identifier"
    timeline = "SELECT substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8), pg_is_in_recovery()"
    with cloud.connect("prod") as source, cloud.connect("copied") as copy:
        assert copy.execute(identity).fetchone() == source.execute(identity).fetchone()
        copy.execute("CREATE TABLE proof (n int)")
        assert copy.execute(timeline).fetchone() == ("00000002", False)


def test_a_deleted_server_is_gone_in_every_respect_and_its_name_stays_reserved(cloud: Twin) -> None:
    cloud.restore("prod", "short-lived")

    cloud.client.servers.begin_delete(GROUP, "short-lived").result()

    with pytest.raises(ResourceNotFoundError):
        cloud.client.servers.get(GROUP, "short-lived")
    assert cloud.ask_side_door("/names/short-lived.postgres.twin.test?port=5432") is None
    assert "short-lived" not in [found.name for found in cloud.client.servers.list_by_resource_group(GROUP)]
    with pytest.raises(Exception, match="Specified server name is already used"):
        cloud.begin_restore("prod", "short-lived", "2099-01-01T00:00:00Z")
    cloud.client.servers.begin_delete(GROUP, "short-lived").result()


def test_a_created_server_is_empty_and_backed_up_some_minutes_later(cloud: Twin) -> None:
    found = cloud.client.servers.begin_create_or_update("another", "brand-new", NEW_SERVER).result()

    properties = found.as_dict()["properties"]
    assert found.location == "South Central US"
    assert "earliestRestoreDate" not in properties["backup"]
    assert properties["storage"] == {
        "type": "",
        "iops": 240,
        "tier": "P6",
        "storageSizeGB": 64,
        "autoGrow": "Disabled",
    }

    def earliest() -> Any:
        backup = cloud.client.servers.get("another", "brand-new").as_dict()["properties"]["backup"]
        return backup.get("earliestRestoreDate")

    assert wait_for(earliest, what="the first backup", limit_s=20.0).endswith("+00:00")


def test_firewall_rules_are_set_listed_read_and_dropped(cloud: Twin) -> None:
    cloud.let_in("prod", "10.1.2.3")

    rules = cloud.client.firewall_rules
    names = [rule.name for rule in rules.list_by_server(GROUP, "prod")]
    assert "tests-10-1-2-3" in names
    rule = rules.get(GROUP, "prod", "tests-10-1-2-3")
    assert rule.properties is not None
    assert rule.properties.start_ip_address == "10.1.2.3"
    rules.begin_delete(GROUP, "prod", "tests-10-1-2-3").result()
    with pytest.raises(ResourceNotFoundError):
        rules.get(GROUP, "prod", "tests-10-1-2-3")
    rules.begin_delete(GROUP, "prod", "tests-10-1-2-3").result()


def test_durations_are_those_of_recorded_operations_and_the_address_comes_last() -> None:
    config = {"time_scale": 60, "operation_durations": "drawn", "seed": 3, "servers": [server("prod")]}
    with twin(config) as cloud:
        poller = cloud.begin_restore("prod", "copied", "2099-01-01T00:00:00Z")
        meanwhile = cloud.client.servers.get(GROUP, "copied").as_dict()["properties"]
        poller.result()
        began = cloud.events("operation_began", server="copied")[0]
        ended = cloud.events("operation_ended", server="copied")[0]
        shown = cloud.events("address_shown", server="copied")[0]
        recovered = cloud.events("recovered", server="copied")[0]

    assert meanwhile["state"] == "Provisioning"
    assert "fullyQualifiedDomainName" not in meanwhile
    assert 302 / 60 <= ended["boot_s"] - began["boot_s"] <= 420 / 60 + 0.5
    assert recovered["boot_s"] < shown["boot_s"] <= ended["boot_s"]
