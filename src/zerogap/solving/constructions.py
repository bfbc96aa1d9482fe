"""What theory says of the primal: proved lower bounds, and networks that are often optimal."""

from contextlib import suppress
from typing import NamedTuple

import numpy as np

from zerogap.convex.columns import constant
from zerogap.convex.nuclear import nuclear_map
from zerogap.convex.spectra import best_map
from zerogap.model.bounds import PrimalBound
from zerogap.model.errors import MethodError
from zerogap.model.matrices import Array
from zerogap.model.network import zero_network
from zerogap.model.problem import Problem
from zerogap.solving.bidual import Bidual
from zerogap.solving.bottlenecks import bottleneck
from zerogap.solving.bracket import Candidate
from zerogap.solving.deepened import deepened
from zerogap.theory import linear, whitened
from zerogap.theory.rank_one import RankOne


class Known(NamedTuple):
    """What theory says of P without the dual: the best lower bound, or None, and networks."""

    bound: PrimalBound | None
    candidates: list[Candidate]


def known_of(problem: Problem) -> Known:
    """What is proved of P beyond weak duality, and the networks that come with it.

    Linear networks: the Schatten value, with β the least of kernels (§2). Standard ReLU networks
    of depth ≥ 3: rank-one data (§6) and one-hot targets on whitened data (§7).
    """
    problem = problem.reduced
    if not problem.plain:
        return Known(None, [])
    if problem.activation == "linear":
        about = _interpolant if problem.beta is None else _regularised
        bound, parts, source = about(problem)
        network = linear.linear_network(*parts, problem.depth, problem.architecture)
        return Known(bound, [Candidate(network, source)])
    return Known(_relu_bound(problem), [])


def _relu_bound(problem: Problem) -> PrimalBound | None:
    """A theorem about standard ReLU networks that interpolate, or None."""
    depth = problem.depth
    if problem.beta is not None:
        return None
    if problem.architecture == "standard" and depth >= 3:
        rank_one = RankOne.of(problem)
        if rank_one is not None:
            value = problem.total(rank_one.primal(depth))
            exact = rank_one.certain(depth)
            return PrimalBound(value, "theorem", "rank-one", exact=exact)
        sizes = whitened.one_hot_sizes(problem)
        if sizes is not None:
            value = max(whitened.one_hot_lower(sizes, depth), float(np.sqrt(sizes).sum()))
            exact = len(sizes) == 2
            return PrimalBound(problem.total(value), "theorem", "whitened-one-hot", exact=exact)
    return None


def constructions(problem: Problem, dual: Bidual) -> list[Candidate]:
    """The networks that theory and the dual build for a problem; optimal wherever theory says so.

    With β > 0 there is at least one.
    """
    problem, candidates = problem.reduced, list[Candidate]()
    relu = problem.activation == "relu"
    deep = problem.architecture == "standard" and problem.depth >= 3
    if relu and deep and problem.beta is None:
        rank_one = RankOne.of(problem)
        if rank_one is not None:
            network = rank_one.standard_network(problem.depth)
            candidates.append(Candidate(network, "closed form"))
        elif (sizes := whitened.one_hot_sizes(problem)) is not None:
            network = whitened.one_hot_network(problem, problem.depth, "standard")
            candidates.append(Candidate(network, "closed form"))
            if len(sizes) > 2:
                candidates.append(Candidate(bottleneck(problem, sizes), "bottleneck"))
    if dual.network is not None:
        network = dual.network
        if problem.architecture == "standard":
            network = network.as_standard()
        candidates.append(Candidate(network, dual.method))
    # A parallel network as it stands may be a poor standard one, as it shares no neurons; so is 0.
    poor = deep or (dual.network is not None and not dual.network.regularizer("power"))
    alone = poor and problem.beta is not None and not dual.closed
    if relu and (alone or not candidates):
        with suppress(MethodError):  # no two layers interpolate
            candidates.append(Candidate(deepened(problem), "deeper copy of two layers"))
    if problem.beta is None:
        return candidates
    _, bias = constant(problem.fit)
    name = "zero network" if bias is None else "constant network"
    # First: others may tie with it, by weights that are nothing but residue.
    return [Candidate(zero_network(problem, bias), name), *candidates]


def _orthogonal_columns(problem: Problem) -> float | None:
    """κ when XᵀX = κI, the case in which singular values shrink separately, else None."""
    gram = problem.X.T @ problem.X
    kappa = float(np.trace(gram)) / problem.d
    close = np.allclose(gram, kappa * np.eye(problem.d), rtol=0, atol=1e-10 * kappa)
    return kappa if close else None


# What is proved of P for squares, the SVD of a map, and where that comes from.
Linear = tuple[PrimalBound | None, tuple[Array, Array, Array], str]


def _interpolant(problem: Problem) -> Linear:
    """X†Y, which costs least, and its Schatten value."""
    U, s, Vt = linear.linear_map(problem)
    value = problem.total(linear.schatten(s, _exponent(problem)))
    return PrimalBound(value, "theorem", "schatten", exact=True), (U, s, Vt), "closed form"


def _regularised(problem: Problem) -> Linear:
    """The best map known for ½‖XA − Y‖² + β(L/2)Σσ^{2/p}."""
    X, Y, beta, depth = problem.X, problem.Y, problem.beta, problem.depth
    assert beta is not None
    kappa, p = _orthogonal_columns(problem), _exponent(problem)
    if p == 2:
        A, _ = nuclear_map(X, Y, beta * depth / 2)
    elif kappa is not None:
        U, sigma, Vt = linear.thin_svd(X.T @ Y / kappa)
        A = (U * [linear.shrink(float(x), beta / kappa, depth) for x in sigma]) @ Vt
    else:
        A, _, bound = best_map(problem)
        return bound, linear.thin_svd(A), "kernels"
    parts = linear.thin_svd(A)
    if kappa is None:
        return None, parts, "proximal gradient"
    value = 0.5 * float(np.sum((X @ A - Y) ** 2))
    value += beta * problem.total(linear.schatten(parts[1], p))
    return PrimalBound(value, "theorem", "shrinkage", exact=True), parts, "closed form"


def _exponent(problem: Problem) -> int:
    """p, where a linear map costs (L/2) Σσ^{2/p}: 2 is the nuclear norm (theory §2)."""
    return 2 if problem.regularizer == "power" else problem.depth
