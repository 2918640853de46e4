"""Lies: an honest record or history with one thing changed, and the check that has to report it.

    $ python -m tests.checks.lies > docs/lies.md

A lie is found by the check named for it, which FAILED, is INCONCLUSIVE, or by the refusal to load the record at
all. What else is no longer passed is a consequence, listed and not wished for.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from drills.checks.assertions import assertions_hold
from drills.checks.configuration import the_configuration_is_as_declared
from drills.checks.damage_gone import the_damage_is_gone
from drills.checks.data_lost import acknowledged_data_lost_within_the_objective as data_lost
from drills.checks.failover_happened import the_failover_really_happened
from drills.checks.fencing import the_old_primary_takes_no_writes
from drills.checks.hooks import hooks_ran
from drills.checks.left_behind import nothing_of_the_drill_is_left_behind as left_behind
from drills.checks.nothing_missing import nothing_is_missing_in_between_doubled_or_foreign as whole
from drills.checks.recovered_server import the_server_that_answered_is_the_recovered_one as recovered
from drills.checks.redundancy import redundancy_is_back
from drills.checks.required import Check
from drills.checks.restore_point import the_restore_point_was_respected_on_both_sides as point
from drills.checks.right_region import the_recovered_server_is_in_the_right_region
from drills.checks.rows_lost import no_acknowledged_row_was_lost
from drills.checks.service_back import service_was_back_within_the_objective as service
from drills.checks.source_closed import the_source_was_closed
from drills.errors import RecordError
from drills.history import History
from drills.judging import judge_run
from drills.model import (
    AssertionDeclared,
    AssertionRun,
    AttemptSort,
    BackupsListed,
    Finding,
    HookRan,
    Instant,
    Objectives,
    Outcome,
    ServerIdentity,
    SettingsRead,
    Status,
)
from drills.verdict import findings_of
from tests.checks.recording import record
from tests.corruption_histories import FACTS, HOURS, NOTES, cut_over, table_repair
from tests.failover_histories import described, forced, written, wrote
from tests.geo_histories import REGION_LOST, lost_region, without_beats
from tests.histories import (
    COPY,
    COPY_NAME,
    PRODUCTION,
    RUN,
    SOURCE,
    SOURCE_NAME,
    UTC_AT_ZERO_S,
    acked,
    edited,
    failed,
    honest,
    lacking,
    paused,
    refused,
    row_of,
    sampled,
    server_us,
    surveys_find,
    utc_stepped,
)

FAILED, INCONCLUSIVE = Status.FAILED.value, Status.INCONCLUSIVE.value
REFUSED = "refused"
"""How a record ends that is not judged at all."""
LOADING = "the record"
"""Who finds a record that was changed: whoever loads it."""
VERDICT = "the verdict"
"""Who finds that a run did not come to its end."""


# --- what is lied about ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Base:
    """An honest history, its objectives, and the checks that it is judged by."""

    name: str
    history: Callable[[], History]
    objectives: Objectives
    checks: tuple[Check, ...]


_EVERY = (service, whole, recovered, left_behind)


def declared() -> History:
    """A geo-restore of a profile that declares everything: configuration, rules and hooks."""
    run = lost_region()
    rule = AssertionDeclared("no message without its session", ("messages",))

    def asked(at: float, server: str) -> AssertionRun:
        return AssertionRun(Instant(at), Instant(at + 0.1), server, rule.proves, 0, {"messages": 1200})

    def read(at: float, server: str) -> SettingsRead:
        return SettingsRead(Instant(at), Instant(at + 0.1), server, ("vector",), "TLSv1.2", "hnsw")

    return edited(
        run,
        settings=(read(60.0, SOURCE_NAME), read(830.0, COPY_NAME)),
        backups=(
            BackupsListed(Instant(61.0), Instant(61.1), SOURCE_NAME, round((UTC_AT_ZERO_S - 3600) * 1e6)),
        ),
        assertions=(rule,),
        assertions_run=(asked(100.0, SOURCE_NAME), asked(830.0, COPY_NAME)),
        hooks=("before_fault", "after_recovery"),
        hooks_run=(
            HookRan("before_fault", Instant(380.0), Instant(381.0), 0),
            HookRan("after_recovery", Instant(802.0), Instant(803.0), 0),
        ),
    )


LATEST = Base("restore of the latest state", honest, PRODUCTION, (data_lost, *_EVERY))
CHOSEN = Base("restore to a chosen point", lambda: honest("chosen"), PRODUCTION, (point, *_EVERY))
FAILOVER = Base(
    "failover",
    forced,
    PRODUCTION,
    (
        no_acknowledged_row_was_lost,
        the_old_primary_takes_no_writes,
        the_failover_really_happened,
        redundancy_is_back,
        *_EVERY,
    ),
)
REGION = Base(
    "loss of the region",
    declared,
    REGION_LOST,
    (
        data_lost,
        the_recovered_server_is_in_the_right_region,
        the_configuration_is_as_declared,
        assertions_hold,
        hooks_ran,
        *_EVERY,
    ),
)
CUT_OVER = Base(
    "cut over", cut_over, HOURS, (data_lost, point, the_source_was_closed, the_damage_is_gone, *_EVERY)
)
REPAIR = Base(
    "table repair", table_repair, HOURS, (no_acknowledged_row_was_lost, point, the_damage_is_gone, *_EVERY)
)
BASES = (LATEST, CHOSEN, FAILOVER, REGION, CUT_OVER, REPAIR)


@dataclass(frozen=True)
class Lie:
    """What was done to the honest one, who has to report it, and how that has to end.

    `edit` changes the history, `on_disk` its record once it is written; a check in `instead` takes the place of
    the one of its name.
    """

    told: str
    base: Base
    caught_by: str
    ends: str
    edit: Callable[[History], History] | None = None
    on_disk: Callable[[Path], None] | None = None
    instead: Check | None = None


@dataclass(frozen=True)
class Told:
    """How a lie really ended: what its check said, and what else was no longer passed."""

    ended: str
    consequences: tuple[str, ...] = ()


@cache
def told(lie: Lie) -> Told:
    """Judge a lie; one that concerns files goes through them."""
    if lie.on_disk is not None:
        return _judged_on_disk(lie, lie.on_disk)
    history = lie.edit(lie.base.history()) if lie.edit is not None else lie.base.history()
    instead = lie.instead
    checks = [instead if instead and instead.__name__ == c.__name__ else c for c in lie.base.checks]
    return _sorted(lie, findings_of(checks, history, lie.base.objectives))


def _judged_on_disk(lie: Lie, spoil: Callable[[Path], None]) -> Told:
    with tempfile.TemporaryDirectory() as folder:
        run = record(lie.base.history(), lie.base.objectives, Path(folder) / "run")
        spoil(run)
        try:
            judged = judge_run(run)
        except RecordError:
            return Told(REFUSED)
    if lie.caught_by == VERDICT:
        return Told(judged.verdict.value, tuple(_not_passed(judged.findings)))
    return _sorted(lie, judged.findings)


def _sorted(lie: Lie, findings: Iterable[Finding]) -> Told:
    found = list(findings)
    own = next(f.status.value for f in found if f.check == lie.caught_by)
    return Told(own, tuple(_not_passed(f for f in found if f.check != lie.caught_by)))


def _not_passed(findings: Iterable[Finding]) -> Iterable[str]:
    for finding in findings:
        if finding.status in (Status.FAILED, Status.INCONCLUSIVE):
            yield f"{finding.check} ({finding.status.value})"


# --- how files are spoilt -------------------------------------------------------------------------------


def missing(name: str) -> Callable[[Path], None]:
    """Take a file away."""
    return lambda run: (run / name).unlink()


def lines_of(name: str, change: Callable[[list[str]], list[str]]) -> Callable[[Path], None]:
    """Change the lines of a file, without mending its chain."""

    def spoil(run: Path) -> None:
        path = run / name
        path.write_text("".join(change(path.read_text().splitlines(keepends=True))))

    return spoil


def relaxed(run: Path) -> None:
    """Make the objectives looser after the fact."""
    path = run / "profile.json"
    path.write_text(path.read_text().replace("300.0", "86400.0"))


def laid_beside(run: Path) -> None:
    """Lay a second writer's file beside those of the run."""
    (run / "markers-z.jsonl").write_bytes((run / "markers-a.jsonl").read_bytes())


def changed_number(line: str) -> str:
    """Change a marker's number."""
    return json.dumps({**json.loads(line), "number": 7777}) + "\n"


# --- how histories are edited ---------------------------------------------------------------------------


def raising(_: History, __: Objectives) -> Finding:
    """A checker that cannot be carried out."""
    raise ZeroDivisionError("planted")


raising.__name__ = service.__name__


def other_rows(history: History) -> History:
    """A marker's number with other values: somebody wrote it again."""
    return surveys_find(
        lacking(history, ("a", 100)),
        lambda _: True,
        replace(row_of(next(m for m in history.markers if (m.writer, m.number) == ("a", 100))), xid=7),
    )


def twice(history: History) -> History:
    """A marker that stands there two times."""
    return surveys_find(history, lambda _: True, row_of(history.markers[40]))


def foreign(history: History) -> History:
    """A row of a run that nobody knows."""
    return surveys_find(history, lambda _: True, row_of(history.markers[40], "a-run-of-somebody"))


def refused_and_there(history: History) -> History:
    """A marker that the server refused, and kept."""
    one = refused(900, 200.0, 200.1)
    return surveys_find(edited(history, markers=(*history.markers, one)), lambda _: True, row_of(one))


def led_to_the_source(history: History) -> History:
    """The source holds what was written under the name of the copy."""
    assert history.source_nonces is not None
    nonces = frozenset(a.nonce for a in history.attempts if a.nonce is not None)
    return edited(history, source_nonces=replace(history.source_nonces, nonces=nonces))


def asked_too_early(history: History) -> History:
    """The source was asked before the last writes."""
    assert history.source_nonces is not None
    asked = replace(history.source_nonces, began=Instant(735.0), ended=Instant(735.1))
    return edited(history, source_nonces=asked)


def met(history: History, identity: ServerIdentity) -> History:
    """The second survey met another process."""
    first, second = history.surveys
    return edited(history, surveys=(first, replace(second, identity=identity)))


def last_delete_open(history: History) -> History:
    """The deletion was begun, and nobody saw its operation end."""
    calls = tuple(
        replace(c, ended=None, status=None, operation_ended=None) if c.name == "delete" else c
        for c in history.calls
    )
    return edited(history, calls=calls, listings=())


def still_listed(history: History) -> History:
    """The listing at the end shows the drill's server."""
    return edited(history, listings=(replace(history.listings[0], names=(COPY_NAME,)),))


def clock_of_the_source_stepped(history: History) -> History:
    """The source's clock jumped back by a minute in the middle of the window."""
    stepped = tuple(
        replace(m, row=replace(m.row, server_time_us=m.row.server_time_us - 60_000_000))
        if m.row is not None and m.began > 150.0
        else m
        for m in history.markers
    )
    moved = {(m.writer, m.number): m.row.server_time_us for m in stepped if m.row is not None}
    surveys = tuple(
        replace(
            s,
            rows=tuple(
                replace(r, server_time_us=moved[r.writer, r.number]) if r.run_id == RUN else r for r in s.rows
            ),
        )
        for s in history.surveys
    )
    return edited(history, markers=stepped, surveys=surveys)


def restored(at: float) -> Callable[[History], History]:
    """The service stopped the restore at another instant than was asked for."""

    def edit(history: History) -> History:
        rows = [row_of(m) for m in history.markers if m.row and m.row.server_time_us <= server_us(at)]
        others = surveys_find(history, lambda row: row.run_id != RUN)
        return surveys_find(others, lambda _: True, *rows)

    return edit


def operation_open(history: History) -> History:
    """Nobody saw the operation end."""
    return edited(history, calls=tuple(replace(c, operation_ended=None) for c in history.calls))


def local_commit(history: History) -> History:
    """One marker was acknowledged without waiting for the standby."""
    first = history.markers[0]
    assert first.row is not None
    alone = replace(first, row=replace(first.row, synchronous_commit="local"))
    return edited(history, markers=(alone, *history.markers[1:]))


def without_prober(*names: str) -> Callable[[History], History]:
    """A prober's file holds neither frame nor attempts."""
    return lambda history: edited(
        history,
        attempts=tuple(a for a in history.attempts if a.prober not in names),
        probers=tuple(p for p in history.probers if p.prober not in names),
    )


def only_old(history: History) -> History:
    """The operation ended well, and everything is what it was."""
    return edited(
        history,
        attempts=tuple(wrote(n, 80.0 + n * 0.25, SOURCE) for n in range(360)),
        surveys=tuple(replace(s, identity=SOURCE) for s in history.surveys),
        described=(described(50.0), described(180.0)),
    )


def look(history: History, table: str, *, since: float, **changes: Any) -> History:
    """Looks at a table from an instant on showed something else."""
    tables = tuple(
        replace(t, **changes) if t.table == table and t.began >= since else t for t in history.tables
    )
    return edited(history, tables=tables)


def described_as(**changes: Any) -> Callable[[History], History]:
    """The recovered server was described differently."""

    def edit(history: History) -> History:
        before, after = history.described
        return edited(history, described=(before, replace(after, **changes)))

    return edit


def emptied(history: History) -> History:
    """The table that the rule reads came back without a row."""
    source, copy = history.assertions_run
    return edited(history, assertions_run=(source, replace(copy, rows_by_table={"messages": 0})))


def hook_failed(history: History) -> History:
    """A hook ended with an error."""
    first, second = history.hooks_run
    return edited(history, hooks_run=(first, replace(second, exit_code=1)))


def prober_dies(history: History) -> History:
    """The prober ends without a word right after the second survey has begun."""
    return edited(
        history,
        attempts=tuple(a for a in history.attempts if a.began < 772.5),
        probers=tuple(replace(p, stopped=None) for p in history.probers),
    )


def surveys_too_early(history: History) -> History:
    """The second survey comes ten seconds after the first, before the switch-over delay."""
    first, second = history.surveys
    return edited(history, surveys=(first, replace(second, began=Instant(751.0), ended=Instant(752.0))))


def without_outcome(history: History) -> History:
    """An attempt was begun after the surveys, and no outcome was noted."""
    return edited(history, attempts=(*history.attempts, failed(9000, 774.2, took=None)))


def written_by_the_old(history: History) -> History:
    """The old primary takes a write after the new one did."""
    more = wrote(9000, 120.0, SOURCE, sort=AttemptSort.OLD, session=1)
    return edited(history, attempts=(*history.attempts, more))


def damage_unseen(history: History) -> History:
    """Nobody looked at the damaged table while it was damaged."""
    return edited(history, tables=tuple(t for t in history.tables if t.wrong_rows != 400))


def good_write_undone(history: History) -> History:
    """The repair overwrote a write that was good."""
    return edited(history, repairs=(replace(history.repairs[0], overwritten=("facts 5",)),))


def one_more_acknowledged(history: History) -> History:
    """A marker was acknowledged by the source two seconds after it had been closed."""
    return edited(history, markers=(*history.markers, acked(9001, 723.0, 723.01)))


def unknown_again(history: History) -> History:
    """No marker was acknowledged at all."""
    return edited(
        history, markers=tuple(replace(m, outcome=Outcome.UNKNOWN, row=None) for m in history.markers)
    )


_DATA, _POINT, _SERVICE, _WHOLE, _RECOVERED, _LEFT = (
    check.__name__ for check in (data_lost, point, service, whole, recovered, left_behind)
)
_ROWS, _FENCED, _HAPPENED, _REDUNDANT = (
    check.__name__
    for check in (
        no_acknowledged_row_was_lost,
        the_old_primary_takes_no_writes,
        the_failover_really_happened,
        redundancy_is_back,
    )
)
_REGION, _CONFIGURED, _RULES, _HOOKS, _CLOSED, _GONE = (
    check.__name__
    for check in (
        the_recovered_server_is_in_the_right_region,
        the_configuration_is_as_declared,
        assertions_hold,
        hooks_ran,
        the_source_was_closed,
        the_damage_is_gone,
    )
)

LIES = (
    # --- the files of a record
    Lie("a writer's file is missing", LATEST, LOADING, REFUSED, on_disk=missing("markers-a.jsonl")),
    Lie("the prober's file is missing", LATEST, LOADING, REFUSED, on_disk=missing("probes-new.jsonl")),
    Lie("the plan is missing", LATEST, LOADING, REFUSED, on_disk=missing("plan.json")),
    Lie("the journal is missing", LATEST, LOADING, REFUSED, on_disk=missing("journal.jsonl")),
    Lie(
        "a writer's file was cut off before its end",
        LATEST,
        LOADING,
        REFUSED,
        on_disk=lines_of("markers-a.jsonl", lambda lines: lines[:-2]),
    ),
    Lie(
        "a line was removed from a writer's file",
        LATEST,
        LOADING,
        REFUSED,
        on_disk=lines_of("markers-a.jsonl", lambda lines: [*lines[:50], *lines[51:]]),
    ),
    Lie(
        "a line was changed in a writer's file",
        LATEST,
        LOADING,
        REFUSED,
        on_disk=lines_of(
            "markers-a.jsonl", lambda lines: [*lines[:50], changed_number(lines[50]), *lines[51:]]
        ),
    ),
    Lie(
        "a line was written twice into the journal",
        LATEST,
        LOADING,
        REFUSED,
        on_disk=lines_of("journal.jsonl", lambda lines: [*lines[:30], lines[29], *lines[30:]]),
    ),
    Lie("the objectives were relaxed afterwards", LATEST, LOADING, REFUSED, on_disk=relaxed),
    Lie("a file of another run was laid beside", LATEST, LOADING, REFUSED, on_disk=laid_beside),
    Lie(
        "the journal lacks its last line",
        LATEST,
        VERDICT,
        INCONCLUSIVE,
        on_disk=lines_of("journal.jsonl", lambda lines: lines[:-1]),
    ),
    # --- what was observed of a restore
    Lie("no marker was acknowledged", LATEST, _DATA, INCONCLUSIVE, unknown_again),
    Lie("the disaster was not noted", LATEST, _DATA, INCONCLUSIVE, lambda h: edited(h, disaster=None)),
    Lie(
        "nothing of the window came back",
        LATEST,
        _DATA,
        FAILED,
        lambda h: surveys_find(h, lambda r: r.run_id != RUN),
    ),
    Lie("five and a half minutes are missing", LATEST, _DATA, FAILED, restored(60.0)),
    Lie("the archive was not sampled", LATEST, _DATA, INCONCLUSIVE, lambda h: edited(h, samples=())),
    Lie(
        "the archive was not sampled for a minute",
        LATEST,
        _DATA,
        INCONCLUSIVE,
        lambda h: edited(h, samples=tuple(s for s in h.samples if not 100.0 < s.began < 160.0)),
    ),
    Lie(
        "the archive named no segment",
        LATEST,
        _DATA,
        INCONCLUSIVE,
        lambda h: edited(h, samples=tuple(sampled(0.5 + n, field=None) for n in range(389))),
    ),
    Lie("the second survey came too early", LATEST, _DATA, INCONCLUSIVE, surveys_too_early),
    Lie("the surveys are missing", LATEST, _DATA, INCONCLUSIVE, lambda h: edited(h, surveys=())),
    Lie(
        "the request was sent before the disaster",
        LATEST,
        _DATA,
        INCONCLUSIVE,
        lambda h: edited(h, request=None if h.request is None else replace(h.request, began=Instant(389.0))),
    ),
    Lie(
        "UTC was stepped by eleven minutes",
        LATEST,
        _SERVICE,
        INCONCLUSIVE,
        lambda h: utc_stepped(h, 600.0, 660.0),
    ),
    Lie(
        "our machine was paused for ten minutes",
        LATEST,
        _SERVICE,
        INCONCLUSIVE,
        lambda h: paused(h, 600.0, 600.0),
    ),
    Lie("a checker raises", LATEST, _SERVICE, INCONCLUSIVE, instead=raising),
    Lie("the prober died", LATEST, _SERVICE, INCONCLUSIVE, prober_dies),
    Lie("nobody probed", LATEST, _SERVICE, INCONCLUSIVE, without_prober("new")),
    Lie("an attempt has no outcome", LATEST, _SERVICE, INCONCLUSIVE, without_outcome),
    Lie("one marker in the middle is gone", LATEST, _WHOLE, FAILED, lambda h: lacking(h, ("a", 100))),
    Lie("a marker has other values than were noted", LATEST, _WHOLE, FAILED, other_rows),
    Lie("a marker is there twice", LATEST, _WHOLE, FAILED, twice),
    Lie("a row of an unknown run is there", LATEST, _WHOLE, FAILED, foreign),
    Lie("a refused marker is there", LATEST, _WHOLE, FAILED, refused_and_there),
    Lie("the inventory is missing", LATEST, _WHOLE, INCONCLUSIVE, lambda h: edited(h, inventory=None)),
    Lie("the name led to the source", LATEST, _RECOVERED, FAILED, led_to_the_source),
    Lie(
        "a server of another origin answered",
        LATEST,
        _RECOVERED,
        FAILED,
        lambda h: met(h, replace(COPY, system_identifier="1")),
    ),
    Lie(
        "two processes answered in turn",
        LATEST,
        _RECOVERED,
        INCONCLUSIVE,
        lambda h: met(h, replace(COPY, started_us=1)),
    ),
    Lie(
        "the source was not asked", LATEST, _RECOVERED, INCONCLUSIVE, lambda h: edited(h, source_nonces=None)
    ),
    Lie("the source was asked too early", LATEST, _RECOVERED, INCONCLUSIVE, asked_too_early),
    Lie("the drill's server is still listed", LATEST, _LEFT, FAILED, still_listed),
    Lie("the deletion has no outcome, and nobody looked", LATEST, _LEFT, INCONCLUSIVE, last_delete_open),
    Lie("the service restored a second too much", CHOSEN, _POINT, FAILED, restored(301.0)),
    Lie("the service restored a second too little", CHOSEN, _POINT, FAILED, restored(298.5)),
    Lie("the source's clock was stepped", CHOSEN, _POINT, INCONCLUSIVE, clock_of_the_source_stepped),
    Lie(
        "no later commit was seen in the archive",
        CHOSEN,
        _POINT,
        INCONCLUSIVE,
        lambda h: edited(h, samples=tuple(s for s in h.samples if s.began < 250.0)),
    ),
    # --- a failover
    Lie("the standby lacked a row", FAILOVER, _ROWS, FAILED, lambda h: lacking(h, ("b", 502))),
    Lie("a marker did not wait for the standby", FAILOVER, _ROWS, INCONCLUSIVE, local_commit),
    Lie(
        "the writers had died a second before",
        FAILOVER,
        _ROWS,
        INCONCLUSIVE,
        lambda _: forced(written(until=99.5)),
    ),
    Lie("the old primary takes a write", FAILOVER, _FENCED, FAILED, written_by_the_old),
    Lie("nobody kept to the old primary", FAILOVER, _FENCED, INCONCLUSIVE, without_prober("old")),
    Lie("the operation ended, and nothing had changed", FAILOVER, _HAPPENED, FAILED, only_old),
    Lie(
        "the zones are what they were",
        FAILOVER,
        _HAPPENED,
        FAILED,
        lambda h: edited(h, described=(described(50.0), described(180.0))),
    ),
    Lie("nobody described the server", FAILOVER, _HAPPENED, INCONCLUSIVE, lambda h: edited(h, described=())),
    Lie(
        "no standby came back",
        FAILOVER,
        _REDUNDANT,
        FAILED,
        described_as(high_availability="Disabled"),
    ),
    Lie(
        "the standby is still being made",
        FAILOVER,
        _REDUNDANT,
        INCONCLUSIVE,
        described_as(high_availability_state="ReplicatingData"),
    ),
    # --- the loss of a region
    Lie("nobody saw the operation end", REGION, _DATA, INCONCLUSIVE, operation_open),
    Lie("a beat of the heartbeat is gone", REGION, _WHOLE, FAILED, lambda h: without_beats(h, [30])),
    Lie(
        "the server stands in the lost region",
        REGION,
        _REGION,
        FAILED,
        described_as(location="East US"),
    ),
    Lie(
        "the answer names no region",
        REGION,
        _REGION,
        INCONCLUSIVE,
        described_as(location=None),
    ),
    Lie(
        "the copy keeps backups for a week only",
        REGION,
        _CONFIGURED,
        FAILED,
        described_as(retention_days=7),
    ),
    Lie(
        "the profile's configuration is missing",
        REGION,
        _CONFIGURED,
        INCONCLUSIVE,
        lambda h: edited(h, declared=None),
    ),
    Lie("a table came back empty", REGION, _RULES, FAILED, emptied),
    Lie(
        "a rule was not asked of the copy",
        REGION,
        _RULES,
        INCONCLUSIVE,
        lambda h: edited(h, assertions_run=h.assertions_run[:1]),
    ),
    Lie("a hook is missing", REGION, _HOOKS, INCONCLUSIVE, lambda h: edited(h, hooks_run=h.hooks_run[:1])),
    Lie("a hook failed", REGION, _HOOKS, FAILED, hook_failed),
    # --- a corruption
    Lie(
        "a held session went on writing", CUT_OVER, _CLOSED, FAILED, lambda _: cut_over(session_1_until=770.0)
    ),
    Lie(
        "the source acknowledged a marker after its closing", CUT_OVER, _CLOSED, FAILED, one_more_acknowledged
    ),
    Lie("nobody noted the closing", CUT_OVER, _CLOSED, INCONCLUSIVE, lambda h: edited(h, closing=None)),
    Lie(
        "damaged rows came along",
        CUT_OVER,
        _GONE,
        FAILED,
        lambda h: look(h, FACTS, since=740.0, wrong_rows=3),
    ),
    Lie(
        "a table that was not damaged has changed",
        CUT_OVER,
        _GONE,
        FAILED,
        lambda h: look(h, NOTES, since=740.0, fingerprint="0"),
    ),
    Lie(
        "nobody saw the damage",
        CUT_OVER,
        _GONE,
        INCONCLUSIVE,
        damage_unseen,
    ),
    Lie("the repair overwrote a good write", REPAIR, _ROWS, FAILED, good_write_undone),
    Lie("the source lost a marker in its repair", REPAIR, _ROWS, FAILED, lambda h: lacking(h, ("a", 700))),
)


# --- the table of the docs ------------------------------------------------------------------------------


def page() -> str:
    """The page that shows every lie and what became of it."""
    rows = [_row(lie, told(lie)) for lie in LIES]
    return "\n".join((*_HEAD, *rows, ""))


_HEAD = (
    "# Lies, and who catches them",
    "",
    "An honest record passes every check. Below it was changed in one place at a time, and judged again. The check",
    "named for a lie has to report it; whatever else is no longer passed is a consequence. `refused` means that the",
    "record is not judged at all. The table is written by `python -m tests.checks.lies`, and a test holds it against",
    "the run.",
    "",
    "| honest | what was changed | caught by | ends | consequences |",
    "|---|---|---|---|---|",
)


def _row(lie: Lie, found: Told) -> str:
    consequences = "; ".join(_sentence(c) for c in found.consequences) or "–"
    return f"| {lie.base.name} | {lie.told} | {_sentence(lie.caught_by)} | {found.ended} | {consequences} |"


def _sentence(check: str) -> str:
    return check.replace("_", " ")


if __name__ == "__main__":
    print(page(), end="")
