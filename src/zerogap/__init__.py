"""Certified duality gaps of neural networks: bracket, prove, replicate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zerogap.errors import ZerogapError
from zerogap.problem import Bounds, Problem

if TYPE_CHECKING:
    from zerogap.certificates.check import Verdict, verify
    from zerogap.solver import solve

__all__ = ["Bounds", "Problem", "Verdict", "ZerogapError", "solve", "verify"]
__version__ = "0.1.0"

# Solvers and the checker load on first use, so that each works where the other cannot.
_HOMES = {
    "solve": "zerogap.solver",
    "verify": "zerogap.certificates.check",
    "Verdict": "zerogap.certificates.check",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'zerogap' has no attribute {name!r}")
