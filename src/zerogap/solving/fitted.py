"""A good network of a regularised problem, quickly and with no bound (theory §1, §3)."""

from zerogap.model.errors import ProblemError
from zerogap.model.network import Network
from zerogap.model.problem import Problem
from zerogap.solving.deepened import deepened

# Of two layers rounds end where one gains less than this share of the objective.
_TOLERANCE = 1e-3


def fitted(problem: Problem) -> Network:
    """The network that convex programs over neurons found by ascent give, the same every time.

    ReLU networks of two layers, or deeper copies of them; constant outputs where no neuron is worth
    its cost. Raises ProblemError on what has none: interpolation, linear networks, free biases of
    the first layer.
    """
    beta = problem.beta
    if beta is None or problem.activation != "relu" or problem.first_bias == "free":
        raise ProblemError(
            f"no quick network for activation {problem.activation!r}, beta {beta!r}, bias "
            f"{problem.bias!r}; accepted are 'relu', a positive beta, and first biases 'none' or "
            "'decayed'"
        )
    problem = problem.reduced
    return deepened(problem, _TOLERANCE) if problem.depth == 2 else deepened(problem)
