"""Column generation: the gauge D₁ and its regularised form, exactly, over any oracle's atoms."""

from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog

from zerogap.convex import conic, interior
from zerogap.convex.oracles import Atoms, Oracle
from zerogap.model import clock
from zerogap.model.bounds import relative
from zerogap.model.errors import MethodError
from zerogap.model.fit import Fit
from zerogap.model.matrices import Array

_MAX_ROUNDS = 100
# The master's relative gap: at first, as a share of the bracket's, and at last.
_FIRST, _AHEAD, _FINEST = 0.1, 0.1, 1e-11
# New atoms a round, per entry of Λ: the worst violations, enough to hold Λ from all sides.
_NEW = 2
# Atoms stay while their constraint is at least this near to holding with equality.
_ACTIVE = 0.5
# Seconds that a vertex may take.
_VERTEX = 2.0
# Weights below this share of the largest are interior-point residue, not neurons.
_NEGLIGIBLE = 1e-7


@dataclass(frozen=True, eq=False)
class Gauge:
    """A bracket lower ≤ D₁ ≤ upper (or of the regularised optimum), with what proves each end.

    multipliers: Λ (n, k), scaled so that c(Λ) equals the allowed level τ. atoms, weights: the unit
    branch outputs and their (m, k) output weights; they interpolate Y (gauge) or fit it. bias: the
    output bias (k,), None where the fit has none.
    """

    lower: float
    upper: float
    multipliers: Array
    atoms: Atoms
    weights: Array
    bias: Array | None = None


def gauge(
    oracle: Oracle,
    fit: Fit,
    tau: float | None = None,
    tolerance: float = 1e-9,
    near: Atoms | None = None,
) -> Gauge:
    """Bracket D₁ = min Σ‖w_j‖ s.t. Σ v_j w_jᵀ = Y, v_j ∈ V, to a relative gap (theory §1, §3).

    With τ: min ℓ(Σ v_j w_jᵀ) + τ Σ‖w_j‖ instead, ℓ the fit. near: atoms of a network that is
    nearly optimal, if one is known. Alternates between the
    master over the atoms found so far and the oracle, which lists every violated constraint;
    each round proves `lower` by rescaling Λ with the exact c(Λ). Stops when the bracket is within
    `tolerance`, no longer improves or the time is up, so read the bracket, not the tolerance. An
    oracle that is not exact proves nothing: `lower` is −inf. Raises MethodError where no weights
    were found.
    """
    if not fit.Y.any() and (tau is None or fit.loss.value(fit.Y, fit.Y) == 0):
        empty, none = oracle.start(fit.Y)[np.zeros(0, dtype=int)], np.zeros((0, fit.Y.shape[1]))
        return Gauge(0.0, 0.0, np.zeros_like(fit.Y), empty, none, fit.no_bias)
    asked = fit
    fit, scale, slope, energy = fit.in_units(tau is None)
    Y, tau = fit.Y, None if tau is None else tau / slope
    allowed = 1.0 if tau is None else tau
    atoms = oracle.start(Y) if near is None else oracle.start(Y) + near
    lower, upper = -np.inf, np.inf
    multipliers, best, weights = np.zeros_like(Y), atoms, np.zeros((0, Y.shape[1]))
    bias = fit.no_bias
    accuracy, stalled = _FIRST, 0
    for _ in range(_MAX_ROUNDS):
        try:
            proposal, lengths, shift = master(atoms.V, fit, tau, accuracy)
            values, candidates = oracle.price(proposal, allowed)
        except MethodError:
            if np.isinf(upper):
                raise
            break
        stalled += accuracy <= tolerance
        rescaled = feasible(proposal, fit, float(values[0]), tau)
        if (value := dual_value(rescaled, fit, tau)) > lower:
            lower, multipliers, stalled = value, rescaled, 0
        kept, lengths = sparse_fit(atoms.V, lengths, fit, tau, shift)
        if (value := primal_value(atoms.V[:, kept], lengths, fit, tau, shift)) < upper:
            upper, best, weights, bias, stalled = value, atoms[kept], lengths, shift, 0
        clock.tell(lower * energy if oracle.exact else 0.0, upper * energy)
        open_ = relative(upper - lower, upper)
        if open_ <= tolerance or stalled == 3 or clock.late():
            break
        # A master much more exact than the bracket only pushes Λ into a corner of these atoms.
        accuracy = max(min(accuracy, _AHEAD * open_), _FINEST)
        active = np.linalg.norm(proposal.T @ atoms.V, axis=0) > _ACTIVE * allowed
        active[kept] = True
        atoms = candidates[np.arange(min(len(values), _NEW * Y.size + 50))] + atoms[active]
    if np.isinf(upper):
        raise MethodError("column generation found no weights that interpolate")
    if not oracle.exact:
        lower = -np.inf
    if len(weights) > Y.size and not clock.late():
        # Weights that vanish at the optimum are residue of an early stop: end the master exactly.
        with suppress(MethodError):  # where the time is up
            _, exact, shift = master(best.V, fit, tau, _FINEST)
            kept, exact = sparse_fit(best.V, exact, fit, tau, shift)
            if primal_value(best.V[:, kept], exact, fit, tau, shift) <= upper:
                best, weights, bias = best[kept], exact, shift
    kept, weights = vertex(best.V, weights)
    best = best[kept]
    upper = primal_value(best.V, weights, fit, tau, bias)
    multipliers = asked.inside(multipliers * slope)
    bias = None if bias is None else bias * scale
    return Gauge(lower * energy, upper * energy, multipliers, best, weights * scale, bias)


def master(
    V: Array, fit: Fit, tau: float | None, tolerance: float = _FINEST
) -> tuple[Array, Array, Array | None]:
    """Multipliers in the fit's domain, weights and bias over finitely many atoms V (n, m)."""
    if tau is None and fit.rho is None:
        return *interior.master(V, fit.Y, tau, tolerance), None
    if tau is not None and fit.squares:
        centred = fit.centred(fit.Y)
        multipliers, weights = centred, np.zeros((0, fit.Y.shape[1]))
        if V.shape[1]:
            multipliers, weights = interior.master(fit.centred(V), centred, tau, tolerance)
        return fit.inside(fit.centred(multipliers)), weights, fit.best_bias(V @ weights)
    multipliers, weights, bias = conic.master(V, fit, tau, tolerance)
    return fit.inside(multipliers), weights, bias


def constant(fit: Fit) -> tuple[Array, Array | None]:
    """Λ = −∇ℓ at the best constant outputs, and these: the output bias, None for zeros."""
    multipliers, bias = -fit.loss.gradient(np.zeros_like(fit.Y), fit.Y), fit.no_bias
    if bias is not None:
        with suppress(MethodError):  # where the time is up
            multipliers, _, bias = master(np.zeros((len(fit.Y), 0)), fit, 1.0)
    return fit.inside(multipliers), bias


def feasible(multipliers: Array, fit: Fit, c: float, tau: float | None) -> Array:
    """The best multiple of Λ with c(Λ) at most the allowed level, given c = c(Λ)."""
    if tau is None:
        return multipliers / c if c > 0 else multipliers
    return fit.best_multiple(multipliers, tau / c if c > 0 else np.inf)


def dual_value(multipliers: Array, fit: Fit, tau: float | None) -> float:
    """tr(ΛᵀY), or the dual of the fit when regularised."""
    return float(np.sum(multipliers * fit.Y)) if tau is None else fit.dual(multipliers)


def primal_value(
    V: Array, weights: Array, fit: Fit, tau: float | None, bias: Array | None = None
) -> float:
    """Σ‖w_j‖, or the loss of VW and τ Σ‖w_j‖ when regularised."""
    total = float(np.linalg.norm(weights, axis=1).sum())
    if tau is None:
        return total if np.linalg.norm(V @ weights - fit.targets(bias)) <= 1e-9 else np.inf
    return fit.value(V @ weights, bias) + tau * total


def sparse_fit(
    V: Array, weights: Array, fit: Fit, tau: float | None, bias: Array | None = None
) -> tuple[Array, Array]:
    """Indices and weights of the atoms in use; for interpolation corrected to V W = Y exactly."""
    norms = np.linalg.norm(weights, axis=1)
    kept = np.flatnonzero(norms > _NEGLIGIBLE * norms.max(initial=0))
    if tau is not None:
        return kept, weights[kept]
    Y = fit.targets(bias)
    for chosen in (kept, np.arange(len(norms))):
        # Correct in proportion to the weights, so that small ones are not blown up or flipped.
        s = norms[chosen] + 1e-300
        for _ in range(2):
            residual = Y - V[:, chosen] @ weights[chosen]
            step = s[:, None] * np.linalg.lstsq(V[:, chosen] * s, residual, rcond=1e-13)[0]
            weights = weights.copy()
            weights[chosen] += step
        if np.linalg.norm(Y - V[:, chosen] @ weights[chosen]) <= 1e-10:
            break
    return chosen, weights[chosen]


def vertex(V: Array, weights: Array) -> tuple[Array, Array]:
    """The same outputs V W at no higher cost from at most k·n atoms (Carathéodory, theory §8).

    With the directions of the output weights fixed, their lengths solve a linear program, and a
    vertex of it has no more nonzeros than equations.
    """
    lengths = np.linalg.norm(weights, axis=1)
    if not len(lengths) or lengths.min() == 0:
        return np.arange(len(lengths)), weights
    directions = weights / lengths[:, None]
    columns = np.einsum("nm,mk->nkm", V, directions).reshape(-1, len(lengths))
    scale = lengths.sum()
    target = columns @ lengths
    # Degenerate programs can cycle at these tolerances: the weights are kept then.
    options = {
        "primal_feasibility_tolerance": 1e-10,
        "dual_feasibility_tolerance": 1e-10,
        "maxiter": 5 * columns.shape[0] + 100,
        # Late or not: with all atoms, networks are too large to be proved.
        "time_limit": max(_VERTEX, clock.left()),
    }
    found = linprog(
        np.ones(len(lengths)), A_eq=columns, b_eq=target / scale, method="highs-ds", options=options
    )
    kept = np.flatnonzero(found.x > 1e-12) if found.status == 0 else np.zeros(0, dtype=int)
    if not len(kept):
        return np.arange(len(lengths)), weights
    exact = np.linalg.lstsq(columns[:, kept], target, rcond=None)[0]
    residual = np.linalg.norm(columns[:, kept] @ exact - target)
    if exact.min() < 0 or residual > 1e-10 * np.linalg.norm(target):
        return np.arange(len(lengths)), weights
    return kept, exact[:, None] * directions[kept]
