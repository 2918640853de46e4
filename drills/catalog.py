"""Which scenarios are there? Each file in scenarios/ holds one, named as the file is."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass

from drills.errors import UsageError
from drills.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Choice:
    """One variant of one scenario: what one run carries out."""

    scenario: Scenario
    variant: str

    def __str__(self) -> str:
        """Spell it as it is typed."""
        return f"{self.scenario.name}:{self.variant}"


def scenarios() -> dict[str, Scenario]:
    """Import every file in scenarios/ and give what they hold, by name."""
    package = importlib.import_module("scenarios")
    names = sorted(found.name for found in pkgutil.iter_modules(package.__path__))
    return {name: _held(name) for name in names}


def _held(name: str) -> Scenario:
    found = getattr(importlib.import_module(f"scenarios.{name}"), name, None)
    if not isinstance(found, Scenario):
        raise UsageError(
            f"scenarios/{name}.py holds no scenario of that name",
            hint=f"it needs one function {name}, decorated with @scenario",
        )
    return found


def core() -> list[Choice]:
    """One variant of each scenario, its first; while there is but one scenario, every variant of it."""
    known = list(scenarios().values())
    return [Choice(s, v) for s in known for v in (s.variants if len(known) == 1 else s.variants[:1])]


def chosen(typed: list[str]) -> list[Choice]:
    """Read NAME or NAME:VARIANT, each at most once; nothing typed means everything.

    Raises:
        UsageError: there is no such scenario or variant.
    """
    known = scenarios()
    every = [Choice(s, variant) for s in known.values() for variant in s.variants]
    if not typed:
        return every
    picked: list[Choice] = []
    for text in typed:
        name, _, variant = text.partition(":")
        found = [c for c in every if c.scenario.name == name and variant in ("", c.variant)]
        if not found:
            raise UsageError(
                f"there is no scenario {text!r}", hint="there are " + ", ".join(str(c) for c in every)
            )
        picked += [choice for choice in found if choice not in picked]
    return picked
