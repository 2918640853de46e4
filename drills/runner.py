"""How does a plan become a record? Written down first, carried out, cleaned up whatever happens, then judged.

    plan.json, profile.json ─▶ journal.jsonl … ─▶ clean-up ─▶ run_ended ─▶ result.json ─▶ reports/

The order is the evidence: profile and plan lie on disk, and their hashes in the journal, before the fault.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from drills import clock
from drills.azure.client import client_for, scope_of
from drills.azure.credentials import credential_for, identity_of
from drills.azure.operations import Caller
from drills.azure.servers import Servers
from drills.azure.witness import Witness
from drills.engine import FAILURES, Drill, Say
from drills.journal import Journal, write_document
from drills.observe.connections import Login, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from drills.environments import Profile
    from drills.plan import Plan
    from drills.scenario import Scenario
    from drills.target import SourceServer, Target

REHEARSAL_PREFIX = "REHEARSAL-"


def carry_out(
    scenario: Scenario,
    plan: Plan,
    *,
    profile: Profile,
    target: Target,
    source: SourceServer,
    out: Path,
    caveats: Iterable[str],
    say: Say,
    stop: threading.Event,
) -> Path:
    """Carry out one plan and give the folder of its record, completed or aborted.

    What the world does to a drill ends in the record, never in an exception; a defect of ours is raised, after
    the clean-up.

    Raises:
        RecordError: a run of this id was recorded before.
        ProviderError: no token was given; nothing was begun.
    """
    credential = credential_for(target)
    claims = identity_of(credential, scope_of(target))
    folder = out / f"{REHEARSAL_PREFIX if target.kind == 'twin' else ''}{plan.run_id}"
    folder.mkdir(parents=True)
    journal = _begin(folder, plan, profile, target)
    journal.write("identity_used", **claims)
    for sentence in caveats:
        journal.write("caveat", sentence=sentence)
    witness = Witness(journal)
    client = client_for(target, credential, witness)
    drill = Drill(
        plan,
        folder=folder,
        journal=journal,
        servers=Servers(client, Caller(journal, witness)),
        source_server=source,
        login=Login(
            user=source.user,
            password=source.password,
            ca_file=str(target.ca_file),
            names_url=target.names_url,
            port=source.port,
        ),
        say=say,
        stop=stop,
    )
    end = ("aborted", "a defect of this software")
    try:
        end = _run(scenario, drill, say)
    finally:
        _finish(drill, journal, end, say)
    return folder


def _begin(folder: Path, plan: Plan, profile: Profile, target: Target) -> Journal:
    plan_sha256 = write_document(folder / "plan.json", plan.as_json())
    profile_sha256 = write_document(
        folder / "profile.json", {**profile.as_json(), "objectives_of_this_run": asdict(plan.objectives)}
    )
    journal = Journal(folder / "journal.jsonl")
    journal.write(
        "run_began",
        run_id=plan.run_id,
        scenario=plan.scenario,
        variant=plan.variant,
        environment=plan.environment,
        time_scale=plan.time_scale,
        trigger=plan.trigger,
        arm_host=urlsplit(target.arm_endpoint).hostname,
        public_ca=False,
        boot_id=clock.boot_id(),
        code_version=plan.code_version,
        plan_sha256=plan_sha256,
        profile_sha256=profile_sha256,
    )
    return journal


def _run(scenario: Scenario, drill: Drill, say: Say) -> tuple[str, str]:
    try:
        scenario.run(drill)
    except FAILURES as problem:
        say(f"the drill cannot go on: {problem}")
        with suppress(*FAILURES):
            drill.prove_by_source()
        return "aborted", one_line(problem)
    return "completed", "every step of the runbook was taken"


def _finish(drill: Drill, journal: Journal, end: tuple[str, str], say: Say) -> None:
    try:
        drill.clean_up()
    except FAILURES as problem:
        say(f"the clean-up failed: {problem}")
        drill.caveat(f"the clean-up failed: {one_line(problem)}")
    finally:
        drill.note_files()
        journal.write("run_ended", outcome=end[0], reason=end[1])
        journal.close()
