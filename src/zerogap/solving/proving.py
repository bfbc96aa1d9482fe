"""The checker before the word: bounds are returned with what it says of their certificate.

Where it refuses one, for too many faces or too much work, the next weaker evidence takes its place.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from zerogap.checker.check import verify
from zerogap.model import clock
from zerogap.model.bounds import Bounds
from zerogap.model.errors import DataError, ProblemError
from zerogap.model.network import Network
from zerogap.model.problem import Problem
from zerogap.solving.bidual import Bidual
from zerogap.solving.dual import USED, bidual
from zerogap.solving.methods import METHODS
from zerogap.solving.methods.base import Effort, proof_seconds

# Of the time, at most this share is kept for what follows the search, and at least so many seconds.
_SHARE, _LEAST = 0.3, 0.2
# Of the time at most this share is for what theory says of the primal.
PRIMAL_SHARE = 0.3


def require_seconds(seconds: float | None) -> None:
    """Raise ProblemError unless `seconds` is None or a positive number."""
    if seconds is not None and not (isinstance(seconds, float | int) and seconds > 0):
        raise ProblemError(f"seconds is {seconds!r}; accepted is a positive number, or None")


def fitting(problem: Problem, network: Network) -> Network:
    """The network as one of the problem's: with biases of zero where it has none of those asked.

    Raises DataError if it is none.
    """
    inputs = problem.inputs.shape[1]
    if inputs > problem.d and all(len(branch[0]) == problem.d for branch in network.branches):
        zero = [(np.vstack([first, 0 * first[:1]]), *rest) for first, *rest in network.branches]
        network = replace(network, branches=tuple(zero))
    if network.bias is None:
        network = replace(network, bias=problem.fit.no_bias)
    elif problem.output_bias == "none" or network.bias.shape != (problem.k,):
        raise DataError(
            f"the network has output biases of shape {network.bias.shape}; the problem has "
            f"{'none' if problem.output_bias == 'none' else problem.k}"
        )
    if network.depth != problem.depth:
        raise DataError(f"the network has {network.depth} layers; the problem {problem.depth}")
    if problem.architecture == "standard" and len(network.branches) > 1:
        raise DataError(
            f"the network has {len(network.branches)} branches; a standard network has one "
            "(--architecture parallel)"
        )
    for j, branch in enumerate(network.branches):
        sizes = [inputs, *[W.shape[1] for W in branch[:-1]], problem.k]
        for layer, W in enumerate(branch):
            if W.shape != (sizes[layer], sizes[layer + 1]):
                raise DataError(
                    f"layer {layer + 1} of branch {j} has shape {W.shape}; accepted is "
                    f"({sizes[layer]}, {sizes[layer + 1]}), inputs by outputs"
                )
        if problem.architecture == "parallel" and branch[-1].shape[0] != 1:
            raise DataError(
                f"branch {j} ends in {branch[-1].shape[0]} neurons; a branch of a parallel "
                "network ends in one"
            )
    return network


def proved(
    problem: Problem,
    effort: Effort,
    tolerance: float,
    start: Network | None,
    finish: Callable[[Bidual], Bounds],
) -> Bounds:
    """The bounds that `finish` makes of the bidual, with the verdict of the checker.

    Within the time of the clock: the search for bounds ends early enough for the rest.
    """
    refused: Bounds | None = None
    without: set[str] = set()
    while True:
        reserve = min(_SHARE * clock.left(), _LEAST + proof_seconds(problem))
        with clock.within(clock.left() - reserve):
            dual = bidual(problem, effort, without, start)
            bounds = finish(dual)
        bounds = replace(bounds, verdict=verify(bounds.certificate, tolerance))
        if bounds.certified:
            return bounds
        refused = refused or bounds
        without |= {name for name, happened in dual.methods if happened == USED}
        if METHODS[-1].NAME in without:  # there is no weaker one
            return refused
