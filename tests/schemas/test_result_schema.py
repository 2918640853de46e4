"""Does result.json have the shape that is shipped with it, whatever a run went through?"""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from drills import judging
from drills.checks.required import required
from drills.history import History
from drills.model import ClockRead, Instant, Objectives, VectorQueried
from drills.result import as_text, build
from drills.verdict import find
from tests import histories
from tests.checks.recording import record
from tests.checks.simulated import data_world, service_world
from tests.histories import (
    PRODUCTION,
    RUN,
    acked,
    edited,
    lacking,
    paused,
    restored_to,
    row_of,
    samples,
    surveys_find,
    utc_stepped,
)
from tests.rehearsing import rehearsed

ROOT = Path(__file__).parents[2]
SCHEMA: dict[str, Any] = json.loads(
    (resources.files("drills") / "schemas" / "result.schema.json").read_text(encoding="utf-8")
)
VALIDATOR = jsonschema_rs.Draft202012Validator(SCHEMA, validate_formats=True)
VARIANTS = ["latest", "chosen"]


@cache
def honest(variant: str = "latest") -> History:
    """The honest history; frozen, so that it has to be built only once."""
    return histories.honest(variant)


@cache
def honest_result(variant: str = "latest") -> dict[str, Any]:
    """Its result, to be copied before it is changed."""
    return result_of(honest(variant))


def result_of(history: History, objectives: Objectives = PRODUCTION) -> dict[str, Any]:
    """The result as a reader of result.json gets it."""
    result: dict[str, Any] = json.loads(as_text(build(history, objectives, find(history, objectives))))
    return result


def wrongs(result: dict[str, Any]) -> list[str]:
    """Where a result differs from the schema, and whether an interval is upside down."""
    found = [
        f"{'/'.join(map(str, each.instance_path))}: {each.message}" for each in VALIDATOR.iter_errors(result)
    ]
    found += [f"{one} is upside down" for one in _intervals(result) if _upside_down(one)]
    return found


def _intervals(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if "low_s" in value:
            yield value
        for each in value.values():
            yield from _intervals(each)
    elif isinstance(value, list):
        for each in value:
            yield from _intervals(each)


def _upside_down(interval: dict[str, Any]) -> bool:
    return interval["high_s"] is not None and interval["low_s"] > interval["high_s"]


BROKEN: dict[str, Callable[[History], History]] = {
    "nothing lost": lambda run: run,
    "restored too early": lambda run: restored_to(run, 200.0),
    "a hole": lambda run: lacking(run, ("a", 5)),
    "number one lost": lambda run: lacking(run, ("a", 1)),
    "nothing there": lambda run: surveys_find(run, lambda row: row.run_id != RUN),
    "rows of an earlier run lost": lambda run: surveys_find(run, lambda row: row.run_id == RUN),
    "a stranger": lambda run: surveys_find(run, lambda _: True, row_of(acked(9999, 5.0, 5.1))),
    "the archive is far behind": lambda run: edited(run, samples=samples(behind=1000.0)),
    "the archive was not read": lambda run: edited(run, samples=()),
    "no disaster": lambda run: edited(run, disaster=None),
    "no markers": lambda run: edited(run, markers=()),
    "no attempts": lambda run: edited(run, attempts=(), looks=()),
    "no surveys": lambda run: edited(run, surveys=()),
    "one survey": lambda run: edited(run, surveys=run.surveys[:1]),
    "no request": lambda run: edited(run, request=None),
    "the source was not asked": lambda run: edited(run, source_nonces=None),
    "no prober": lambda run: edited(run, probers=()),
    "no server was named": lambda run: edited(run, created=()),
    "aborted": lambda run: edited(run, completed=False),
    "killed": lambda run: edited(run, completed=False, ended=None),
    "nothing but its beginning": lambda run: History(run=run.run, began=run.began),
    "UTC was stepped": lambda run: utc_stepped(run, 500.0, 20.0),
    "UTC was stepped back": lambda run: utc_stepped(run, 380.0, -40.0),
    "the machine was paused": lambda run: paused(run, 200.0, 60.0),
    "UTC of 1970": lambda run: edited(run, ended=ClockRead(Instant(810.0), 0.0)),
    "a faster time": lambda run: edited(run, run=replace(run.run, time_scale=30.0)),
    "an unknown scenario": lambda run: edited(run, run=replace(run.run, scenario="unheard_of")),
    "a vector query": lambda run: edited(
        run, vector=VectorQueried(Instant(773.0), Instant(773.1), "facts_embedding", True, True, 10)
    ),
    "a vector query that failed": lambda run: edited(
        run, vector=VectorQueried(Instant(773.0), Instant(773.1), None, False, False, 0, "no such table")
    ),
}


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("broken", BROKEN)
def test_whatever_a_run_went_through_its_result_has_the_shape(broken: str, variant: str) -> None:
    assert wrongs(result_of(BROKEN[broken](honest(variant)))) == []


@pytest.mark.parametrize(
    "objectives",
    [
        replace(PRODUCTION, rpo_s=1.0, rto_s=1.0),
        replace(PRODUCTION, assumed=True, rows=0, detection_and_decision_s=120.0),
        replace(PRODUCTION, rpo_s=86400.0, rpo_profile_s=86400.0),
        replace(PRODUCTION, unreadable_archive_accepted="nobody reads it", archive_lag_accepted="it lags"),
    ],
)
def test_whatever_is_promised_the_result_has_the_shape(objectives: Objectives) -> None:
    for variant in VARIANTS:
        assert wrongs(result_of(honest(variant), objectives)) == []
        assert wrongs(result_of(edited(honest(variant), samples=()), objectives)) == []


@pytest.mark.parametrize("seed", range(12))
def test_simulated_runs_have_the_shape(seed: int) -> None:
    tight = replace(PRODUCTION, rpo_s=8.0, rto_s=60.0)
    for world in (data_world(seed), data_world(seed, variant="chosen"), service_world(seed)):
        assert wrongs(result_of(world.history, tight)) == []


@pytest.mark.parametrize("ended", [True, False])
@pytest.mark.parametrize("variant", VARIANTS)
def test_what_is_written_to_disk_has_the_shape(variant: str, ended: bool, tmp_path: Path) -> None:
    folder = record(honest(variant), PRODUCTION, tmp_path / "run", ended=ended)
    judging.conclude(folder)

    assert wrongs(json.loads((folder / "result.json").read_text(encoding="utf-8"))) == []


@pytest.mark.twin
@pytest.mark.slow
def test_a_rehearsed_run_has_the_shape(tmp_path: Path) -> None:
    run = rehearsed("chosen", tmp_path, seed=51, operation_durations="off")

    assert wrongs(json.loads((run.folder / "result.json").read_text(encoding="utf-8"))) == []


# --- the schema notices ---------------------------------------------------------------------------------


def _with(path: str, value: Any, variant: str = "latest") -> dict[str, Any]:
    result = deepcopy(honest_result(variant))
    *way, last = path.split(".")
    place: Any = result
    for step in way:
        place = place[int(step)] if step.isdigit() else place[step]
    place[int(last) if last.isdigit() else last] = value
    return result


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("surprise", 1),
        ("rto.surprise", 1),
        ("verdict", "green"),
        ("verdict", "not_applicable"),
        ("verdict", "failed"),
        ("verdict", "inconclusive"),
        ("completed", False),
        ("ended", None),
        ("began", "2026-11-01 08:00:00"),
        ("time_scale", 0),
        ("time_scale", 30.0),
        ("rto.low_s", -1.0),
        ("rto.low_s", None),
        ("rto.low_s", "12"),
        ("rto.high_s", None),
        ("rto.status", "maybe"),
        ("rpo.lost.parts.0.name", "luck"),
        ("rpo.lost_rows", 0.5),
        ("outage", 0),
        ("exposure.share_beyond_objective", 1.5),
        ("markers.holes", None),
        ("markers.acked", -1),
        ("phases.0.waited_for", "weather"),
        ("findings", []),
        ("findings.0.status", "failed"),
        ("findings.0.measured.surprise", 1),
        ("findings.0.measured.rpo", 4.0),
        ("recovered.timeline", 0),
    ],
)
def test_a_result_of_another_shape_is_noticed(path: str, value: Any) -> None:
    result = _with(path, value)
    if (path, value) == ("verdict", "inconclusive"):
        result["findings"][0]["status"] = "failed"

    assert list(VALIDATOR.iter_errors(result)) != []


def test_a_chosen_point_with_an_rpo_is_noticed() -> None:
    assert wrongs(_with("rpo", honest_result()["rpo"], "chosen")) != []


@pytest.mark.parametrize("name", SCHEMA["properties"])
def test_no_field_may_be_left_out(name: str) -> None:
    result = deepcopy(honest_result())
    del result[name]

    assert list(VALIDATOR.iter_errors(result)) != []


# --- the schema itself ----------------------------------------------------------------------------------


def test_the_schema_is_one() -> None:
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema_rs.meta.validate(SCHEMA)


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if value.get("type") == "object":
            yield value
        for each in value.values():
            yield from _objects(each)
    elif isinstance(value, list):
        for each in value:
            yield from _objects(each)


def test_every_object_is_closed_and_every_field_described() -> None:
    for each in _objects(SCHEMA):
        assert "additionalProperties" in each
        assert [
            name for name, field in each.get("properties", {}).items() if "description" not in field
        ] == []
        assert set(each.get("required", ())) == set(each.get("properties", {}))


def test_the_figures_of_every_required_check_are_described() -> None:
    described = {rule["if"]["properties"]["check"]["const"] for rule in SCHEMA["$defs"]["finding"]["allOf"]}
    needed = {check.__name__ for variant in VARIANTS for check in required("pitr_restore", variant)}

    assert needed <= described


def test_the_schema_is_shipped_and_nothing_that_runs_needs_a_validator(tmp_path: Path) -> None:
    """`drills check` works where only the dependencies of the product are installed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "schemas/*.json" in project["tool"]["setuptools"]["package-data"]["drills"]

    folder = record(honest(), PRODUCTION, tmp_path / "run")
    without = (
        "import sys; sys.modules['jsonschema_rs'] = None; "
        "from drills.cli import main; sys.exit(main(['check', sys.argv[1]]))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", without, str(folder)], cwd=ROOT, capture_output=True, text=True, timeout=60
    )

    assert answer.returncode == 0, answer.stderr
