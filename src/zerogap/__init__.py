"""Certified duality gaps of neural networks: bracket, prove, replicate."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zerogap.checker.check import Verdict, verify
    from zerogap.checker.files import read_jsonl as read_certificates
    from zerogap.convex.search import search
    from zerogap.model.bounds import Bounds
    from zerogap.model.errors import ZerogapError
    from zerogap.model.network import Network
    from zerogap.model.problem import Problem
    from zerogap.solving.certificates import write_jsonl as write_certificates
    from zerogap.solving.solver import solve, solve_path
    from zerogap.trained.audit import audit
    from zerogap.trained.files import write_weights

__all__ = [
    "Bounds", "Network", "Problem", "Verdict", "ZerogapError", "audit", "read_certificates",
    "search", "solve", "solve_path", "verify", "write_certificates", "write_weights",
]  # fmt: skip
__version__ = "0.1.0"

# Names load on first use: the checker works where no solver does, and none of it is loaded for the
# other.
_HOMES = {
    "Bounds": "model.bounds.Bounds",
    "Network": "model.network.Network",
    "Problem": "model.problem.Problem",
    "Verdict": "checker.check.Verdict",
    "ZerogapError": "model.errors.ZerogapError",
    "audit": "trained.audit.audit",
    "read_certificates": "checker.files.read_jsonl",
    "search": "convex.search.search",
    "solve": "solving.solver.solve",
    "solve_path": "solving.solver.solve_path",
    "verify": "checker.check.verify",
    "write_certificates": "solving.certificates.write_jsonl",
    "write_weights": "trained.files.write_weights",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        module, _, attribute = _HOMES[name].rpartition(".")
        return getattr(import_module(f"zerogap.{module}"), attribute)
    raise AttributeError(f"module 'zerogap' has no attribute {name!r}")
