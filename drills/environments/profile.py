"""What is declared for one environment, and does it agree with itself?

A profile is what environments.toml says about one environment, after the defaults were filled in. It answers two
questions for the rest: which objectives hold for a scenario, and whether a scenario applies here at all. That is
decided here, from what was declared, and never from what the server happens to have: a server without the
redundancy that its profile declares has failed, and "does not apply" would hide it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, PlainSerializer, model_validator

from drills.environments.tables import (
    Assertion,
    Azure,
    Connection,
    Evidence,
    ExpandableTable,
    Expected,
    Hooks,
    Network,
    Objectives,
    Policy,
    Table,
)
from drills.environments.units import misuse
from drills.errors import ConfigurationError

ObjectivesByScenario = Annotated[
    Mapping[str, Objectives],
    AfterValidator(lambda read: MappingProxyType(dict(read))),
    PlainSerializer(
        lambda kept: {name: table.model_dump() for name, table in kept.items()}, return_type=dict
    ),
]


class Profile(Table):
    """One environment as it is declared."""

    name: str
    azure: Azure
    connection: Connection
    network: Network
    expected: Expected
    objectives: ObjectivesByScenario
    policy: Policy = Policy()
    evidence: Evidence = Evidence()
    hooks: Hooks = Hooks()
    assertions: Annotated[tuple[Assertion, ...], Field(strict=False)] = ()

    def objectives_of(self, scenario: str) -> Objectives:
        """Give the objectives of a scenario, or say which table is missing: nothing is judged by a guess."""
        if scenario in self.objectives:
            return self.objectives[scenario]
        raise ConfigurationError(
            f"environments.toml has no table [{self.name}.objectives.{scenario}], so nothing could be judged",
            hint="add it with rpo, rto and source, the sentence that says who decided them",
        )

    def applicability(self, scenario: str, variant: str | None = None) -> str | None:  # noqa: ARG002  see below
        """Say why a scenario does not apply to this environment, or None if it does.

        A plan asks for each variant. So far no reason differs between two variants of one scenario.
        """
        match scenario:
            case "ha_failover" if self.expected.high_availability == "Disabled":
                return f"{self.name} declares no high availability, so there is nothing to fail over to"
            case "geo_restore" if not self.expected.geo_redundant_backup:
                return (
                    f"{self.name} declares no geo-redundant backup, so the loss of its region is not covered"
                )
            case _:
                return None

    def resolved(self, environ: Mapping[str, str]) -> Profile:
        """Give the profile with the variables of every table replaced, for a drill against Azure."""
        tables = {name: table for name, table in self if isinstance(table, ExpandableTable)}
        return self.model_copy(update={name: table.resolved(environ) for name, table in tables.items()})

    def as_json(self) -> dict[str, Any]:
        """Give what `profile.json` holds. Secrets are in no profile: it names their variables."""
        return self.model_dump(mode="json")

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        """Find what two tables say against each other."""
        if "pitr_restore" not in self.objectives:
            raise misuse(
                "there are no objectives for pitr_restore, which applies to every environment",
                hint=f"add [{self.name}.objectives.pitr_restore] with rpo, rto and source",
                table="objectives",
                key="pitr_restore",
            )
        for scenario in self.objectives:
            if reason := self.applicability(scenario):
                raise misuse(
                    f"there are objectives for {scenario}, but {reason}",
                    hint="remove the table, or declare in [expected] what it needs",
                    table="objectives",
                    key=scenario,
                )
        if self.expected.geo_redundant_backup and self.azure.paired_region is None:
            raise misuse(
                "a geo-redundant backup is declared, but not the region that it is copied to",
                hint='add paired_region, like "centralus"',
                table="azure",
                key="paired_region",
            )
        shortest_s = min(table.rto_s for table in self.objectives.values())
        if (self.policy.probe_every_s or 0.0) > shortest_s:
            raise misuse(
                f"a probe each {self.policy.probe_every_s:g} s cannot judge an RTO of {shortest_s:g} s",
                hint="probe far more often than the objective, or leave probe_every out: the engine derives it",
                table="policy",
                key="probe_every",
            )
        return self
