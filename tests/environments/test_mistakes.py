"""Every mistake in environments.toml is answered with file, table, key and a HINT."""

from __future__ import annotations

from pathlib import Path

import pytest

from drills.environments import load
from drills.errors import ConfigurationError, ExitCode

RIGHT = """
[uat.azure]
subscription = "${SUBSCRIPTION}"
resource_group = "app-rg"
server = "uat-db"
region = "eastus2"
paired_region = "centralus"
drill_resource_group = "drills-rg"

[uat.connection]
database = "zep"
user = "cogadmin"
auth = "password"
password_env = "UAT_PASSWORD"

[uat.network]
mode = "public"
allow_from = ["203.0.113.7"]

[uat.expected]
tier = "GeneralPurpose"
sku = "Standard_D2s_v3"
vcores = 2
memory_gb = 8
version = 16
storage_gb = 64
high_availability = "ZoneRedundant"
backup_retention_days = 14
geo_redundant_backup = true
point_in_time_restore_promised = true
vector_index = { method = "hnsw", m = 16 }

[uat.policy]
markers_per_second = 10

[uat.objectives.pitr_restore]
rpo = "1h"
rto = "1h"
source = "Decided by the owner of the data"

[uat.objectives.geo_restore]
rpo = "1h"
rto = "4h"
stretch = "1h"
source = "Decided by the owner of the data"

[uat.hooks.repointed]
command = ["./repoint.sh"]
limit = "2m"

[[uat.assertions]]
proves = "no message without its session"
sql = "select m.id from zep_messages m left join zep_sessions s on s.id = m.session_id where s.id is null"
tables = ["zep_messages", "zep_sessions"]
"""


# For each table: the key that is named, what is right, what is written instead, and what is said.
MISTAKES = {
    "[uat.network]": [
        ("allow", 'mode = "public"', 'mode = "public"\nallow = 1', "is not known"),
        ("subnet_id", 'mode = "public"', 'mode = "private"', "a private network needs subnet_id"),
        ("subnet_id", 'mode = "public"', 'mode = "public"\nsubnet_id = "x"', "a public network has no"),
        ("allow_from", '"203.0.113.7"', '"0.0.0.0/0"', "the whole internet"),
        ("allow_from", '"203.0.113.7"', '"home"', "is no IPv4 address"),
        ("allow_from", '"203.0.113.7"', '"2001:db8::1"', "is not IPv4"),
    ],
    "[uat.objectives.pitr_restore]": [
        ("rto", 'rto = "1h"', 'rt0 = "1h"', "is missing"),
        ("rpo", 'rpo = "1h"', "rpo = 3600", "3600 is not a duration"),
        ("rpo", 'rpo = "1h"', 'rpo = "0s"', "0 seconds cannot be met"),
        ("source", 'rto = "1h"\nsource = "Decided by the owner of the data"', 'rto = "1h"', "is missing"),
        (
            "source",
            'rto = "1h"\nsource = "Decided by the owner of the data"',
            'rto = "1h"\nsource = "me"',
            "is not a sentence",
        ),
    ],
    "[uat.azure]": [
        ("server", 'server = "uat-db"', "", "is missing"),
        ("paired_region", 'paired_region = "centralus"', "", "not the region that it is copied to"),
        ("paired_region", 'paired_region = "centralus"', 'paired_region = "East US 2"', "the region itself"),
        (
            "drill_resource_group",
            'drill_resource_group = "drills-rg"',
            'drill_resource_group = "APP-RG"',
            "the source's own",
        ),
        ("server", 'server = "uat-db"', 'server = "Uat_DB"', "is not the name of a flexible server"),
        ("subscription", '"${SUBSCRIPTION}"', '"$SUBSCRIPTION"', "a $ that is no variable"),
        ("subscription", '"${SUBSCRIPTION}"', '"12345"', "is not a subscription id"),
    ],
    "[uat.expected]": [
        ("version", "version = 16", 'version = "16"', "does not fit"),
        ("vcores", "vcores = 2", "vcores = true", "does not fit"),
        ("vector_index", '"hnsw"', '"btree"', "does not fit"),
        ("backup_retention_days", "backup_retention_days = 14", "backup_retention_days = 36", "36 days"),
        ("backup_retention_days", "backup_retention_days = 14", "backup_retention_days = 6", "6 days"),
        ("tier", 'tier = "GeneralPurpose"', 'tier = "Burstable"', "is of the tier GeneralPurpose"),
        (
            "high_availability",
            'tier = "GeneralPurpose"\nsku = "Standard_D2s_v3"',
            'tier = "Burstable"\nsku = "Standard_B1ms"',
            "on Burstable, which has none",
        ),
    ],
    "[uat.expected.vector_index]": [
        ("lists", "m = 16", "m = 16, lists = 3", "is not known"),
    ],
    "[uat]": [
        ("polics", "[uat.policy]", "[uat.polics]", "is not known"),
    ],
    "[uat.objectives.geo_restore]": [
        ("stretch", 'stretch = "1h"', 'stretch = "5h"', "looser than the RTO"),
    ],
    "[uat.objectives]": [
        ("pitr", "objectives.pitr_restore", "objectives.pitr", "no such scenario"),
        ("pitr_restore", "[uat.objectives.pitr_restore]", "[uat.objectives.ha_failover]", "no objectives"),
        (
            "geo_restore",
            "geo_redundant_backup = true",
            "geo_redundant_backup = false",
            "no geo-redundant backup",
        ),
    ],
    "[uat.policy]": [
        ("probe_every", "markers_per_second = 10", 'probe_every = "2h"', "cannot judge an RTO"),
        ("markers_per_second", "markers_per_second = 10", "markers_per_second = 101", "101 does not fit"),
        ("markers_per_second", "markers_per_second = 10", "markers_per_second = 0", "0 does not fit"),
        ("archive_lag_accepted", "markers_per_second = 10", 'archive_lag_accepted = ""', "is not a sentence"),
        ("off_limits", "markers_per_second = 10", 'off_limits = ["Fri 25:00-26:00"]', "are no hours"),
        (
            "faults_allowed",
            "markers_per_second = 10",
            'faults_allowed = ["ha failover"]',
            "names no scenario",
        ),
        ("source_read_limit", "markers_per_second = 10", 'source_read_limit = "lots"', "is not a size"),
    ],
    "[uat.connection]": [
        ("password_env", 'password_env = "UAT_PASSWORD"', "", "needs the name of the variable"),
        ("password_env", 'password_env = "UAT_PASSWORD"', 'password_env = "hunter 2!"', "needs the name"),
        ("password_env", 'auth = "password"', 'auth = "entra"', "Entra authentication has no password"),
        ("port", 'user = "cogadmin"', 'user = "cogadmin"\nport = 70000', "70000 does not fit"),
    ],
    "[uat.hooks.repointed]": [
        ("command", 'command = ["./repoint.sh"]', "", "a command or a .sql file"),
        ("sql", 'command = ["./repoint.sh"]', 'sql = "repoint.sh"', "is no .sql file"),
    ],
    "[uat.hooks]": [
        ("repoint", "[uat.hooks.repointed]", "[uat.hooks.repoint]", "is not known"),
    ],
    "[[uat.assertions]], number 1": [
        ("tables", 'tables = ["zep_messages", "zep_sessions"]', "tables = []", "does not fit"),
    ],
}


def write(folder: Path, text: str) -> Path:
    path = folder / "environments.toml"
    path.write_text(text, encoding="utf-8")
    return path


def mistake(folder: Path, text: str) -> ConfigurationError:
    path = write(folder, text)
    with pytest.raises(ConfigurationError) as caught:
        load(path)
    assert str(path) in caught.value.sentence
    assert caught.value.hint
    assert caught.value.exit_code is ExitCode.USAGE
    assert "\n" not in caught.value.sentence
    return caught.value


def test_the_file_that_the_mistakes_are_made_in_is_right(tmp_path: Path) -> None:
    profile = load(write(tmp_path, RIGHT)).profile("uat")

    assert profile.hooks.repointed is not None
    assert profile.hooks.repointed.limit_s == 120.0
    assert profile.assertions[0].tables == ("zep_messages", "zep_sessions")
    assert profile.policy.switch_over_delay_s == 30.0
    assert profile.policy.detection_and_decision_s == 0.0
    assert profile.policy.probe_every_s is None
    assert profile.policy.archive_lag_accepted is None


@pytest.mark.parametrize(
    ("table", "key", "right", "wrong", "said"),
    [
        pytest.param(table, *case, id=f"{table} {case[0]} {case[3]}")
        for table, cases in MISTAKES.items()
        for case in cases
    ],
)
def test_a_mistake_is_named_by_table_and_key(
    tmp_path: Path, table: str, key: str, right: str, wrong: str, said: str
) -> None:
    assert right in RIGHT

    error = mistake(tmp_path, RIGHT.replace(right, wrong, 1))

    assert f"{table}, key {key!r}: " in error.sentence
    assert said in error.sentence


def test_a_misspelt_key_is_answered_with_the_one_that_was_meant(tmp_path: Path) -> None:
    error = mistake(tmp_path, RIGHT.replace("markers_per_second", "markers_per_secnd"))

    assert (error.hint or "").startswith("did you mean markers_per_second? Known here: ")
    assert "switch_over_delay" in (error.hint or "")


def test_the_names_that_the_engine_uses_are_not_keys_of_the_file(tmp_path: Path) -> None:
    """`rto_s = "15m"` would otherwise be a second spelling that nobody documents."""
    error = mistake(
        tmp_path, RIGHT.replace("switch_over", "x").replace('rto = "1h"', 'rto = "1h"\nrto_s = "1h"')
    )

    assert "key 'rto_s': it is not known" in error.sentence


def test_several_mistakes_are_counted_and_the_first_is_explained(tmp_path: Path) -> None:
    error = mistake(tmp_path, RIGHT.replace("vcores = 2", "").replace("memory_gb = 8", ""))

    assert "(and 1 more)" in error.sentence


def test_an_environment_without_its_tables_is_told_the_first_that_is_missing(tmp_path: Path) -> None:
    assert "[uat], key 'azure': it is missing" in mistake(tmp_path, "[uat.policy]\n").sentence


def test_text_that_is_not_toml_is_answered_with_the_place(tmp_path: Path) -> None:
    assert "at line 2" in mistake(tmp_path, "[uat.azure]\nserver = \n").sentence


def test_a_file_that_does_not_exist_is_answered_with_where_it_is_looked_for(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read: No such file") as caught:
        load(tmp_path / "environments.toml")

    assert "run from the checkout" in (caught.value.hint or "")


@pytest.mark.parametrize("text", ["", "[defaults.policy]\n"])
def test_a_file_without_an_environment_declares_nothing(tmp_path: Path, text: str) -> None:
    assert "declares no environment" in mistake(tmp_path, text).sentence


def test_a_key_outside_of_every_table_is_refused(tmp_path: Path) -> None:
    assert "stands outside of every table" in mistake(tmp_path, 'rto = "1h"\n' + RIGHT).sentence


def test_a_default_holds_until_the_environment_says_otherwise(tmp_path: Path) -> None:
    defaults = '[defaults.policy]\nswitch_over_delay = "5s"\nmarkers_per_second = 3\n'

    policy = load(write(tmp_path, defaults + RIGHT)).profile("uat").policy

    assert (policy.switch_over_delay_s, policy.markers_per_second) == (5.0, 10.0)


def test_a_mistake_in_a_default_is_named_as_one(tmp_path: Path) -> None:
    error = mistake(tmp_path, '[defaults.policy]\nswitch_over_delay = "soon"\n' + RIGHT)

    assert "[defaults.policy], key 'switch_over_delay'" in error.sentence


def test_assertions_of_the_defaults_come_before_the_environments_own(tmp_path: Path) -> None:
    everywhere = (
        "[[defaults.assertions]]\n"
        'proves = "facts end after they begin"\nsql = "select 1 where false"\ntables = ["t"]\n'
    )

    assertions = load(write(tmp_path, everywhere + RIGHT)).profile("uat").assertions

    assert [assertion.proves for assertion in assertions] == [
        "facts end after they begin",
        "no message without its session",
    ]


def test_a_scenario_that_was_added_as_a_file_may_have_objectives(tmp_path: Path) -> None:
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "server_deletion.py").touch()
    added = '[uat.objectives.server_deletion]\nrpo = "1h"\nrto = "1h"\nsource = "Decided by the owner"\n'

    profile = load(write(tmp_path, RIGHT + added)).profile("uat")

    assert profile.objectives["server_deletion"].rto_s == 3600.0
