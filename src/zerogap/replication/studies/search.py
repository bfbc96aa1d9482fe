"""How far a search over the weights gets, with no theory of the data: gaps of standard networks.

The smallest rank-one and whitened problems, where theory knows the optimum (§6, §7), three classes,
and normal data, of which it says nothing; three of six normal samples cost more than the dual value
of all.
"""

from typing import Any

# `solve` loads it when it returns a network: the study depends on it.
import zerogap.model.module  # noqa: F401
from zerogap.convex.search import search
from zerogap.model.problem import Problem
from zerogap.replication.families import Spec, generate
from zerogap.solving.solver import solve

# The data, and how to search: to 1 % below the best network where there is a target, but for six.
CASES: dict[str, tuple[Spec, dict[str, Any]]] = {
    "smallest": ({"kind": "smallest"}, {"leaves": 20}),
    "one-hot-1-1": ({"kind": "one-hot", "sizes": [1, 1]}, {"leaves": 40}),
    "one-hot-1-1-1": ({"kind": "one-hot", "sizes": [1, 1, 1]}, {"target": 4.455}),
    "gaussian-k1": ({"kind": "gaussian", "n": 2, "d": 2, "k": 1}, {"leaves": 40}),
    "gaussian-k2": ({"kind": "gaussian", "n": 2, "d": 2, "k": 2}, {"leaves": 40}),
    "gaussian-3": ({"kind": "gaussian", "n": 3, "d": 3, "k": 1, "draw": 1}, {"target": 2.7105}),
    "gaussian-6": (
        {"kind": "gaussian", "n": 6, "d": 6, "k": 1},
        {"target": 2.05, "samples": (0, 3, 5)},
    ),
}


def certificate(name: str) -> dict[str, Any]:
    """The proof for one case: three layers, standard ReLU, interpolation, weight decay."""
    spec, options = CASES[name]
    X, Y = generate(spec)
    problem = Problem(X, Y, activation="relu", architecture="standard", depth=3)
    proved = solve(problem, proof=search(problem, **options)).certificate
    proved["id"] = {"claim": "search", "setting": "search", "instance": name}
    return proved
