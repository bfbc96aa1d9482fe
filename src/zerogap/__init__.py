"""Certified duality gaps of neural networks: bracket, prove, replicate."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zerogap.checker.check import Verdict, verify
    from zerogap.model.bounds import Bounds
    from zerogap.model.errors import ZerogapError
    from zerogap.model.problem import Problem
    from zerogap.solving.solver import solve

__all__ = ["Bounds", "Problem", "Verdict", "ZerogapError", "solve", "verify"]
__version__ = "0.1.0"

# Names load on first use: the checker works where no solver does, and none of it is loaded for the
# other.
_HOMES = {
    "Bounds": "model.bounds",
    "Problem": "model.problem",
    "Verdict": "checker.check",
    "ZerogapError": "model.errors",
    "solve": "solving.solver",
    "verify": "checker.check",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"zerogap.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'zerogap' has no attribute {name!r}")
