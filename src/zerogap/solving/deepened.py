"""Deeper copies of two-layer networks, where no dual comes with a network (theory §1)."""

import numpy as np

from zerogap.convex.ascent import Ascent
from zerogap.convex.columns import constant, gauge
from zerogap.convex.descent import descent
from zerogap.model import clock
from zerogap.model.matrices import Array
from zerogap.model.network import Network, zero_network
from zerogap.model.problem import Problem

# Levels τ of two-layer networks, as shares of ‖X‖₂‖Λ‖₂ at f = 0, beyond which there is none but
# zero; how well each is fitted; and its share of the time.
_SHARES, _TOLERANCE, _TIME = np.geomspace(10**-0.5, 1e-5, 10), 3e-2, 0.3


def deepened(problem: Problem, tolerance: float = _TOLERANCE) -> Network:
    """The best deeper copy of a two-layer ReLU network; with β > 0 at worst f = 0.

    tolerance: how well two-layer networks are fitted (`descent`); of two layers it is one of them.
    Raises MethodError where no two layers interpolate, as deeper networks may.
    """
    if problem.beta is not None:
        return _regularised(problem, problem.beta, tolerance)
    stretch = float(np.linalg.norm(problem.X, 2))
    with clock.within(_TIME * clock.left()):
        found = gauge(Ascent(problem.X / stretch), problem.fit, tolerance=1e-4)
    copies = _copies(problem, found.atoms.U, found.weights / stretch, found.bias)
    return min(copies, key=lambda copy: copy.objective(problem))


def _regularised(problem: Problem, beta: float, tolerance: float) -> Network:
    """The best copy for β > 0.

    Power charges (L/2)Σ‖w_j‖ for the neurons of a two-layer network at level βL/2. For weight decay
    the level τ is searched from above. A copy's cost is like C^{2/L} in C = Σ‖w_j‖, and there the
    loss is convex with slope −τ: the search ends where it falls more slowly than the cost grows, or
    where no larger C can be better.
    """
    X, fit = problem.inputs, problem.fit
    stretch = float(np.linalg.norm(X, 2))
    direct = problem.regularizer == "power" or problem.depth == 2
    multipliers, bias = constant(fit)
    best = zero_network(problem, bias)
    value = zero = best.objective(problem)
    reach = stretch * float(np.linalg.norm(multipliers, 2))
    for tau in [beta * problem.depth / 2] if direct else reach * _SHARES:
        with clock.within(_TIME * clock.left()):
            found = descent(X / stretch, fit, tau / stretch, tolerance)
        weights = found.weights / stretch
        if not weights.any():
            continue
        copies = _copies(problem, found.atoms.U, weights, found.bias)
        copy = min(copies, key=lambda c: c.objective(problem))
        cost, total = copy.regularizer(problem.regularizer) * beta, copy.objective(problem)
        if total < value:
            best, value = copy, total
        spent = tau * float(np.linalg.norm(weights, axis=1).sum())
        least = cost * (1 + (total - cost) / spent) ** (2 / problem.depth)
        if clock.late() or value <= least or (value < zero and 2 / problem.depth * cost > spent):
            break
    return best


def _copies(problem: Problem, U: Array, W: Array, bias: Array | None = None) -> list[Network]:
    """Networks of the problem's depth with outputs φ(XU)W + b.

    Outputs of neurons are non-negative and pass unchanged through further ones: each through its
    own, or in a standard network W₊ and W₋ through two for each output, at a norm that does not
    grow with the neurons.
    """
    pad = [np.ones((1, 1))] * (problem.depth - 2)
    branches = tuple((u[:, None], *pad, w[None]) for u, w in zip(U.T, W, strict=True))
    copy = Network(branches, "relu", bias).balanced(problem.first_bias == "free")
    if problem.architecture == "parallel":
        return [copy]
    if problem.depth == 2:
        return [copy.as_standard()]
    sums = np.hstack([np.maximum(W, 0), np.maximum(-W, 0)])
    signs = np.vstack([np.eye(problem.k), -np.eye(problem.k)])
    used = sums.any(axis=0)
    middle = [np.eye(int(used.sum()))] * (problem.depth - 3)
    shared = Network(((U, sums[:, used], *middle, signs[used]),), "relu", bias)
    return [copy.as_standard(), shared.balanced_units()]
