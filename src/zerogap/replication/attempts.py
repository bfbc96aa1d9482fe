"""A step of a stage that may fail without costing the problem, or a problem its batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from zerogap.model.errors import what_failed


def attempt(failures: list[str], step: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """What a step returns, or None with its failure noted."""
    try:
        return function(*arguments)
    except Exception as error:  # solvers fail in their own ways
        failures.append(what_failed(step, error))
        return None
