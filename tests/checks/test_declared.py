"""What the profile declares: a configuration, rules of the application, and hooks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from drills.checks.assertions import assertions_hold
from drills.checks.configuration import NEWEST_ONLY, the_configuration_is_as_declared
from drills.checks.hooks import hooks_ran
from drills.history import History
from drills.model import (
    AssertionDeclared,
    AssertionRun,
    BackupsListed,
    Finding,
    HookRan,
    Instant,
    SettingsRead,
    Status,
)
from tests.corruption_histories import cut_over
from tests.failover_histories import described, forced
from tests.geo_histories import DECLARED, REGION_LOST, lost_region
from tests.histories import COPY_NAME, PRODUCTION, SOURCE_NAME, UTC_AT_ZERO_S, edited, honest

PASSED, FAILED, INCONCLUSIVE, NOT_APPLICABLE = (
    Status.PASSED,
    Status.FAILED,
    Status.INCONCLUSIVE,
    Status.NOT_APPLICABLE,
)
DAY_US = 86_400_000_000


# --- configuration --------------------------------------------------------------------------------------


def settings(at: float, server: str = SOURCE_NAME, **changes: Any) -> SettingsRead:
    read = SettingsRead(Instant(at), Instant(at + 0.1), server, ("vector", "plpgsql"), "TLSv1.2", "hnsw")
    return replace(read, **changes)


def configured() -> History:
    return edited(
        lost_region(),
        settings=(settings(60.0), settings(830.0, COPY_NAME)),
        backups=(BackupsListed(Instant(61.0), Instant(61.1), SOURCE_NAME, us(-3600.0)),),
    )


def us(at: float) -> int:
    return round((UTC_AT_ZERO_S + at) * 1e6)


def judged(history: History) -> Finding:
    return the_configuration_is_as_declared(history, REGION_LOST)


def source_is(**changes: Any) -> History:
    run = configured()
    return edited(run, described=(replace(run.described[0], **changes), *run.described[1:]))


def copy_is(**changes: Any) -> History:
    run = configured()
    return edited(run, described=(run.described[0], replace(run.described[1], **changes)))


def test_a_server_as_declared_passes_and_the_report_says_how_little_was_restored() -> None:
    finding = judged(configured())

    assert finding.status is PASSED
    assert NEWEST_ONLY in finding.summary


def test_what_a_restore_is_documented_to_drop_is_no_drift() -> None:
    """High availability is off on the copy, and its geo-redundancy is what was asked for."""
    assert configured().described[1].high_availability == "Disabled"
    assert judged(configured()).status is PASSED


@pytest.mark.parametrize(
    "drift",
    [
        {"sku": "Standard_B1ms", "tier": "Burstable", "vcores": 1, "memory_gb": 2},
        {"sku": "Standard_D2s_v3", "tier": "Burstable"},
        {"sku": "Standard_E2s_v3", "tier": "MemoryOptimized", "vcores": 2, "memory_gb": 4},
        {"version": "15.7"},
        {"storage_gb": 64},
        {"retention_days": 7},
        {"high_availability": "Disabled"},
        {"geo_redundant_backup": False},
    ],
)
def test_a_source_that_drifted_fails(drift: dict[str, Any]) -> None:
    assert judged(source_is(**drift)).status is FAILED


def test_a_higher_size_is_as_declared_where_the_profile_allows_it() -> None:
    higher = source_is(sku="Standard_E4s_v3", tier="MemoryOptimized", vcores=4, memory_gb=32)

    assert judged(higher).status is PASSED
    strict = edited(higher, declared=replace(DECLARED, sku_or_higher=False))
    assert judged(strict).status is FAILED
    exact = edited(configured(), declared=replace(DECLARED, storage_or_more=False, storage_gb=64))
    assert judged(exact).status is FAILED


@pytest.mark.parametrize(
    "unseen",
    [
        {"sku": None},
        {"version": None},
        {"storage_gb": None},
        {"retention_days": None},
        {"high_availability": None},
        {"geo_redundant_backup": None},
        {"sku": "Standard_E4s_v3", "vcores": None},
        {"sku": "Standard_X4", "tier": "Unheard"},
    ],
)
def test_what_the_answer_left_out_is_not_shown(unseen: dict[str, Any]) -> None:
    assert judged(source_is(**unseen)).status is INCONCLUSIVE


def test_a_copy_that_came_back_smaller_fails() -> None:
    assert judged(copy_is(storage_gb=32)).status is FAILED
    assert judged(copy_is(retention_days=7)).status is FAILED


@pytest.mark.parametrize(
    "changes",
    [{"extensions": ("plpgsql",)}, {"minimum_tls": "TLSv1"}, {"vector_index": "ivfflat"}],
)
def test_a_database_that_came_back_differently_fails(changes: dict[str, Any]) -> None:
    run = configured()
    drifted = edited(run, settings=(run.settings[0], replace(run.settings[1], **changes)))

    assert judged(drifted).status is FAILED


@pytest.mark.parametrize("changes", [{"minimum_tls": None}, {"minimum_tls": "SSLv3"}, {"vector_index": None}])
def test_a_setting_that_nobody_could_read_is_not_shown(changes: dict[str, Any]) -> None:
    run = configured()
    unread = edited(run, settings=(replace(run.settings[0], **changes), run.settings[1]))

    assert judged(unread).status is INCONCLUSIVE


@pytest.mark.parametrize(
    "lacks",
    [{"declared": None}, {"described": ()}, {"settings": ()}, {"described": (described(50.0),)}],
)
def test_without_a_description_nothing_is_shown(lacks: dict[str, Any]) -> None:
    assert judged(edited(configured(), **lacks)).status is INCONCLUSIVE


def test_backups_that_do_not_reach_back_as_far_as_promised_fail() -> None:
    assert judged(source_is(earliest_restore_us=us(0.0) - 20 * DAY_US)).status is FAILED
    assert judged(source_is(earliest_restore_us=us(0.0) - 34 * DAY_US)).status is PASSED
    young = source_is(earliest_restore_us=us(0.0) - 20 * DAY_US, created_us=us(0.0) - 19 * DAY_US)
    assert judged(young).status is PASSED


def test_a_source_that_does_not_say_how_far_back_it_reaches_is_a_sentence() -> None:
    finding = judged(source_is(earliest_restore_us=None))

    assert finding.status is PASSED
    assert "does not say how far back" in finding.summary
    assert "does not say" in judged(edited(configured(), clocks=())).summary


@pytest.mark.parametrize(
    ("backups", "said"),
    [
        ((), "nobody listed"),
        ((BackupsListed(Instant(61.0), Instant(61.1), SOURCE_NAME, None),), "lists no automatic backup"),
        ((BackupsListed(Instant(61.0), Instant(61.1), SOURCE_NAME, us(-3 * 86400.0)),), "more than 48 h old"),
    ],
)
def test_an_old_or_unseen_backup_is_a_caveat(backups: tuple[BackupsListed, ...], said: str) -> None:
    finding = judged(edited(configured(), backups=backups))

    assert finding.status is PASSED
    assert said in finding.summary


def test_after_a_failover_nothing_may_be_dropped() -> None:
    run = edited(forced(), declared=DECLARED, settings=(settings(60.0), settings(180.0)))
    alone = described(180.0, mode="Disabled", state="NotEnabled")

    assert judged(run).status is PASSED
    assert judged(edited(run, described=(run.described[0], alone))).status is FAILED


# --- assertions -----------------------------------------------------------------------------------------

NO_ORPHAN = AssertionDeclared("no message without its session", ("messages", "sessions"))


def asked(at: float, server: str, **changes: Any) -> AssertionRun:
    rows: dict[str, int | None] = {"messages": 1200, "sessions": 30}
    run = AssertionRun(Instant(at), Instant(at + 0.1), server, NO_ORPHAN.proves, 0, rows)
    return replace(run, **changes)


def with_rules(source: AssertionRun | None = None, copy: AssertionRun | None = None) -> History:
    runs = (source or asked(100.0, SOURCE_NAME), copy or asked(760.0, COPY_NAME))
    return edited(honest(), assertions=(NO_ORPHAN,), assertions_run=runs)


def holds(history: History) -> Finding:
    return assertions_hold(history, PRODUCTION)


def test_a_rule_that_holds_on_rows_that_are_there_passes() -> None:
    assert holds(with_rules()).status is PASSED


def test_a_rule_that_is_broken_on_the_copy_only_fails() -> None:
    assert holds(with_rules(copy=asked(760.0, COPY_NAME, violations=3))).status is FAILED


def test_a_rule_that_the_source_broke_as_well_is_a_note() -> None:
    both = with_rules(asked(100.0, SOURCE_NAME, violations=2), asked(760.0, COPY_NAME, violations=3))

    assert holds(both).status is PASSED
    assert "broken on the source as well" in holds(both).summary


@pytest.mark.parametrize("rows", [{"messages": 0, "sessions": 30}, {"messages": None, "sessions": 30}, {}])
def test_a_table_that_came_back_empty_or_not_at_all_breaks_no_rule_and_fails(rows: dict[str, Any]) -> None:
    assert holds(with_rules(copy=asked(760.0, COPY_NAME, rows_by_table=rows))).status is FAILED


def test_a_rule_that_no_row_could_break_shows_nothing() -> None:
    nothing: dict[str, int | None] = {"messages": 0, "sessions": 0}
    run = with_rules(
        asked(100.0, SOURCE_NAME, rows_by_table=nothing), asked(760.0, COPY_NAME, rows_by_table=nothing)
    )

    assert holds(run).status is INCONCLUSIVE


@pytest.mark.parametrize(
    "runs",
    [
        (),
        (asked(100.0, SOURCE_NAME),),
        (asked(760.0, COPY_NAME),),
        (asked(100.0, SOURCE_NAME, error="permission denied", violations=None), asked(760.0, COPY_NAME)),
        (asked(100.0, SOURCE_NAME), asked(760.0, COPY_NAME, violations=None, error="timeout")),
        (asked(100.0, SOURCE_NAME), asked(395.0, COPY_NAME)),
        (asked(400.0, SOURCE_NAME), asked(760.0, COPY_NAME)),
    ],
)
def test_a_rule_that_was_not_asked_of_both_in_time_did_not_run(runs: tuple[AssertionRun, ...]) -> None:
    assert holds(edited(with_rules(), assertions_run=runs)).status is INCONCLUSIVE


def test_without_rules_there_is_nothing_to_hold() -> None:
    assert holds(honest()).status is NOT_APPLICABLE


# --- hooks ----------------------------------------------------------------------------------------------

BEFORE = HookRan("before_fault", Instant(380.0), Instant(381.0), 0)
AFTER = HookRan("after_recovery", Instant(731.0), Instant(732.0), 0)


def hooked(*ran: HookRan, declared: tuple[str, ...] = ("before_fault", "after_recovery")) -> Finding:
    return hooks_ran(edited(honest(), hooks=declared, hooks_run=ran), PRODUCTION)


def test_hooks_that_ran_at_their_points_pass() -> None:
    assert hooked(BEFORE, AFTER).status is PASSED


@pytest.mark.parametrize("ran", [replace(AFTER, exit_code=1), replace(AFTER, exit_code=0, error="killed")])
def test_a_hook_that_ended_with_an_error_fails(ran: HookRan) -> None:
    assert hooked(BEFORE, ran).status is FAILED


@pytest.mark.parametrize(
    "ran",
    [
        (BEFORE,),
        (BEFORE, replace(AFTER, ended=None, exit_code=None)),
        (BEFORE, replace(AFTER, began=Instant(300.0))),
        (replace(BEFORE, ended=Instant(395.0)), AFTER),
    ],
)
def test_a_hook_that_did_not_run_or_not_at_its_point_shows_nothing(ran: tuple[HookRan, ...]) -> None:
    assert hooked(*ran).status is INCONCLUSIVE


def test_without_a_disaster_no_hook_ran_at_its_point() -> None:
    run = edited(honest(), hooks=("before_fault",), hooks_run=(BEFORE,), disaster=None)

    assert hooks_ran(run, PRODUCTION).status is INCONCLUSIVE


def test_only_a_cut_over_repoints_an_application() -> None:
    assert hooked(declared=("repointed",)).status is NOT_APPLICABLE
    assert hooks_ran(edited(cut_over(), hooks=("repointed",)), PRODUCTION).status is INCONCLUSIVE
    assert hooked(declared=()).status is NOT_APPLICABLE
