"""Rules that no linter knows."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_lock_file_names_no_place_to_fetch_from() -> None:
    """Where packages come from is decided by each machine's own configuration."""
    lock = (ROOT / "requirements-dev.lock").read_text(encoding="utf-8")

    assert "://" not in lock
    assert not re.search(r"^-", lock, re.MULTILINE)


def test_every_requirement_of_the_lock_file_is_pinned_and_hashed() -> None:
    lock = (ROOT / "requirements-dev.lock").read_text(encoding="utf-8")
    requirements = re.findall(r"^[A-Za-z].*(?:\n    --hash.*)*", lock, re.MULTILINE)

    assert len(requirements) > 50
    assert [
        one.splitlines()[0] for one in requirements if "==" not in one or "--hash=sha256:" not in one
    ] == []


def test_nothing_is_mocked() -> None:
    """For databases a real PostgreSQL, for the control plane the twin, for histories a few lines by hand."""
    mocks = re.compile(r"unittest(?:\.| import )mock|MagicMock|mock\.patch|monkeypatch\.setattr")
    here = Path(__file__)

    found = [
        path.relative_to(ROOT)
        for path in (ROOT / "tests").rglob("*.py")
        if path != here and mocks.search(path.read_text(encoding="utf-8"))
    ]

    assert found == []


def test_the_workflow_runs_what_anybody_can_run() -> None:
    workflow = (ROOT / ".github" / "workflows" / "check.yml").read_text(encoding="utf-8")
    guard = (ROOT / ".ci" / "run").read_text(encoding="utf-8")

    assert "run: .ci/run" in workflow
    assert "make test\nmake drill\n" in guard


def test_every_action_of_a_workflow_is_pinned_to_a_commit() -> None:
    for workflow in (ROOT / ".github" / "workflows").glob("*.yml"):
        for action in re.findall(r"uses: (\S+)", workflow.read_text(encoding="utf-8")):
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action)
