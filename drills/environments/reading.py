"""Can environments.toml be used as it stands, and if not, which key is wrong?

    file ──TOML──▶ raw ──defaults filled in──▶ one raw table an environment ──pydantic──▶ Profile
                                                                      └──▶ ConfigurationError: file, table, key, HINT

`[defaults.<table>]` is filled in key by key below what `[<environment>.<table>]` says itself; `[[defaults.assertions]]`
come before an environment's own. Every environment of the file is read, also those that nobody asked for: a file with
a mistake in it is not half right.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from drills.environments.profile import Profile
from drills.environments.tables import ExpandableTable
from drills.errors import ConfigurationError, UsageError

Raw: TypeAlias = dict[str, Any]

DEFAULTS = "defaults"
# The disasters that the project is built for; a file in scenarios/ adds its own name.
SCENARIOS = frozenset({"pitr_restore", "ha_failover", "geo_restore", "corruption_rollback"})


@dataclass(frozen=True, slots=True)
class Environments:
    """Every environment of one file."""

    path: Path
    profiles: Mapping[str, Profile]

    @property
    def names(self) -> tuple[str, ...]:
        """The environments in the order of the file."""
        return tuple(self.profiles)

    def profile(self, name: str) -> Profile:
        """Give one environment, or say which there are."""
        if name in self.profiles:
            return self.profiles[name]
        near = difflib.get_close_matches(name, self.names, n=1, cutoff=0.4)
        raise UsageError(
            f"{self.path} knows no environment {name!r}",
            hint=(f"did you mean {near[0]}? " if near else "") + f"It has {', '.join(self.names)}",
        )


def load(path: Path) -> Environments:
    """Read and judge the whole file."""
    raw = _parsed(path)
    defaults = _table(raw.pop(DEFAULTS, {}), path, DEFAULTS)
    if not raw:
        raise ConfigurationError(f"{path} declares no environment", hint="add tables like [uat.azure]")
    known = SCENARIOS | {file.stem for file in path.parent.glob("scenarios/[a-z]*.py")}
    profiles = {
        name: _profile(path, name, _table(own, path, name), defaults, known) for name, own in raw.items()
    }
    return Environments(path, MappingProxyType(profiles))


def _parsed(path: Path) -> Raw:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be read: {error.strerror}",
            hint="run from the checkout, where environments.toml lies, or name the file",
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} is not TOML: {error}", hint="mend the line that it names") from None


def _table(value: object, path: Path, name: str) -> Raw:
    if isinstance(value, dict):
        return value
    raise ConfigurationError(
        f"{path}, key {name!r}: it stands outside of every table",
        hint=f"the file holds tables only, like [{name}.azure]",
    )


def _profile(path: Path, name: str, own: Raw, defaults: Raw, scenarios: Collection[str]) -> Profile:
    merged = _filled(own, defaults)
    objectives = merged.get("objectives")
    for scenario in objectives if isinstance(objectives, dict) else ():
        if scenario not in scenarios:
            raise ConfigurationError(
                f"{path}, [{name}.objectives], key {scenario!r}: there is no such scenario",
                hint=_known(scenario, scenarios),
            )
    try:
        profile = Profile.model_validate({**merged, "name": name})
    except ValidationError as error:
        raise _explained(error, path, name, own, defaults) from None
    for key, table in profile:
        if isinstance(table, ExpandableTable):
            table.located(f"{path}, [{name}.{key}]")
    return profile


def _filled(own: Raw, defaults: Raw) -> Raw:
    """Lay an environment's own values over the defaults; lists of tables are joined, all else is replaced."""
    filled = dict(defaults)
    for key, value in own.items():
        below = filled.get(key)
        if isinstance(value, dict) and isinstance(below, dict):
            filled[key] = _filled(value, below)
        elif key == "assertions" and isinstance(value, list) and isinstance(below, list):
            filled[key] = [*below, *value]
        else:
            filled[key] = value
    return filled


def _explained(error: ValidationError, path: Path, name: str, own: Raw, defaults: Raw) -> ConfigurationError:
    """Turn what pydantic found into file, table, key and a hint; the first mistake, and how many there are."""
    found = error.errors(include_url=False)
    first = found[0]
    context: Mapping[str, Any] = first.get("ctx", {})
    keys = [part for part in first["loc"] if part not in ("hnsw", "ivfflat")]
    keys += [part for part in (context.get("table"), context.get("key")) if part]
    *tables, key = keys
    if isinstance(key, int):  # an item of a list: the list is the key
        *tables, key = tables
    origin = DEFAULTS if _holds(defaults, keys) and not _holds(own, keys) else name
    others = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return ConfigurationError(
        f"{path}, {_heading([origin, *tables])}, key {str(key)!r}: {_sentence(first)}{others}",
        hint=context.get("hint") or _hint(first, str(key), _keys_at(tables)),
    )


def _heading(parts: list[str | int]) -> str:
    if "assertions" in parts:
        number = next((f", number {part + 1}" for part in parts if isinstance(part, int)), "")
        return f"[[{parts[0]}.assertions]]{number}"
    return "[" + ".".join(str(part) for part in parts) + "]"


def _holds(raw: object, keys: list[str | int]) -> bool:
    for key in keys:
        if isinstance(key, int):
            return True
        if not isinstance(raw, dict) or key not in raw:
            return False
        raw = raw[key]
    return True


def _sentence(found: ErrorDetails) -> str:
    match found["type"]:
        case "extra_forbidden":
            return "it is not known"
        case "missing":
            return "it is missing"
        case "misuse":
            return found["msg"]
        case _:
            return f"{found['input']!r} does not fit: {found['msg'][0].lower()}{found['msg'][1:]}"


def _hint(found: ErrorDetails, key: str, known: Collection[str]) -> str:
    match found["type"]:
        case "extra_forbidden":
            return _known(key, known)
        case "missing":
            return f"add {key} = …; the comments at the head of environments.toml say what a table holds"
        case _:
            return "give a value of the kind that the sentence names"


def _known(key: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(key, known, n=1)
    return (f"did you mean {near[0]}? " if near else "") + f"Known here: {', '.join(sorted(known))}"


def _keys_at(tables: list[str | int]) -> list[str]:
    """The keys that the file may have in a table, by their names in the file."""
    model: type[BaseModel] = Profile
    for table in tables:
        inner = model.model_fields.get(str(table))
        if inner is not None:
            model = _model_in(inner.annotation) or model
    return [field.alias or name for name, field in model.model_fields.items() if name != "name"]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = [_model_in(part) for part in getattr(annotation, "__args__", ())]
    return next((model for model in inner if model is not None), None)
