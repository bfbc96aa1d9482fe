"""The order of the tests: those that run the workflow take longest, so they come first."""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: "workflow" not in item.path.parts)
