"""What does each environment promise, and what may a drill do there? environments.toml, read and judged.

What a caller needs, in four lines:

    environments = load(Path("environments.toml"))
    production = environments.profile("production")
    production.objectives["pitr_restore"].rto_s      # 900.0
    production.applicability("geo_restore", None)    # None: it applies
    production.azure.resolved(os.environ).server_id  # the only moment at which variables must be set
"""

from __future__ import annotations

from drills.environments.profile import Profile
from drills.environments.reading import Environments, load
from drills.environments.tables import (
    Assertion,
    Azure,
    Connection,
    Evidence,
    Expected,
    Hnsw,
    Hook,
    Hooks,
    IvfFlat,
    Network,
    Objectives,
    Policy,
)

__all__ = [
    "Assertion",
    "Azure",
    "Connection",
    "Environments",
    "Evidence",
    "Expected",
    "Hnsw",
    "Hook",
    "Hooks",
    "IvfFlat",
    "Network",
    "Objectives",
    "Policy",
    "Profile",
    "load",
]
