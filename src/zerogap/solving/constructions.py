"""What theory says of the primal: proved lower bounds, and networks that are often optimal."""

from contextlib import suppress

import numpy as np

from zerogap.convex.columns import constant
from zerogap.convex.nuclear import nuclear_map, shrunk_map
from zerogap.model.bounds import PrimalBound, relative
from zerogap.model.errors import MethodError
from zerogap.model.network import zero_network
from zerogap.model.problem import Problem
from zerogap.solving.bidual import Bidual
from zerogap.solving.bracket import Candidate
from zerogap.solving.deepened import deepened
from zerogap.theory import linear, whitened
from zerogap.theory.rank_one import RankOne


def primal_theorem(problem: Problem) -> PrimalBound | None:
    """The best lower bound on P that a theorem gives beyond weak duality, or None.

    Linear networks: the Schatten value (§2). Standard ReLU networks of depth ≥ 3: rank-one data
    (§6) and one-hot targets on whitened data (§7).
    """
    problem, depth = problem.reduced, problem.depth
    if not problem.plain:
        return None
    if problem.beta is not None:
        if problem.activation == "linear" and _orthogonal_columns(problem) is not None:
            _, value = _linear_regularised(problem)
            return PrimalBound(value, "theorem", "shrinkage", exact=True)
        return None
    if problem.activation == "linear":
        _, s, _ = linear.linear_map(problem)
        exponent = 2 if problem.regularizer == "power" else depth
        value = problem.total(linear.schatten(s, exponent))
        return PrimalBound(value, "theorem", "schatten", exact=True)
    if problem.architecture == "standard" and depth >= 3:
        rank_one = RankOne.of(problem)
        if rank_one is not None:
            lower = rank_one.primal_lower(depth)
            exact = rank_one.primal(depth)
            proved = exact is not None and relative(exact - lower, exact) <= 1e-12
            return PrimalBound(problem.total(lower), "theorem", "rank-one", exact=proved)
        sizes = whitened.one_hot_sizes(problem)
        if sizes is not None:
            known = len(sizes) == 2 and depth == 3
            if known:
                value = whitened.one_hot_orthogonal(sizes, 3)
            else:
                value = max(whitened.one_hot_lower(sizes), float(np.sqrt(sizes).sum()))
            return PrimalBound(problem.total(value), "theorem", "whitened-one-hot", exact=known)
    return None


def conjectured_primal(problem: Problem) -> float | None:
    """The total value of a closed form that training supports but nobody proved, or None (§6, §7).

    Rank-one scalar targets at L ≥ 5; orthogonal directions for two classes at L ≥ 4.
    """
    problem = problem.reduced
    if problem.beta is not None or problem.activation != "relu" or not problem.plain:
        return None
    if problem.architecture != "standard" or problem.depth < 3:
        return None
    rank_one = RankOne.of(problem)
    if rank_one is not None:
        exact = rank_one.primal(problem.depth)
        return None if exact is None else problem.total(exact)
    sizes = whitened.one_hot_sizes(problem)
    if sizes is not None and len(sizes) == 2:
        return problem.total(whitened.one_hot_orthogonal(sizes, problem.depth))
    return None


def constructions(problem: Problem, dual: Bidual) -> list[Candidate]:
    """The networks that theory builds for a problem; optimal wherever theory says so.

    With β > 0 there is at least one.
    """
    problem, candidates = problem.reduced, list[Candidate]()
    if problem.activation == "linear" and problem.plain:
        if problem.beta is None:
            U, s, Vt = linear.linear_map(problem)
            source = "closed form"
        else:
            A, _ = _linear_regularised(problem)
            U, s, Vt = linear.thin_svd(A)
            source = "closed form" if _orthogonal_columns(problem) else "proximal gradient"
        network = linear.linear_network(U, s, Vt, problem.depth, problem.architecture)
        return [Candidate(network, source)]
    if problem.architecture == "standard" and problem.depth >= 3 and problem.beta is None:
        rank_one = RankOne.of(problem)
        if rank_one is not None:
            network_or_none = rank_one.standard_network(problem.depth)
            if network_or_none is not None:
                candidates.append(Candidate(network_or_none, "closed form"))
        elif (sizes := whitened.one_hot_sizes(problem)) is not None:
            network = whitened.one_hot_network(problem, problem.depth, "standard")
            candidates.append(Candidate(network, "closed form"))
            if len(sizes) == 3 and problem.depth >= 4:
                candidates.append(
                    Candidate(whitened.bottleneck_network(problem, problem.depth), "bottleneck")
                )
    if dual.network is not None:
        network = dual.network
        if problem.architecture == "standard":
            network = network.as_standard()
        candidates.append(Candidate(network, dual.method))
    relu = problem.activation == "relu" and problem.first_bias != "free"
    if relu and (_wants_copy(problem, dual) or not candidates):
        with suppress(MethodError):  # no two layers interpolate
            candidates.append(Candidate(deepened(problem), "deeper copy of two layers"))
    if problem.beta is None:
        return candidates
    _, bias = constant(problem.fit)
    name = "zero network" if bias is None else "constant network"
    # First: others may tie with it, by weights that are nothing but residue.
    return [Candidate(zero_network(problem, bias), name), *candidates]


def _wants_copy(problem: Problem, dual: Bidual) -> bool:
    """Whether a parallel network as it stands may be a poor standard one: it shares no neurons."""
    deep = problem.architecture == "standard" and problem.depth >= 3
    return deep and problem.beta is not None and not dual.closed


def _orthogonal_columns(problem: Problem) -> float | None:
    """κ when XᵀX = κI, the case in which singular values shrink separately, else None."""
    gram = problem.X.T @ problem.X
    kappa = float(np.trace(gram)) / problem.d
    close = np.allclose(gram, kappa * np.eye(problem.d), rtol=0, atol=1e-10 * kappa)
    return kappa if close else None


def _linear_regularised(problem: Problem) -> tuple[np.ndarray, float]:
    """The best map A found for ½‖XA − Y‖² + β(L/2)Σσ^{2/p}, and its value.

    Convex for the power regulariser and at L = 2; otherwise exact when XᵀX = κI, else the best
    stationary point reached from the nuclear-norm solution, the least-squares map and zero.
    """
    X, Y, beta, depth = problem.X, problem.Y, problem.beta, problem.depth
    assert beta is not None
    if problem.regularizer == "power" or depth == 2:
        A, _ = nuclear_map(X, Y, beta * depth / 2)
        s = np.linalg.svd(A, compute_uv=False)
        return A, float(0.5 * np.sum((X @ A - Y) ** 2) + beta * depth / 2 * s.sum())
    lipschitz = float(np.linalg.norm(X, 2) ** 2)
    best: tuple[np.ndarray, float] | None = None
    for start in (np.linalg.pinv(X) @ Y, np.zeros((problem.d, problem.k))):
        A = shrunk_map(X, Y, lambda s: linear.shrink(s, beta / lipschitz, depth), start)
        # Rounding of 1e-16 in a zero singular value would count as 1e-16^{2/L}.
        U, s, Vt = linear.thin_svd(A)
        A = (U * s) @ Vt
        value = float(0.5 * np.sum((X @ A - Y) ** 2) + beta * depth / 2 * np.sum(s ** (2 / depth)))
        if best is None or value < best[1]:
            best = A, value
    assert best is not None
    return best
