from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from drills.checks.data_lost import acknowledged_data_lost_within_the_objective
from drills.history import History
from drills.model import ClockRead, HookRan, Instant, Objectives
from drills.phases import phases
from drills.result import as_text, build, evidence_class
from drills.verdict import find, findings_of
from tests.corruption_histories import HOURS, cut_over, table_repair
from tests.failover_histories import forced
from tests.geo_histories import REGION_LOST, lost_region
from tests.histories import (
    PRODUCTION,
    SOURCE_NAME,
    edited,
    honest,
    lacking,
    restored_to,
    samples,
    utc_stepped,
)

MANDATED = {
    "schema_version", "run_id", "scenario", "variant", "environment", "evidence_class", "began", "ended", "verdict",
    "time_scale", "trigger", "rto", "rpo", "outage", "exposure", "markers", "phases", "findings", "caveats", "source",
    "recovered",
}  # fmt: skip
COUNTED = {
    "attempted", "acked", "refused", "unknown", "survived", "lost_acked", "recovered_unknown", "strangers",
    "duplicated", "holes",
}  # fmt: skip


def result_of(history: History, objectives: Objectives = PRODUCTION) -> dict[str, Any]:
    return build(history, objectives, find(history, objectives))


def run_as(history: History, **changes: Any) -> History:
    return edited(history, run=replace(history.run, **changes))


def test_everything_that_was_agreed_on_is_there() -> None:
    result = result_of(honest())

    assert set(result) >= MANDATED
    assert {"objective_s", "objective_profile_s", "low_s", "high_s", "status"} <= set(result["rto"])
    assert {"lost", "exposed", "lost_rows", "objective_rows", "wal_bytes"} <= set(result["rpo"])
    assert set(result["exposure"]) >= {"archive_lag_max_s", "archive_lag_median_s"}
    assert set(result["markers"]) == COUNTED
    assert set(result["findings"][0]) >= {"check", "status", "summary", "measured", "evidence"}
    assert set(result["phases"][0]) == {"name", "began_s", "ended_s", "waited_for"}


def test_moments_are_utc_to_the_millisecond() -> None:
    result = result_of(honest())

    assert (result["began"], result["ended"]) == ("2026-11-01T07:59:55.000Z", "2026-11-01T08:13:30.000Z")
    assert result["restore_point"] == "2026-11-01T08:06:31.300Z"


def test_what_was_not_measured_is_null_as_a_whole() -> None:
    nothing = edited(
        honest(), disaster=None, surveys=(), attempts=(), looks=(), samples=(), request=None, ended=None
    )
    result = result_of(nothing)

    assert (result["rto"], result["rpo"], result["exposure"], result["ended"]) == (None, None, None, None)
    assert result["markers"]["survived"] is None
    assert result["markers"]["holes"] is None
    assert result["phases"] == []
    assert result["verdict"] == "inconclusive"


def test_a_bound_that_nobody_saw_is_null_and_has_no_parts() -> None:
    result = result_of(edited(honest(), samples=samples(behind=1000.0)))

    assert result["rpo"]["high_s"] is None
    assert result["rpo"]["parts"] == []
    assert result["rpo"]["exposed"]["high_s"] is None
    assert result["rpo"]["lost"]["high_s"] is not None


def test_a_chosen_point_is_not_judged_for_lost_seconds() -> None:
    assert result_of(honest("chosen"))["rpo"] is None


def test_markers_are_counted_by_what_became_of_them() -> None:
    counted = result_of(lacking(restored_to(honest(), 300.0), ("a", 5)))["markers"]

    assert counted["acked"] == counted["attempted"] == 780
    assert counted["survived"] + counted["lost_acked"] == 780
    assert counted["holes"] == 1


def test_the_status_of_an_interval_is_that_of_its_check() -> None:
    """An interval within the objective may still be inconclusive, and nobody may read it as passed."""
    result = result_of(edited(honest(), samples=samples(behind=80.0)), replace(PRODUCTION, rpo_s=120.0))

    assert result["rpo"]["high_s"] < 120.0
    assert result["rpo"]["status"] == "inconclusive"


def test_an_interval_without_its_finding_is_inconclusive() -> None:
    assert build(honest(), PRODUCTION, ())["rto"]["status"] == "inconclusive"  # type: ignore[call-overload,index]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "live"),
        ({"arm_host": "MANAGEMENT.usgovcloudapi.net"}, "live"),
        ({"arm_host": "127.0.0.1"}, "rehearsal"),
        ({"arm_host": "management.azure.com.example"}, "rehearsal"),
        ({"public_ca": False}, "rehearsal"),
        ({"time_scale": 30.0}, "rehearsal"),
    ],
)
def test_evidence_is_live_only_where_everything_says_so(changes: dict[str, Any], expected: str) -> None:
    assert evidence_class(run_as(honest(), **changes)) == expected


def test_caveats_follow_from_the_record() -> None:
    def caveats(history: History, objectives: Objectives = PRODUCTION) -> str:
        return "\n".join(result_of(history, objectives)["caveats"])

    assert caveats(honest()) == ""
    assert "30 times as fast" in caveats(run_as(honest(), time_scale=30.0))
    assert "rehearsal" in caveats(run_as(honest(), time_scale=30.0))
    assert "the clocks disagree" in caveats(utc_stepped(honest(), 500.0, 20.0))
    assert "no Date" in caveats(edited(honest(), dates=()))
    assert "did not come to its end" in caveats(edited(honest(), completed=False))
    assert "assumed" in caveats(honest(), replace(PRODUCTION, assumed=True))
    assert "longer than any window" in caveats(
        honest(), replace(PRODUCTION, rpo_s=86400.0, rpo_profile_s=86400.0)
    )
    assert "the archive lagged" in caveats(honest(), replace(PRODUCTION, rpo_s=50.0))
    assert caveats(edited(honest(), caveats=("said by the run",))) == "said by the run"


def test_text_is_json_that_ends_with_a_line_and_knows_no_infinity() -> None:
    text = as_text(result_of(honest()))

    assert text.endswith("}\n")
    assert json.loads(text) == result_of(honest())
    with pytest.raises(ValueError, match="JSON compliant"):
        as_text({"high_s": float("inf")})


def test_a_clock_that_ends_before_it_began_is_written_as_it_was_read() -> None:
    assert (
        result_of(edited(honest(), ended=ClockRead(Instant(810.0), 0.0)))["ended"]
        == "1970-01-01T00:00:00.000Z"
    )


# --- phases ---------------------------------------------------------------------------------------------


def test_phases_say_when_each_was_over_and_whom_it_waited_for() -> None:
    found = {p.name: (round(p.ended_s, 2), p.waited_for.value) for p in phases(honest(), PRODUCTION)}

    assert found == {
        "accepted": (0.6, "service"),
        "provisioning": (311.05, "service"),
        "network opened": (325.0, "service"),
        "connectable": (340.02, "service"),
        "readable": (340.02, "service"),
        "writable": (340.02, "service"),
        "verified": (383.0, "tool"),
    }


def test_a_failover_and_its_hooks_have_phases_that_add_up_to_the_upper_bound() -> None:
    run = edited(forced(), hooks_run=(HookRan("after_recovery", Instant(109.0), Instant(111.0), 0),))
    found = {p.name: round(p.ended_s, 2) for p in phases(run, PRODUCTION)}

    assert found == {
        "accepted": 0.4,
        "connectable": 0.4,
        "readable": 0.4,
        "writable": 8.02,
        "hooks": 11.0,
        "verified": 63.0,
    }


@pytest.mark.parametrize(
    ("run", "objectives", "judged"),
    [
        (lost_region(), REGION_LOST, True),
        (cut_over(), HOURS, True),
        (table_repair(), HOURS, False),
        (forced(), PRODUCTION, False),
    ],
)
def test_what_is_judged_in_rows_states_no_seconds(run: History, objectives: Objectives, judged: bool) -> None:
    result = build(
        run, objectives, findings_of((acknowledged_data_lost_within_the_objective,), run, objectives)
    )
    rpo: Any = result["rpo"]

    assert (rpo is not None) is judged
    assert rpo is None or (rpo["exposed"] is None and rpo["lost"]["low_s"] == pytest.approx(rpo["low_s"]))
    assert as_text(result)


def test_a_failover_names_one_server_before_and_after() -> None:
    result: Any = build(forced(), PRODUCTION, ())

    assert result["source"]["server"] == result["recovered"]["server"] == SOURCE_NAME
    assert (result["source"]["timeline"], result["recovered"]["timeline"]) == (1, 2)
    assert result["outage"] is None


def test_what_was_never_seen_to_end_is_no_phase() -> None:
    names = [p.name for p in phases(edited(honest(), attempts=(), surveys=()), PRODUCTION)]

    assert names == ["accepted", "provisioning", "network opened"]
    assert phases(edited(honest(), disaster=None), PRODUCTION) == ()


def test_a_stated_detection_comes_first() -> None:
    first, second, *_ = phases(honest(), replace(PRODUCTION, detection_and_decision_s=60.0))

    assert (first.name, first.began_s, first.ended_s, first.waited_for) == (
        "detected and decided",
        0.0,
        60.0,
        "person",
    )
    assert second.began_s == 60.0


def test_what_only_another_clock_saw_is_a_phase_of_its_own() -> None:
    found = phases(utc_stepped(honest(), 500.0, 20.0), PRODUCTION)

    assert found[-1].name == "seen by another clock only"
    assert found[-1].ended_s - found[-1].began_s == pytest.approx(20.0)
