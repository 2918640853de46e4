"""What does a plan refuse, and what does it derive from the profile and the time scale?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from drills import environments, plan
from drills.azure.ownership import parse
from drills.environments import Assertion, Hook, Hooks, Profile
from drills.errors import Refused
from drills.target import Application, SourceServer, Target

ROOT = Path(__file__).parents[2]
NOON = datetime(2026, 11, 21, 12, 0, 30, tzinfo=UTC)
TARGET = Target(
    kind="twin",
    arm_endpoint="https://localhost:1",
    subscription_id="s",
    application=Application("https://localhost:1", "t", "c", "secret-of-the-application"),
    ca_file=Path("ca.pem"),
    names_url="http://127.0.0.1:2",
    time_scale=30.0,
)
SOURCE = SourceServer(
    "db", "source-rg", "drills-rg", "cogadmin", "password-of-the-source", "zep", 5432, ("127.0.0.1",)
)


def production() -> Profile:
    return environments.load(ROOT / "environments.toml").profile("production")


def made(profile: Profile, *, target: Target = TARGET) -> plan.Plan:
    return plan.make(
        "pitr_restore",
        "latest",
        leg="pitr",
        profile=profile,
        source=SOURCE,
        target=target,
        now=NOON,
        trigger="rehearsal",
        code_version="0",
    )


def test_windows_and_objectives_are_divided_by_the_time_scale_and_rates_are_not() -> None:
    scaled, real = made(production()), made(production(), target=replace(TARGET, time_scale=1.0))

    assert (real.objectives.rpo_s, real.objectives.rto_s) == (300.0, 900.0)
    assert (scaled.objectives.rpo_s, scaled.objectives.rto_s) == (10.0, 30.0)
    assert (scaled.objectives.rpo_profile_s, scaled.objectives.rto_profile_s) == (300.0, 900.0)
    assert (real.pace.window_s, scaled.pace.window_s) == (390.0, 13.0)
    assert real.pace.marker_period_s == scaled.pace.marker_period_s == 0.2


def test_a_window_is_never_longer_than_twelve_minutes() -> None:
    staging = environments.load(ROOT / "environments.toml").profile("staging")

    assert made(staging, target=replace(TARGET, time_scale=1.0)).pace.window_s == 720.0


def test_the_recovered_server_is_ours_by_its_name_and_outlives_no_day() -> None:
    name = parse(made(production()).recovered)

    assert name is not None
    assert name.leg == "pitr"
    assert NOON < name.expires <= NOON.replace(hour=18)


def test_two_runs_of_one_second_have_different_servers() -> None:
    assert made(production()).recovered != made(production()).recovered


@pytest.mark.parametrize(
    ("left_out", "named"),
    [
        ({"hooks": Hooks(after_recovery=Hook(sql="mend.sql"))}, "hooks.after_recovery"),
        (
            {
                "assertions": (
                    Assertion(
                        proves="no fact ends before it begins",
                        sql="SELECT id FROM zep_facts WHERE valid_to < valid_from",
                        tables=("zep_facts",),
                    ),
                )
            },
            "assertions",
        ),
    ],
)
def test_what_the_profile_asks_for_and_no_drill_does_yet_is_refused_and_not_left_out(
    left_out: dict[str, object], named: str
) -> None:
    """A drill that skipped it could pass."""
    with pytest.raises(Refused, match=named) as refused:
        made(production().model_copy(update=left_out))

    assert refused.value.hint


def test_a_plan_names_its_calls_and_holds_no_secret() -> None:
    decided = made(production())

    assert [call.name for call in decided.calls] == ["restore to a point in time", "firewall rule", "delete"]
    assert {call.resource for call in decided.calls} == {decided.recovered}
    assert "password-of-the-source" not in str(decided.as_json()) + repr(SOURCE)
    assert "secret-of-the-application" not in str(decided.as_json()) + repr(TARGET)
