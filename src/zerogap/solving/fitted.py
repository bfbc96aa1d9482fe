"""Of a regularised problem, quickly and with no bound: a network, and the largest β (theory §3)."""

import numpy as np

from zerogap.convex.ascent import Ascent
from zerogap.convex.columns import constant
from zerogap.model.errors import ProblemError
from zerogap.model.network import Network
from zerogap.model.problem import Problem
from zerogap.solving.constructions import constructions, known_of
from zerogap.solving.deepened import deepened
from zerogap.solving.dual import bidual

# Of two layers rounds end where one gains less than this share of the objective.
_TOLERANCE = 1e-3


def fitted(problem: Problem) -> Network:
    """The network that convex programs over neurons found by ascent give, the same every time.

    ReLU networks of two layers, or deeper copies of them; of linear ones those that theory gives;
    constant outputs where no neuron is worth its cost. Raises ProblemError on what has none:
    interpolation and free biases of the first layer.
    """
    beta = problem.beta
    if beta is None or problem.first_bias == "free":
        raise ProblemError(
            f"no quick network for beta {beta!r} and bias {problem.bias!r}; accepted are a "
            "positive beta, and first biases 'none' or 'decayed'"
        )
    problem = problem.reduced
    if problem.activation == "linear":
        theory = known_of(problem).candidates or constructions(problem, bidual(problem))
        return min((known.network for known in theory), key=lambda net: net.objective(problem))
    return deepened(problem, _TOLERANCE) if problem.depth == 2 else deepened(problem)


def beta_max(problem: Problem) -> float:
    """c(Λ) of the best constant outputs: from this β on no neuron of two layers is worth its cost.

    As found by ascent, for ReLU networks (theory §3).
    """
    problem = problem.reduced
    if problem.depth > 2 or problem.first_bias == "free":
        raise ProblemError(
            f"depth is {problem.depth}, bias {problem.bias!r}; accepted are 2, and first biases "
            "'none' or 'decayed'"
        )
    multipliers, _ = constant(problem.fit)
    if problem.activation == "linear":
        return float(np.linalg.norm(problem.X.T @ multipliers, 2))
    return float(Ascent(problem.X).price(multipliers, np.inf)[0][0])
