from __future__ import annotations

from pathlib import Path

import pytest

from drills.model import Status
from drills.verdict import findings_of
from tests.checks.lies import BASES, LIES, Base, Lie, page, told

PAGE = Path(__file__).parents[2] / "docs" / "lies.md"


@pytest.mark.parametrize("base", BASES, ids=lambda base: base.name)
def test_the_honest_one_raises_nothing(base: Base) -> None:
    found = findings_of(base.checks, base.history(), base.objectives)

    assert {f.status for f in found} <= {Status.PASSED, Status.NOT_APPLICABLE}


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.told)
def test_the_check_named_for_a_lie_reports_it(lie: Lie) -> None:
    assert told(lie).ended == lie.ends


@pytest.mark.parametrize("base", BASES, ids=lambda base: base.name)
def test_every_check_of_a_history_is_named_for_a_lie(base: Base) -> None:
    assert {check.__name__ for check in base.checks} <= {lie.caught_by for lie in LIES}


def test_each_lie_is_another_one() -> None:
    assert len({(lie.base.name, lie.told) for lie in LIES}) == len(LIES) >= 30


def test_the_page_says_what_became_of_each_lie() -> None:
    """Written again by: python -m tests.checks.lies > docs/lies.md."""
    assert PAGE.read_text(encoding="utf-8") == page()
