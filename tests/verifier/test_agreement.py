"""Do the engine and the verifier, two readings of one method, come to the same figures and verdicts?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import pytest

import verify_bundle
from drills.history import History
from drills.model import Status
from tests.checks.simulated import data_world, service_world
from tests.checks.test_known_histories import KNOWN, Known
from tests.docs.test_method import EXAMPLES, read
from tests.histories import (
    PRODUCTION,
    chosen_point_us,
    edited,
    failed,
    honest,
    markers,
    row_of,
    sampled,
    surveys_find,
    unknown,
)
from tests.verifier import both
from tests.verifier.variations import varied

A_BATCH = 40


@pytest.mark.parametrize("variant", ["latest", "chosen"])
@pytest.mark.parametrize("ended", [True, False])
def test_they_agree_on_an_honest_history_and_on_one_that_was_cut_off(variant: str, ended: bool) -> None:
    assert both.disagreements(honest(variant), PRODUCTION, ended=ended) == []


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.told)
def test_they_agree_on_every_history_that_has_fooled_such_tools(known: Known) -> None:
    assert both.disagreements(known.happened(), known.objectives) == []


def failing_at(at: float) -> History:
    run = honest()
    return edited(run, attempts=tuple(sorted((*run.attempts, failed(9000, at)), key=lambda a: a.began)))


def written_at_the_point(*, after_us: int) -> History:
    """A row whose server time is the chosen point, or a microsecond beside it, came back."""
    run = honest("chosen", written=(*markers(), unknown(900, 299.6, 299.65)))
    row = replace(row_of(run.markers[-1]), server_time_us=chosen_point_us() + after_us)
    return surveys_find(run, lambda found: (found.writer, found.number) != ("a", 900), row)


def read_times(count: int) -> History:
    """The archive was read so many times, evenly, in a window of 45 s."""
    run = honest(written=markers(345.0))
    return edited(run, samples=(*(sampled(346.0 + n * 43.9 / count) for n in range(count)), sampled(391.0)))


EDGES: dict[str, Callable[[], History]] = {
    "an attempt fails as the first survey begins": lambda: failing_at(740.0),
    "an attempt fails during the first survey": lambda: failing_at(740.4),
    "an attempt fails during the second survey": lambda: failing_at(772.4),
    "a row of the chosen point itself": lambda: written_at_the_point(after_us=0),
    "a row a microsecond after the chosen point": lambda: written_at_the_point(after_us=1),
    "nine readings of the archive": lambda: read_times(9),
    "ten readings of the archive": lambda: read_times(10),
}


@pytest.mark.parametrize("history", EDGES.values(), ids=EDGES)
def test_they_agree_on_what_falls_on_an_edge(history: Callable[[], History]) -> None:
    assert both.disagreements(history(), PRODUCTION) == []


@pytest.mark.parametrize("first", range(0, 320, A_BATCH))
def test_they_agree_on_simulated_histories_with_things_changed(first: int) -> None:
    found = {seed: both.disagreements(*varied(seed)) for seed in range(first, first + A_BATCH)}

    assert {seed: named for seed, named in found.items() if named} == {}


@pytest.mark.parametrize("first", range(0, 60, 20))
def test_they_agree_on_every_kind_of_world_of_the_simulator(first: int) -> None:
    for seed in range(first, first + 20):
        for world in (data_world(seed), data_world(seed, variant="chosen"), service_world(seed)):
            assert both.disagreements(world.history, PRODUCTION) == []


STATUSES = {"data": verify_bundle.DATA, "point": verify_bundle.POINT, "service": verify_bundle.SERVICE}
INTERVALS = {"lost": "rpo.lost", "exposed": "rpo.exposed", "rpo": "rpo", "rto": "rto"}
CLAIMS = [
    (text, name, rest)
    for text in EXAMPLES
    for name, *rest in read(text).expected
    if name in STATUSES or name in INTERVALS
]


@pytest.mark.parametrize(
    ("text", "name", "rest"),
    CLAIMS,
    ids=[f"{n} {' '.join([name, *rest])}" for n, (_, name, rest) in enumerate(CLAIMS)],
)
def test_the_examples_of_the_method_end_as_the_page_says(text: str, name: str, rest: list[str]) -> None:
    timeline = read(text)
    found = _recomputed(edited(timeline.history(), clocks=timeline.clocks), asdict(timeline.objectives()))

    if name in STATUSES:
        assert found["findings"][STATUSES[name]]["status"] == rest[0]
    else:
        bounds = verify_bundle.value_at(found, INTERVALS[name])
        told = [None if bound == "null" else pytest.approx(float(bound)) for bound in rest]
        assert [bounds["low_s"], bounds["high_s"]] == told


def _recomputed(history: Any, objectives: dict[str, Any]) -> dict[str, Any]:
    journal, markers, probes = both.lines_of(history)
    return verify_bundle.recompute({"objectives_of_this_run": objectives}, journal, markers, probes)


def test_the_verdict_is_the_worst_of_what_was_recomputed_and_what_was_taken() -> None:
    journal, markers, probes = both.lines_of(honest())
    profile = {"objectives_of_this_run": asdict(PRODUCTION)}
    taken = dict.fromkeys(verify_bundle.REQUIRED_OF_BOTH, "passed")

    def verdict(**changed: str) -> str:
        found = verify_bundle.recompute(profile, journal, markers, probes, taken={**taken, **changed})
        return str(found["verdict"])

    assert verdict() == Status.PASSED
    assert verdict(**{verify_bundle.REQUIRED_OF_BOTH[1]: "inconclusive"}) == Status.INCONCLUSIVE
    assert verdict(**{verify_bundle.REQUIRED_OF_BOTH[1]: "failed"}) == Status.FAILED
    assert verify_bundle.recompute(profile, journal, markers, probes)["verdict"] == Status.INCONCLUSIVE
    assert verdict(**{verify_bundle.SERVICE: "failed"}) == Status.PASSED, "what is recomputed is not taken"


def test_a_figure_that_is_off_by_more_than_a_millisecond_is_a_disagreement() -> None:
    journal, markers, probes = both.lines_of(honest())
    profile = {"objectives_of_this_run": asdict(PRODUCTION)}
    built = both.by_the_engine(profile, journal, markers, probes)
    statuses = verify_bundle.statuses_of(built)
    found = verify_bundle.recompute(profile, journal, markers, probes, taken=statuses)
    rto: Any = built["rto"]

    def disagrees(high_s: Any) -> list[str]:
        changed = {**built, "rto": {**rto, "high_s": high_s}}
        return [one.name for one in verify_bundle.compared(found, changed, statuses) if not one.agrees]

    assert disagrees(rto["high_s"] + 0.0009) == []
    assert disagrees(rto["high_s"] + 0.0011) == ["rto.high_s"]
    assert disagrees(None) == ["rto.high_s"]
    assert disagrees(str(rto["high_s"])) == ["rto.high_s"]
