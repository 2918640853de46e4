"""A record on disk is judged as the history that it holds, and one that was changed is not judged at all."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from drills.cli import main
from drills.errors import ChainBroken, ExitCode, RecordError
from drills.history import History
from drills.history.damage import struck
from drills.journal import read_record
from drills.judging import conclude, exit_code, judge_run
from drills.loading import load
from drills.model import (
    AssertionDeclared,
    AssertionRun,
    BackupsListed,
    HookRan,
    Instant,
    SettingsRead,
    SourceAskedInVain,
    Status,
)
from tests.checks.recording import record
from tests.corruption_histories import cut_over, table_repair
from tests.failover_histories import forced
from tests.geo_histories import lost_region
from tests.histories import PRODUCTION, SOURCE_NAME, honest, lacking, refused, restored_to, unknown


def recorded(tmp_path: Path, history: History | None = None) -> Path:
    return record(history or honest(), PRODUCTION, tmp_path / "run")


def rechained(path: Path, **changes: object) -> None:
    """Change fields of the first survey and leave the chain as it is."""
    lines = path.read_text().splitlines()
    changed = [json.dumps({**json.loads(line), **changes}) if "surveyed" in line else line for line in lines]
    path.write_text("\n".join(changed) + "\n")


@pytest.mark.parametrize("variant", ["latest", "chosen"])
def test_a_record_becomes_the_history_that_was_written(tmp_path: Path, variant: str) -> None:
    written = replace(honest(variant), caveats=("said by the run",))
    written = replace(
        written, markers=(*written.markers, unknown(900, 5.0), refused(901, 6.0, 6.1, writer="b"))
    )

    read = load(read_record(recorded(tmp_path, written)))

    def in_order(history: History) -> History:
        ordered = sorted(history.markers, key=lambda m: (m.writer, m.number))
        return replace(history, markers=tuple(ordered), clocks=())

    assert in_order(read) == in_order(written)


def without_the_answer_of_the_damage() -> History:
    run = cut_over()
    assert run.damage is not None
    return replace(run, damage=replace(run.damage, ended=None), disaster=None)


@pytest.mark.parametrize(
    "written",
    [
        forced(),
        lost_region(),
        cut_over(),
        table_repair(),
        without_the_answer_of_the_damage(),
    ],
    ids=["failover", "region", "cut over", "repair", "damage without an answer"],
)
def test_what_further_scenarios_write_is_read_again(tmp_path: Path, written: History) -> None:
    written = replace(
        written,
        source_asked_in_vain=SourceAskedInVain(Instant(800.0), Instant(805.0), "no answer"),
        settings=(SettingsRead(Instant(5.0), Instant(5.1), SOURCE_NAME, ("vector",), "TLSv1.2", "hnsw"),),
        backups=(BackupsListed(Instant(6.0), Instant(6.1), SOURCE_NAME, 1_793_500_000_000_000),),
        assertions=(AssertionDeclared("no orphan", ("messages",)),),
        assertions_run=(
            AssertionRun(Instant(7.0), Instant(7.1), SOURCE_NAME, "no orphan", 0, {"messages": 9}),
        ),
        hooks=("before_fault",),
        hooks_run=(
            HookRan("before_fault", Instant(8.0), Instant(8.5), 0),
            HookRan("before_cleanup", Instant(801.0), None, None),
        ),
    )

    read = load(read_record(recorded(tmp_path, written)))

    def in_order(history: History) -> History:
        by_number = sorted(history.markers, key=lambda m: (m.writer, m.number))
        by_prober = sorted(history.attempts, key=lambda a: (a.prober, a.number))
        return replace(
            history,
            markers=tuple(by_number),
            attempts=tuple(by_prober),
            probers=tuple(sorted(history.probers, key=lambda p: p.prober)),
            described=tuple(sorted(history.described, key=lambda d: d.began)),
            steps=tuple(sorted(history.steps, key=lambda s: s.began)),
            disaster=history.disaster or struck(history.markers, history.damage),
            clocks=(),
        )

    assert in_order(read) == in_order(written)


def test_a_failover_that_was_begun_twice_cannot_be_understood(tmp_path: Path) -> None:
    folder = recorded(tmp_path, forced())
    events = [
        line for line in (folder / "journal.jsonl").read_text().splitlines() if "failover_began" in line
    ]
    assert len(events) == 1
    chain = read_record(folder)
    twice = replace(chain.journal, lines=(*chain.journal.lines, json.loads(events[0])))

    with pytest.raises(RecordError, match="begun 2 times"):
        load(replace(chain, journal=twice))


@pytest.mark.parametrize(
    ("history", "verdict", "code"),
    [
        (honest(), Status.PASSED, ExitCode.PASSED),
        (honest("chosen"), Status.PASSED, ExitCode.PASSED),
        (restored_to(honest(), 20.0), Status.FAILED, ExitCode.FAILED),
        (replace(honest(), surveys=()), Status.INCONCLUSIVE, ExitCode.INCONCLUSIVE),
        (replace(honest(), completed=False), Status.INCONCLUSIVE, ExitCode.INCONCLUSIVE),
    ],
)
def test_drills_check_judges_again_and_exits_as_the_verdict_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], history: History, verdict: Status, code: ExitCode
) -> None:
    folder = recorded(tmp_path, history)
    assert conclude(folder).verdict is verdict

    assert main(["check", str(folder)]) == code
    printed = capsys.readouterr().out
    assert verdict.upper() in printed
    assert "result.json says the same" in printed


def test_drills_check_says_that_a_result_was_changed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = recorded(tmp_path, restored_to(honest(), 20.0))
    conclude(folder)
    result = folder / "result.json"
    result.write_text(result.read_text().replace('"verdict": "failed"', '"verdict": "passed"'))

    assert main(["check", str(folder)]) == ExitCode.FAILED
    assert "DIFFERS" in capsys.readouterr().out


def test_drills_check_of_a_run_without_a_result_judges_it_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(recorded(tmp_path))]) == ExitCode.PASSED
    assert "no result.json" in capsys.readouterr().out


def test_what_is_no_run_is_a_mistake_of_the_caller(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(tmp_path)]) == ExitCode.USAGE
    assert "HINT" in capsys.readouterr().err


def test_a_result_is_written_once(tmp_path: Path) -> None:
    folder = recorded(tmp_path)
    conclude(folder)

    with pytest.raises(RecordError):
        conclude(folder)


def test_a_run_that_was_killed_before_its_end_is_never_better_than_inconclusive(tmp_path: Path) -> None:
    folder = record(honest(), PRODUCTION, tmp_path / "run", ended=False)

    assert judge_run(folder).verdict is Status.INCONCLUSIVE


# --- changed records ------------------------------------------------------------------------------------


def test_a_line_that_was_changed_breaks_the_chain(tmp_path: Path) -> None:
    folder = recorded(tmp_path)
    rechained(folder / "journal.jsonl", server="another")

    with pytest.raises(ChainBroken):
        judge_run(folder)


def test_a_line_that_was_removed_breaks_the_chain(tmp_path: Path) -> None:
    folder = recorded(tmp_path)
    markers = folder / "markers-a.jsonl"
    lines = markers.read_text().splitlines(keepends=True)
    markers.write_text("".join((*lines[:50], *lines[51:])))

    with pytest.raises(ChainBroken):
        judge_run(folder)


def test_a_tail_that_was_cut_off_is_not_the_file_that_the_journal_noted(tmp_path: Path) -> None:
    folder = recorded(tmp_path, lacking(honest(), ("a", 195)))
    markers = folder / "markers-a.jsonl"
    markers.write_text("".join(markers.read_text().splitlines(keepends=True)[:-2]))

    with pytest.raises(ChainBroken):
        judge_run(folder)


@pytest.mark.parametrize("name", ["markers-a.jsonl", "probes-new.jsonl", "plan.json", "profile.json"])
def test_a_file_that_is_missing_is_an_error(tmp_path: Path, name: str) -> None:
    folder = recorded(tmp_path)
    (folder / name).unlink()

    with pytest.raises(RecordError):
        judge_run(folder)


def test_a_file_that_the_journal_does_not_know_is_an_error(tmp_path: Path) -> None:
    """Markers of a second run laid beside those of the first would count as acknowledged."""
    folder = recorded(tmp_path)
    (folder / "markers-z.jsonl").write_bytes((folder / "markers-a.jsonl").read_bytes())

    with pytest.raises(RecordError):
        judge_run(folder)


def test_objectives_that_were_relaxed_afterwards_are_an_error(tmp_path: Path) -> None:
    folder = recorded(tmp_path, restored_to(honest(), 20.0))
    profile = folder / "profile.json"
    profile.write_text(profile.read_text().replace("300.0", "86400.0"))

    with pytest.raises(ChainBroken):
        judge_run(folder)


def test_an_acknowledged_marker_without_its_row_cannot_be_understood(tmp_path: Path) -> None:
    """It would otherwise be owed to nobody: a promise that is not counted cannot be broken."""
    run = honest()
    folder = recorded(
        tmp_path, replace(run, markers=(*run.markers, replace(run.markers[0], number=900, row=None)))
    )

    with pytest.raises(RecordError, match="acknowledged without its row"):
        judge_run(folder)


def test_a_number_that_was_begun_twice_cannot_be_understood(tmp_path: Path) -> None:
    run = honest()

    with pytest.raises(RecordError, match="begun twice"):
        judge_run(recorded(tmp_path, replace(run, markers=(*run.markers, run.markers[0]))))


# --- exit codes of several drills -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        ([Status.PASSED, Status.NOT_APPLICABLE], ExitCode.PASSED),
        ([Status.PASSED, Status.INCONCLUSIVE], ExitCode.INCONCLUSIVE),
        ([Status.PASSED, Status.INCONCLUSIVE, Status.FAILED], ExitCode.FAILED),
        ([Status.NOT_APPLICABLE], ExitCode.USAGE),
        ([], ExitCode.USAGE),
    ],
)
def test_the_worst_of_several_verdicts_is_the_exit_code(verdicts: list[Status], code: ExitCode) -> None:
    assert exit_code(verdicts) is code
