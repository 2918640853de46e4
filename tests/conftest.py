"""Which tests begin first? Those that rehearse a whole drill: with several workers, what begins last ends last."""

from __future__ import annotations

import pytest

LONG = ("tests/rehearsals/", "tests/sabotage/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order is all that changes; the order within a file stays."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))
