"""What will this run do, before it does anything? Every call, every name, every limit, written down first.

A plan is made from a profile, a scenario variant and a source; it changes nothing. What it derives are the times:
windows and limits are service seconds divided by the time scale, rates are wall.
"""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from drills.azure.ownership import name_for
from drills.errors import Refused
from drills.model import Objectives

if TYPE_CHECKING:
    from drills.environments import Profile
    from drills.target import SourceServer, Target

WRITERS = 2
LONGEST_WINDOW_S = 720.0
"""Service seconds: a window that is longer would only add to the cost of a drill (docs/method.md)."""
RECOVERY_LIMIT_S = 4 * 3600.0
"""Service seconds: the longest ordinary restores recorded by azure-cli's tests took under two hours."""
PROBE_LIMIT_S = 5.0
"""Wall seconds that one attempt may take; longer than any healthy answer, so our own slowness is no outage."""
MARKER_LIMIT_S = 5.0
"""Wall seconds after which a marker that hangs loses its socket and stays UNKNOWN."""
LOOK_EVERY_S = 5.0
"""Service seconds between looks at the server through the control plane."""
NAME_LIVES = timedelta(hours=6)
"""How long a server's name says that it may live: longer than any drill, short enough to sweep the same day."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long and how often, in wall seconds of this run."""

    window_s: float
    marker_period_s: float
    marker_limit_s: float
    probe_period_s: float
    probe_limit_s: float
    look_every_s: float
    recovery_limit_s: float
    switch_over_delay_s: float


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """A call that changes something at the provider, and when it is made."""

    name: str
    resource: str
    when: str


@dataclass(frozen=True, slots=True)
class Plan:
    """One run, decided: one scenario variant, one disaster, one recovered server."""

    run_id: str
    scenario: str
    variant: str
    environment: str
    target: str
    time_scale: float
    trigger: str
    source: str
    source_group: str
    recovered: str
    drill_group: str
    writes: tuple[str, ...]
    calls: tuple[PlannedCall, ...]
    pace: Pace
    objectives: Objectives
    code_version: str

    def as_json(self) -> dict[str, Any]:
        """Give what plan.json holds."""
        return {"schema_version": 1, **asdict(self)}


def make(
    scenario: str,
    variant: str,
    *,
    leg: str,
    profile: Profile,
    source: SourceServer,
    target: Target,
    now: datetime,
    trigger: str,
    code_version: str,
) -> Plan:
    """Decide a run; `now` is UTC and names it, `leg` ends the name of its server.

    Raises:
        Refused: the profile declares something that a drill cannot do yet; a run without it would prove less
            than the profile asks for, and could still pass.
    """
    _refuse_what_would_be_left_out(profile)
    run_id = f"{now:%Y%m%dT%H%M%SZ}-{profile.name}-{scenario}-{variant}-{secrets.token_hex(2)}"
    recovered = str(name_for(run_id, expires=now + NAME_LIVES, leg=leg))
    objectives = _objectives(profile, scenario, target.time_scale)
    return Plan(
        run_id=run_id,
        scenario=scenario,
        variant=variant,
        environment=profile.name,
        target=target.kind,
        time_scale=target.time_scale,
        trigger=trigger,
        source=source.name,
        source_group=source.resource_group,
        recovered=recovered,
        drill_group=source.drill_resource_group,
        writes=("the database dr_drill on the source and on the recovered server, nothing else",),
        calls=(
            PlannedCall("restore to a point in time", recovered, "once, at the disaster"),
            PlannedCall("firewall rule", recovered, "when the server is Ready; again where it says busy"),
            PlannedCall("delete", recovered, "at the end, whatever happened; again where it says busy"),
        ),
        pace=_pace(profile, objectives, target.time_scale),
        objectives=objectives,
        code_version=code_version,
    )


def _refuse_what_would_be_left_out(profile: Profile) -> None:
    declared = [f"hooks.{point}" for point, hook in profile.hooks if hook is not None]
    declared += ["assertions"] if profile.assertions else []
    if declared:
        raise Refused(
            f"{profile.name} declares {', '.join(declared)}, and this version runs neither hooks nor assertions",
            hint="remove them from environments.toml until it does; leaving them out silently could turn into a pass",
        )


def _objectives(profile: Profile, scenario: str, time_scale: float) -> Objectives:
    stated, policy = profile.objectives_of(scenario), profile.policy
    return Objectives(
        rpo_s=stated.rpo_s / time_scale,
        rto_s=stated.rto_s / time_scale,
        rpo_profile_s=stated.rpo_s,
        rto_profile_s=stated.rto_s,
        source=stated.source,
        assumed=stated.assumed,
        rows=stated.rows,
        detection_and_decision_s=policy.detection_and_decision_s / time_scale,
        switch_over_delay_s=policy.switch_over_delay_s / time_scale,
        archive_lag_accepted=policy.archive_lag_accepted,
        unreadable_archive_accepted=policy.unreadable_archive_accepted,
    )


def _pace(profile: Profile, objectives: Objectives, time_scale: float) -> Pace:
    window_s = min(objectives.rpo_profile_s * 1.2 + 30.0, LONGEST_WINDOW_S)
    return Pace(
        window_s=window_s / time_scale,
        marker_period_s=WRITERS / profile.policy.markers_per_second,
        marker_limit_s=MARKER_LIMIT_S,
        probe_period_s=profile.policy.probe_every_s or min(1.0, objectives.rto_s / 200),
        probe_limit_s=PROBE_LIMIT_S,
        look_every_s=LOOK_EVERY_S / time_scale,
        recovery_limit_s=RECOVERY_LIMIT_S / time_scale,
        switch_over_delay_s=objectives.switch_over_delay_s,
    )
