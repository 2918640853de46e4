"""environments.toml as it ships says what the strategy document says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from drills.environments import Environments, Hnsw, IvfFlat, load
from drills.errors import ConfigurationError, UsageError

FILE = Path(__file__).parents[2] / "environments.toml"
SMALL = ("staging", "dev", "test")
HOUR_S = 3600.0


@pytest.fixture(scope="module")
def shipped() -> Environments:
    return load(FILE)


def test_there_are_the_five_environments_of_the_strategy_document(shipped: Environments) -> None:
    assert shipped.names == ("staging", "dev", "test", "uat", "production")


@pytest.mark.parametrize(
    ("name", "sku", "storage_gb", "days", "availability", "geo"),
    [
        *((name, "Standard_B1ms", 32, 7, "Disabled", False) for name in SMALL),
        ("uat", "Standard_D2s_v3", 64, 14, "ZoneRedundant", True),
        ("production", "Standard_D2s_v3", 128, 35, "ZoneRedundant", True),
    ],
)
def test_each_expects_the_server_of_the_strategy_document(
    shipped: Environments, name: str, sku: str, storage_gb: int, days: int, availability: str, geo: bool
) -> None:
    expected = shipped.profile(name).expected

    assert (expected.sku, expected.storage_gb, expected.version) == (sku, storage_gb, 16)
    assert (expected.backup_retention_days, expected.high_availability) == (days, availability)
    assert (expected.geo_redundant_backup, expected.minimum_tls) == (geo, "1.2")
    assert expected.extensions == ("vector",)


@pytest.mark.parametrize(
    ("name", "rpo_s", "rto_s"),
    [
        *((name, 24 * HOUR_S, 4 * HOUR_S) for name in SMALL),
        ("uat", HOUR_S, HOUR_S),
        ("production", 300.0, 900.0),
    ],
)
def test_each_restore_is_held_to_the_objectives_of_the_strategy_document(
    shipped: Environments, name: str, rpo_s: float, rto_s: float
) -> None:
    objectives = shipped.profile(name).objectives["pitr_restore"]

    assert (objectives.rpo_s, objectives.rto_s) == (rpo_s, rto_s)
    assert not objectives.assumed


def test_every_objective_names_the_document_that_it_comes_from(shipped: Environments) -> None:
    for profile in shipped.profiles.values():
        for objectives in profile.objectives.values():
            assert objectives.source.startswith("Strategy document, ")


@pytest.mark.parametrize("name", ["uat", "production"])
def test_what_the_strategy_leaves_open_is_marked_as_assumed(shipped: Environments, name: str) -> None:
    profile = shipped.profile(name)

    assert profile.objectives["ha_failover"].rows == 0
    assert profile.objectives["ha_failover"].assumed
    geo = profile.objectives["geo_restore"]
    assert (geo.rpo_s, geo.rto_s, geo.stretch_s, geo.assumed) == (HOUR_S, 4 * HOUR_S, HOUR_S, True)


def test_only_production_may_be_larger_than_declared(shipped: Environments) -> None:
    larger = [
        p.name for p in shipped.profiles.values() if p.expected.sku_or_higher or p.expected.storage_or_more
    ]

    assert larger == ["production"]


def test_the_vector_index_is_the_one_that_the_strategy_recommends(shipped: Environments) -> None:
    assert shipped.profile("production").expected.vector_index == Hnsw(
        method="hnsw", m=16, ef_construction=64
    )
    assert shipped.profile("dev").expected.vector_index == IvfFlat(method="ivfflat", lists=100)


@pytest.mark.parametrize("name", SMALL)
def test_without_high_availability_or_geo_backup_their_scenarios_do_not_apply(
    shipped: Environments, name: str
) -> None:
    profile = shipped.profile(name)

    assert "no high availability" in (profile.applicability("ha_failover", "forced") or "")
    assert "no geo-redundant backup" in (profile.applicability("geo_restore", None) or "")


@pytest.mark.parametrize("name", [*SMALL, "uat", "production"])
@pytest.mark.parametrize("variant", ["latest", "chosen"])
def test_a_restore_to_a_point_in_time_applies_everywhere(
    shipped: Environments, name: str, variant: str
) -> None:
    """Staging, dev and test promise none, and are drilled all the same, against their own objectives."""
    assert shipped.profile(name).applicability("pitr_restore", variant) is None


def test_a_profile_can_be_written_as_json_and_holds_the_names_of_variables_only(
    shipped: Environments,
) -> None:
    written = json.loads(json.dumps(shipped.profile("production").as_json()))

    assert written["objectives"]["pitr_restore"]["rto_s"] == 900.0
    assert written["connection"]["password_env"] == "DRILLS_PASSWORD"
    assert written["policy"]["switch_over_delay_s"] == 30.0
    assert written["azure"]["subscription"] == "${DRILLS_SUBSCRIPTION}"


def test_nothing_of_azure_is_needed_until_a_drill_runs_against_azure(shipped: Environments) -> None:
    """All tests above read the file without one variable; this is the moment at which one is missing."""
    with pytest.raises(ConfigurationError) as caught:
        shipped.profile("production").azure.resolved({})

    assert "[production.azure]" in caught.value.sentence
    assert "'subscription'" in caught.value.sentence
    assert "DRILLS_SUBSCRIPTION is not set" in caught.value.sentence
    assert "export DRILLS_SUBSCRIPTION" in (caught.value.hint or "")


def test_with_its_variables_set_the_source_has_a_complete_id(shipped: Environments) -> None:
    environ = {
        "DRILLS_SUBSCRIPTION": "00000000-0000-0000-0000-000000000001",
        "DRILLS_ALLOW_FROM": "203.0.113.7",
    }

    used = shipped.profile("production").resolved(environ)

    assert used.azure.server_id == (
        "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/engram-rg"
        "/providers/Microsoft.DBforPostgreSQL/flexibleServers/production-db"
    )
    assert used.network.allow_from == ("203.0.113.7",)
    assert used.as_json()["azure"]["subscription"] == environ["DRILLS_SUBSCRIPTION"]


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("DRILLS_SUBSCRIPTION", "my subscription", "is not a subscription id"),
        ("DRILLS_ALLOW_FROM", "0.0.0.0/0", "the whole internet"),
        ("DRILLS_ALLOW_FROM", "0.0.0.0", "every customer of Azure"),
    ],
)
def test_what_a_variable_stands_for_is_judged_like_what_is_written(
    shipped: Environments, variable: str, value: str, said: str
) -> None:
    environ = {
        "DRILLS_SUBSCRIPTION": "00000000-0000-0000-0000-000000000001",
        "DRILLS_ALLOW_FROM": "203.0.113.7",
        variable: value,
    }

    with pytest.raises(ConfigurationError, match=said) as caught:
        shipped.profile("production").resolved(environ)

    assert "environments.toml, [production." in caught.value.sentence
    assert caught.value.hint


def test_an_environment_that_does_not_exist_is_answered_with_those_that_do(shipped: Environments) -> None:
    with pytest.raises(UsageError) as caught:
        shipped.profile("prod")

    assert "knows no environment 'prod'" in caught.value.sentence
    assert caught.value.hint == "did you mean production? It has staging, dev, test, uat, production"


def test_a_profile_cannot_be_changed_after_it_was_read(shipped: Environments) -> None:
    profile = shipped.profile("production")

    with pytest.raises(ValueError, match="frozen"):
        profile.objectives["pitr_restore"].rto_s = 1e9
    with pytest.raises(TypeError):
        profile.objectives["pitr_restore"] = profile.objectives["geo_restore"]  # type: ignore[index]  # the point


def test_a_scenario_without_objectives_is_not_judged_by_a_guess(shipped: Environments) -> None:
    with pytest.raises(ConfigurationError, match=r"\[dev\.objectives\.ha_failover\]"):
        shipped.profile("dev").objectives_of("ha_failover")
