"""How far a search over the weights gets, with no theory of the data: gaps of standard networks.

The smallest rank-one and whitened problems, where theory knows the optimum (§6, §7), three classes,
and normal data, of which it says nothing.
"""

from typing import Any

# `solve` loads it when it returns a network: the study depends on it.
import zerogap.model.module  # noqa: F401
from zerogap.convex.search import search
from zerogap.model.problem import Problem
from zerogap.replication.families import Spec, generate
from zerogap.solving.solver import solve

# The data and the leaves to spend on them.
CASES: dict[str, tuple[Spec, int]] = {
    "smallest": ({"kind": "smallest"}, 150),
    "one-hot-1-1": ({"kind": "one-hot", "sizes": [1, 1]}, 300),
    "one-hot-1-1-1": ({"kind": "one-hot", "sizes": [1, 1, 1]}, 300),
    "gaussian-k1": ({"kind": "gaussian", "n": 2, "d": 2, "k": 1}, 150),
    "gaussian-k2": ({"kind": "gaussian", "n": 2, "d": 2, "k": 2}, 150),
}


def certificate(name: str) -> dict[str, Any]:
    """The proof for one case: three layers, standard ReLU, interpolation, weight decay."""
    spec, leaves = CASES[name]
    X, Y = generate(spec)
    problem = Problem(X, Y, activation="relu", architecture="standard", depth=3)
    proved = solve(problem, proof=search(problem, leaves=leaves)).certificate
    proved["id"] = {"claim": "search", "setting": "search", "instance": name}
    return proved
