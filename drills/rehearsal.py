"""How is a drill rehearsed? A twin of its own, a source for each variant, the same code as against Azure.

The twin is started for the rehearsal and ends with it, however that ends: it holds the other end of a pipe.
"""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from drills import clock, plan, runner
from drills.code_version import code_version
from drills.errors import TwinError
from drills.target import Application, SourceServer, Target

if TYPE_CHECKING:
    from drills.catalog import Choice
    from drills.engine import Say
    from drills.environments import Profile

TIME_SCALE = 30.0
"""Keeps our own unscaled seconds times N below a quarter of the tightest objective (docs/adr/0006)."""
_START_LIMIT_S = 120.0
_STOP_LIMIT_S = 30.0
_LOOPBACK = "127.0.0.1"
_GROUP = "rehearsal-rg"
_DRILL_GROUP = "rehearsal-drills-rg"


@dataclass(frozen=True, slots=True)
class TwinSettings:
    """How the twin of a rehearsal behaves; the defaults are an honest service under a busy application."""

    time_scale: float = TIME_SCALE
    seed: int = field(default_factory=lambda: secrets.randbelow(1_000_000))
    traffic: str = "busy"
    latest_means: str = "last_archived"
    operation_durations: str = "drawn"
    lies: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Twin:
    """A running twin: where it answers, and the sources that were born in it, by variant."""

    settings: TwinSettings
    target: Target
    sources: dict[str, SourceServer]
    side_door: str
    side_token: str
    state: Path


@contextmanager
def twin(profile: Profile, choices: Sequence[Choice], settings: TwinSettings) -> Iterator[Twin]:
    """Start a twin in which every choice has a source of its own, and end it afterwards.

    Raises:
        TwinError: it did not start within two minutes, or died; the sentence ends with its last words.
    """
    password = secrets.token_urlsafe(24)
    sources = {str(choice): _source(choice, password, profile) for choice in choices}
    config = {
        "time_scale": settings.time_scale,
        "seed": settings.seed,
        "operation_durations": settings.operation_durations,
        "recorded_tail": False,
        "latest_means": settings.latest_means,
        "archive_every_s": 300,
        "servers": [_born(source, profile, settings) for source in sources.values()],
        "lies": list(settings.lies),
    }
    with (
        tempfile.TemporaryFile() as told,
        tempfile.TemporaryFile() as log,
    ):  # no name: nothing outlives a kill
        told.write(json.dumps(config).encode())
        told.flush()
        process = subprocess.Popen(
            [sys.executable, "-m", "drills.twin", "--config", f"/dev/fd/{told.fileno()}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            pass_fds=(told.fileno(),),
            start_new_session=True,  # Ctrl-C is for the rehearsal, which ends the twin last
        )
        try:
            status = _handshake(process, log)
            yield _twin(settings, status, sources)
        finally:
            _end(process)


def rehearse(
    choice: Choice,
    on: Twin,
    *,
    profile: Profile,
    out: Path,
    say: Say,
    stop: threading.Event,
) -> Path:
    """Rehearse one scenario variant on a running twin and give the folder of its record."""
    source = on.sources[str(choice)]
    decided = plan.make(
        choice.scenario.name,
        choice.variant,
        leg=choice.scenario.leg,
        profile=profile,
        source=source,
        target=on.target,
        now=clock.utc(),
        trigger="rehearsal",
        code_version=code_version(),
    )
    return runner.carry_out(
        choice.scenario,
        decided,
        profile=profile,
        target=on.target,
        source=source,
        out=out,
        caveats=_caveats(profile, on.settings),
        say=say,
        stop=stop,
    )


def _caveats(profile: Profile, settings: TwinSettings) -> Iterator[str]:
    yield (
        f"durations of the service's operations were drawn from recorded ranges by seed {settings.seed}: "
        "the same seed draws them again"
    )
    expected = profile.expected
    if expected.high_availability != "Disabled" or expected.geo_redundant_backup:
        yield (
            f"{profile.name} declares high availability {expected.high_availability} and "
            f"{'a' if expected.geo_redundant_backup else 'no'} geo-redundant backup; the twin has neither yet, "
            "so the rehearsed source had neither"
        )


def _source(choice: Choice, password: str, profile: Profile) -> SourceServer:
    return SourceServer(
        name=f"{profile.name}-{choice.scenario.name}-{choice.variant}".replace("_", "-"),
        resource_group=_GROUP,
        drill_resource_group=_DRILL_GROUP,
        user=profile.connection.user,
        password=password,
        database=profile.connection.database,
        port=5432,
        allow_from=(_LOOPBACK,),
    )


def _born(source: SourceServer, profile: Profile, settings: TwinSettings) -> dict[str, Any]:
    expected = profile.expected
    return {
        "name": source.name,
        "resource_group": source.resource_group,
        "location": profile.azure.region,
        "zone": "1",
        "sku": {"name": expected.sku, "tier": expected.tier},
        "storage_gb": expected.storage_gb,
        "backup_retention_days": expected.backup_retention_days,
        "administrator_login": source.user,
        "administrator_password": source.password,
        "tags": {"environment": profile.name},
        "traffic": settings.traffic,
        "index": expected.vector_index.method,
        "allow_from": list(source.allow_from),
        "born_days_ago": expected.backup_retention_days + 2,
    }


def _handshake(process: subprocess.Popen[str], log: IO[bytes]) -> dict[str, Any]:
    """Read the one line that says where the twin answers; a twin that is silent for too long is ended."""
    timer = threading.Timer(_START_LIMIT_S, process.kill)
    timer.start()
    try:
        assert process.stdout is not None  # noqa: S101  # it was opened as a pipe
        line = process.stdout.readline()
    finally:
        timer.cancel()
    if not line:
        process.wait()
        log.seek(0)
        words = " / ".join(log.read().decode(errors="replace").splitlines()[-3:]) or "it said nothing"
        raise TwinError(f"the twin did not start: {words}", hint="python -m drills.twin --help")
    status = json.loads(line)
    if not isinstance(status, dict):
        raise TwinError(f"the twin's first line is no object: {line.strip()}")
    return status


def _twin(settings: TwinSettings, status: dict[str, Any], sources: dict[str, SourceServer]) -> Twin:
    target = Target(
        kind="twin",
        arm_endpoint=status["arm_endpoint"],
        subscription_id=status["subscription_id"],
        application=Application(
            authority=status["arm_endpoint"],
            tenant_id=status["tenant_id"],
            client_id=status["client_id"],
            client_secret=status["client_secret"],
        ),
        ca_file=Path(status["ca_file"]),
        names_url=status["side_door"],
        time_scale=status["time_scale"],
    )
    return Twin(settings, target, sources, status["side_door"], status["side_token"], Path(status["state"]))


def _end(process: subprocess.Popen[str]) -> None:
    """Close the pipe, which ends the twin and all its servers; kill it only if that takes too long."""
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    try:
        process.wait(_STOP_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
