"""Each contract of the layers is kept by the code, and is named when one line breaks it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("drills", "scenarios", "reports")
LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")

# For each contract: imports that break it, as importer and imported.
VIOLATIONS = {
    "root": [("drills", "drills.model"), ("drills", "pydantic")],
    "layers": [
        ("drills.model", "drills.history"),
        ("drills.history", "drills.checks"),
        ("drills.clock", "drills.journal"),
        ("drills.journal", "drills.loading"),
        ("drills.azure.client", "drills.engine"),
        ("drills.azure.client", "drills.observe.survey"),
        ("drills.observe.survey", "drills.azure.client"),
        ("drills.engine", "drills.commands"),
    ],
    "pure": [
        ("drills.model", "os"),
        ("drills.history", "time"),
        ("drills.history", "drills.clock"),
        ("drills.checks", "socket"),
        ("drills.checks", "drills.journal"),
        ("drills.verdict", "subprocess"),
        ("drills.verdict", "psycopg"),
        ("reports", "pathlib"),
        ("reports", "drills.loading"),
    ],
    "files": [("drills.loading", "pathlib"), ("drills.loading", "os")],
    "clock": [
        ("drills.engine", "time"),
        ("drills.observe.prober", "time"),
        ("scenarios.pitr_restore", "time"),
    ],
    "sdk": [("drills.engine", "azure"), ("drills.twin.zep", "azure"), ("reports", "azure")],
    "twin-knows-nobody": [("drills.twin.zep", "drills.model"), ("drills.twin", "drills.errors")],
    "nobody-knows-the-twin": [("drills.engine", "drills.twin.zep"), ("drills.commands", "drills.twin")],
    "scenarios": [
        ("scenarios.pitr_restore", "drills.engine"),
        ("scenarios.pitr_restore", "drills.model"),
        ("scenarios.pitr_restore", "reports"),
    ],
    "each-scenario-alone": [("scenarios.another", "scenarios.pitr_restore")],
}


@pytest.fixture(scope="module")
def contracts() -> dict[str, str]:
    """The name of each contract, by its id."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return {one["id"]: one["name"] for one in settings["tool"]["importlinter"]["contracts"]}


def lint(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LINT_IMPORTS, "--no-cache", *arguments], cwd=folder, capture_output=True, text=True, timeout=120
    )


def copy_of_the_code(folder: Path) -> Path:
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def file_of(folder: Path, module: str) -> Path:
    path = folder.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def test_the_code_keeps_every_contract(contracts: dict[str, str]) -> None:
    answer = lint(ROOT)

    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert f"{len(contracts)} kept, 0 broken" in answer.stdout


def test_every_contract_has_a_violation_below(contracts: dict[str, str]) -> None:
    assert set(VIOLATIONS) == set(contracts)


@pytest.mark.parametrize("contract", VIOLATIONS)
def test_one_import_breaks_the_contract_and_is_named(
    tmp_path: Path, contracts: dict[str, str], contract: str
) -> None:
    """All violations of one contract are planted together, and each has to be named."""
    code = copy_of_the_code(tmp_path)
    for importer, imported in VIOLATIONS[contract]:
        with file_of(code, importer).open("a", encoding="utf-8") as file:
            file.write(f"\nimport {imported}\n")

    answer = lint(code, "--contract", contract)

    assert answer.returncode == 1, answer.stdout + answer.stderr
    assert f"{contracts[contract]} BROKEN" in answer.stdout
    for importer, imported in VIOLATIONS[contract]:
        assert f"{importer} -> {imported} (l." in answer.stdout


def test_a_module_that_has_chosen_no_layer_is_refused(tmp_path: Path) -> None:
    code = copy_of_the_code(tmp_path)
    (code / "drills" / "newcomer.py").touch()

    answer = lint(code, "--contract", "layers")

    assert answer.returncode == 1, answer.stdout + answer.stderr
    assert "newcomer" in answer.stdout
