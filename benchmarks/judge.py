"""How long does it take to judge four hours of markers, and how much memory?

    $ python -m benchmarks.judge

144,000 markers (ten a second in all, for four hours, by three writers) and 14,400 readings of the archive are
judged as a restore of the latest state: every check of that scenario, the verdict and result.json. First as a
history that is already in memory, then as a record on disk, which is read and its chains verified. Each is a
process of its own, so that its peak is its own.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from drills import clock
from drills.history import History
from drills.judging import judge_run
from drills.model import ClockRead, Disaster, Instant, RestoreRequested
from drills.result import as_text, build
from drills.verdict import find, verdict
from tests.checks.recording import record
from tests.histories import (
    COPY_NAME,
    PRODUCTION,
    SOURCE_NAME,
    UTC_AT_ZERO_S,
    acked,
    earlier,
    honest,
    row_of,
    samples,
    server_us,
)

HOURS, PER_SECOND, WRITERS = 4, 10, "abc"


def main() -> int:
    """Judge once in memory and once from disk, and print what it took."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hours", type=float, default=HOURS, metavar="H", help=f"of markers [{HOURS}]")
    args = parser.parse_args()
    for told, work in (("in memory", _in_memory), ("from disk", _from_disk)):
        child = multiprocessing.get_context("spawn").Process(target=_run, args=(told, work, args.hours))
        child.start()
        child.join()
        if child.exitcode != 0:
            return 1
    return 0


def _run(told: str, work: Callable[[float], tuple[float, float, int, str]], hours: float) -> None:
    seconds, cpu_s, markers, status = work(hours)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{told}: {markers} markers judged {status} in {seconds:.2f} s, of which {cpu_s:.2f} s on a processor; "
        f"peak {peak_mb:.0f} MB",
        flush=True,
    )


def _cpu_s() -> float:
    """What this process has used of a processor; on a busy machine that is less than what went by."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _in_memory(hours: float) -> tuple[float, float, int, str]:
    history = long(hours)
    began, used = clock.now(), _cpu_s()
    findings = find(history, PRODUCTION)
    status = verdict(history, findings)
    as_text(build(history, PRODUCTION, findings))
    return clock.now() - began, _cpu_s() - used, len(history.markers), status.value


def _from_disk(hours: float) -> tuple[float, float, int, str]:
    """The history is written by a process of its own, so that it is not in this one's memory."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        writer = multiprocessing.get_context("spawn").Process(target=_write, args=(run, hours))
        writer.start()
        writer.join()
        began, used = clock.now(), _cpu_s()
        judged = judge_run(run)
        as_text(judged.result)
        took = clock.now() - began, _cpu_s() - used
        return *took, len(judged.history.markers), judged.verdict.value


def _write(run: Path, hours: float) -> None:
    record(long(hours), PRODUCTION, run)


def long(hours: float) -> History:
    """The honest history with a window of hours: the disaster strikes at its end."""
    struck = hours * 3600.0
    written = tuple(
        acked(n // 3 + 1, n / PER_SECOND, n / PER_SECOND + 0.01, writer=WRITERS[n % 3])
        for n in range(round(struck * PER_SECOND))
    )
    run, later = honest(written=()), struck - 390.0
    rows = (*earlier(), *(row_of(m) for m in written))
    moved = replace(
        run,
        markers=written,
        marker_period_s=1.0 / PER_SECOND,
        samples=samples(ended=struck),
        disaster=Disaster(Instant(struck), Instant(struck)),
        request=RestoreRequested(
            Instant(struck + 0.1),
            Instant(struck + 0.6),
            SOURCE_NAME,
            COPY_NAME,
            server_us(struck) + 1_000_000,
            accepted=True,
        ),
        looks=tuple(replace(k, began=_at(k.began, later), ended=_at(k.ended, later)) for k in run.looks),
        attempts=tuple(
            replace(a, began=_at(a.began, later), ended=None if a.ended is None else _at(a.ended, later))
            for a in run.attempts
        ),
        probers=tuple(
            replace(
                p, began=_at(p.began, later), stopped=None if p.stopped is None else _at(p.stopped, later)
            )
            for p in run.probers
        ),
        surveys=tuple(
            replace(s, began=_at(s.began, later), ended=_at(s.ended, later), rows=rows) for s in run.surveys
        ),
        steps=tuple(
            replace(s, began=_at(s.began, later), ended=None if s.ended is None else _at(s.ended, later))
            for s in run.steps
        ),
        waits=tuple(replace(w, began=_at(w.began, later), ended=_at(w.ended, later)) for w in run.waits),
        clocks=tuple(
            ClockRead(Instant(float(at)), UTC_AT_ZERO_S + at) for at in range(-5, round(struck) + 421)
        ),
        dates=tuple(
            replace(
                run.dates[0],
                began=Instant(float(at)),
                ended=Instant(at + 0.05),
                date_s=int(UTC_AT_ZERO_S + at),
            )
            for at in range(-5, round(struck) + 421, 5)
        ),
        ended=ClockRead(Instant(struck + 420.0), UTC_AT_ZERO_S + struck + 420.0),
        listings=tuple(
            replace(g, began=_at(g.began, later), ended=_at(g.ended, later)) for g in run.listings
        ),
        calls=tuple(
            replace(
                c,
                began=_at(c.began, later),
                ended=None if c.ended is None else _at(c.ended, later),
                operation_ended=None if c.operation_ended is None else _at(c.operation_ended, later),
            )
            for c in run.calls
        ),
    )
    assert run.source_nonces is not None  # noqa: S101  # the honest history was asked
    asked = run.source_nonces
    return replace(
        moved, source_nonces=replace(asked, began=_at(asked.began, later), ended=_at(asked.ended, later))
    )


def _at(instant: Instant, later: float) -> Instant:
    return Instant(instant + later)


if __name__ == "__main__":
    sys.exit(main())
