"""Rehearse recoveries on a local twin, and report what they would have lost and how long they would have taken.

    $ drills rehearse -e production -s pitr_restore:latest

A twin is started, each variant gets a source server of its own with data and traffic in it, the drill runs against
it as it would against Azure, and everything is torn down again. No Azure variable is needed.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from drills.catalog import Choice
    from drills.environments import Profile
    from drills.judging import Judged
    from drills.rehearsal import TwinSettings

SUMMARY = "rehearse recoveries on a local twin; needs no Azure"

DESCRIPTION = """\
Start a twin of the service on this machine, carry out the chosen recoveries on it for real, judge them against the
environment's objectives, and write a report for each. Everything but the record is gone afterwards."""

EPILOG = """\
examples:
  drills rehearse                                  production, one variant of each core scenario
  drills rehearse -e uat -s pitr_restore           both variants of one scenario, with uat's objectives
  drills rehearse -s pitr_restore:chosen --seed 7  the same draws of durations again

The record lies in runs/REHEARSAL-<run id>/, its report in reports/report.html there. A rehearsal is never evidence.
Time runs --time-scale times as fast; reports show both times. Exit codes: drills --help."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what can be chosen."""
    parser.description, parser.epilog = DESCRIPTION, EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "-e",
        "--environment",
        default="production",
        metavar="ENV",
        help="a profile of environments.toml [production]",
    )
    parser.add_argument(
        "-s",
        "--scenario",
        action="append",
        default=[],
        metavar="NAME[:VARIANT]",
        help="a scenario, or one variant of it; may be given again",
    )
    parser.add_argument("--all", action="store_true", help="every variant of every scenario")
    parser.add_argument(
        "--time-scale", type=_time_scale, default=30.0, metavar="N", help="1 to 60: how fast time runs [30]"
    )
    parser.add_argument("--jobs", type=_jobs, default=2, metavar="N", help="variants side by side [2]")
    parser.add_argument("--seed", type=int, default=None, metavar="N", help="draw durations as this seed did")
    parser.add_argument(
        "--out", type=Path, default=Path("runs"), metavar="DIR", help="where the records go [runs]"
    )
    parser.add_argument(
        "--environments",
        type=Path,
        default=Path("environments.toml"),
        metavar="FILE",
        help="the profiles [environments.toml]",
    )


def run(args: argparse.Namespace) -> int:
    """Rehearse, print verdicts and the paths of the reports, and give the exit code."""
    from drills import catalog, environments
    from drills.errors import Refused
    from drills.rehearsal import TwinSettings

    profile = environments.load(args.environments).profile(args.environment)
    choices = catalog.chosen(args.scenario) if args.all or args.scenario else catalog.core()
    for choice in list(choices):
        if reason := profile.applicability(choice.scenario.name, choice.variant):
            print(f"{choice}: not applicable: {reason}")
            choices.remove(choice)
    if not choices:
        raise Refused(
            f"nothing that was chosen applies to {profile.name}",
            hint="drills rehearse --help; environments.toml",
        )
    settings = TwinSettings(time_scale=args.time_scale, **({} if args.seed is None else {"seed": args.seed}))
    print(
        f"rehearsing {', '.join(map(str, choices))} for {profile.name} on a twin of its own "
        f"(time scale {settings.time_scale:g}, seed {settings.seed})",
        flush=True,
    )
    judged = _rehearse(choices, profile, settings, out=args.out, jobs=args.jobs)
    return _conclude(judged)


def _rehearse(
    choices: list[Choice], profile: Profile, settings: TwinSettings, *, out: Path, jobs: int
) -> list[Judged]:
    from concurrent.futures import ThreadPoolExecutor
    from functools import partial

    from drills import clock, judging, rehearsal
    from drills.reporting import write_reports

    began = clock.now()

    def say(choice: Choice, text: str) -> None:
        print(f"{clock.now() - began:6.1f} s  {choice!s:22}  {text}", flush=True)

    def one(choice: Choice) -> Judged:
        folder = rehearsal.rehearse(choice, on, profile=profile, out=out, say=partial(say, choice), stop=stop)
        judged = judging.conclude(folder)
        write_reports(folder)
        return judged

    with (
        _stopped_in_order() as stop,
        rehearsal.twin(profile, choices, settings) as on,
        ThreadPoolExecutor(max_workers=jobs) as drills,
    ):
        return list(drills.map(one, choices))


@contextmanager
def _stopped_in_order() -> Iterator[threading.Event]:
    """Turn Ctrl-C and SIGTERM into an order to stop: the drills clean up, seal their records, and end as aborted."""
    stop = threading.Event()

    def order(_signal: int, _frame: object) -> None:
        if not stop.is_set():
            print("\nstopping: the drills clean up first", flush=True)
        stop.set()

    before = {number: signal.signal(number, order) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _conclude(judged: list[Judged]) -> int:
    from drills.judging import exit_code
    from reports.terminal import told

    width = shutil.get_terminal_size((100, 24)).columns
    for one in judged:
        print(f"\n{told(one.result, width=width)}")
        print(f"  report        {one.folder / 'reports' / 'report.html'}")
        print(f"  record        {one.folder}, judged again by: drills check {one.folder}")
    return exit_code([one.verdict for one in judged])


def _time_scale(text: str) -> float:
    with suppress(ValueError):
        if 1 <= (value := float(text)) <= 60:
            return value
    raise argparse.ArgumentTypeError(
        f"{text!r} is no number from 1 to 60; beyond, our own seconds hide the service's"
    )


def _jobs(text: str) -> int:
    with suppress(ValueError):
        if (value := int(text)) >= 1:
            return value
    raise argparse.ArgumentTypeError(f"{text!r} is no number of variants, 1 or more")
