"""What README and docs name exists, and what exists is named there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from drills.cli import EXAMPLES, EXIT_CODES, INTERRUPTED
from drills.errors import ExitCode

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAP = (ROOT / "docs" / "whats-here.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
DECISIONS = sorted((ROOT / "docs" / "adr").glob("*.md"))
MODULES = [
    str(path.relative_to(ROOT))
    for package in ("drills", "scenarios", "reports")
    for path in sorted((ROOT / package).rglob("*.py"))
    if path.name not in ("__init__.py", "__main__.py")
]
COMMANDS = [
    path.stem.replace("_", "-")
    for path in sorted((ROOT / "drills" / "commands").glob("*.py"))
    if not path.name.startswith("_")
]


def drills(*typed: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "drills", *typed], cwd=ROOT, capture_output=True, text=True, timeout=60
    )


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("module", MODULES)
def test_every_module_is_on_the_map(module: str) -> None:
    """Commands, checks and scenarios are modules, so they are on it too."""
    assert f"`{module}`" in MAP


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_on_the_map_as_it_is_typed(command: str) -> None:
    assert f"`drills {command}`" in MAP


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_file_that_a_page_names_exists(page: Path) -> None:
    """A folder ends with a slash; what a drill writes lies below runs/ and does not exist here."""
    named = re.findall(r"`([\w./-]+(?:\.py|\.md|\.toml|\.lock|\.yml|/))`", page.read_text(encoding="utf-8"))

    missing = [path for path in named if "/" in path.rstrip("/") and not (ROOT / path).exists()]

    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8"))

    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []


def typed_in(text: str, program: str) -> list[str]:
    """The lines of a text that call a program, without the prompt and without what explains them."""
    found = re.findall(rf"^\s*(?:\$ )?(?:\S*/)?{program} (.*)$", text, re.MULTILINE)
    return [re.split(r" {3,}", line)[0] for line in found]


def test_every_target_of_make_that_the_readme_names_exists() -> None:
    targets = typed_in(README, "make")

    assert "drill" in targets
    assert "test" in targets
    assert [target for target in targets if f"\n{target}:" not in MAKEFILE] == []


@pytest.mark.parametrize("line", sorted({*typed_in(README, "drills"), *typed_in(EXAMPLES, "drills")}))
def test_every_command_line_that_is_shown_is_understood(line: str) -> None:
    command, *words = line.split()
    if command == "--help":
        return
    answer = drills(command, "--help")

    assert answer.returncode == 0, answer.stderr
    for option in (word for word in words if word.startswith("-")):
        assert re.search(rf"(?<!\w){re.escape(option)}\b", answer.stdout), f"{command} knows no {option}"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    answer = drills(command, "--help")

    assert answer.returncode == 0, answer.stderr
    assert re.search(rf"^  {command}  +\S", drills("--help").stdout, re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_options_that_several_commands_share_have_the_same_two_forms(command: str) -> None:
    told = drills(command, "--help").stdout
    for long, short in (("--environment", "-e"), ("--scenario", "-s")):
        if long in told:
            assert re.search(rf"{short}\b.*{long}|{long}\b.*{short}\b", told), f"{long} has no short form"


@pytest.mark.parametrize("code", [*ExitCode, INTERRUPTED])
def test_every_exit_code_is_explained_by_the_readme_and_by_help(code: int) -> None:
    assert re.search(rf"^\| {int(code)} \|", README, re.MULTILINE)
    assert re.search(rf"^ +{int(code)}  ", EXIT_CODES, re.MULTILINE)


def test_decisions_are_numbered_without_a_gap() -> None:
    assert [int(path.name[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))


@pytest.mark.parametrize("decision", DECISIONS, ids=name_of)
def test_a_decision_says_context_decision_and_consequences(decision: Path) -> None:
    text = decision.read_text(encoding="utf-8")

    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]
    assert text.startswith(f"# {int(decision.name[:4])}. ")


@pytest.mark.parametrize("decision", DECISIONS, ids=name_of)
def test_every_decision_is_on_the_map(decision: Path) -> None:
    assert f"(adr/{decision.name})" in MAP
