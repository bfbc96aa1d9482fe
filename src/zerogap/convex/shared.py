"""D₁(4) for scalar targets in the plane: one first layer for all neurons of the second (§5).

Regions of first layers prove levels; networks come from the same multipliers: a mixture of first
layers, climbed from by gradients.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np

from zerogap.convex.climbs import Layered, atoms_of, climbs
from zerogap.convex.columns import (
    Gauge,
    dual_value,
    feasible,
    master,
    primal_value,
    sparse_fit,
    vertex,
)
from zerogap.convex.oracles import Atoms, Features
from zerogap.convex.regions import Cover
from zerogap.model import clock
from zerogap.model.bounds import relative
from zerogap.model.errors import MethodError
from zerogap.model.fit import Fit
from zerogap.model.matrices import Array

# Rounds of the master; regions that one of them may have.
_ROUNDS, _MAX_REGIONS = 100, 400
# The master's relative gap: at first, and as a share of the bracket's.
_LOOSE, _AHEAD = 1e-3, 0.1


@dataclass(frozen=True, eq=False)
class SharedGauge(Gauge):
    """A bracket of D₁(4), or of the regularised optimum; the rows of `Cover.evidence` prove its
    lower end."""

    mu: Array = field(kw_only=True)
    splits: Array = field(kw_only=True)
    eta: Array = field(kw_only=True)


def shared_gauge(
    features: Features,
    fit: Fit,
    tau: float | None,
    inner: Array,
    near: list[Layered],
    tolerance: float,
) -> SharedGauge:
    """Bracket D₁(4) of a fit of scalar outputs on data (n, 2), to a relative gap if time allows.

    With τ the regularised dual at that level. inner: multipliers that are known to be allowed;
    near: branches of a network to begin with. A master over the branches so far proposes
    multipliers that are too high, and half way to them from the inner ones lie others: branches
    above their level join the master, and where regions prove that there are none they are the
    inner ones from then on. Raises MethodError where there was no time for regions.
    """
    asked = fit
    fit, scale, slope, energy = fit.in_units(tau is None)
    tau = None if tau is None else tau / slope
    allowed, inner = 1.0 if tau is None else tau, inner / slope
    rng, one = np.random.default_rng(0), np.ones((1, 1))
    start, X = features.start(fit.Y).U.T, features.X
    atoms = atoms_of(X, [*(Layered((u[:, None], one, one)) for u in start), *near])
    proof = Cover(X, inner[:, 0] / allowed)
    inner = feasible(inner, fit, proof.level * allowed, tau)
    lower, upper, accuracy = dual_value(inner, fit, tau), np.inf, _LOOSE
    above: tuple[Atoms, Array, Array | None] = (atoms, np.zeros((0, 1)), fit.no_bias)
    with suppress(MethodError):  # where the time is up
        for _ in range(_ROUNDS):
            proposal, weights, bias = master(atoms.V, fit, tau, accuracy)
            kept, weights = sparse_fit(atoms.V, weights, fit, tau, bias)
            value = primal_value(atoms.V[:, kept], weights, fit, tau, bias)
            if value < upper:
                upper, above = value, (atoms[kept], weights, bias)
            open_ = relative(upper - lower, upper)
            clock.tell(lower * energy, upper * energy)
            if open_ <= tolerance or clock.late():
                break
            accuracy = min(accuracy, _AHEAD * open_)
            outer = feasible(proposal, fit, float(np.abs(proposal.T @ atoms.V).max()), tau)
            middle = (inner + outer) / 2
            lam = middle[:, 0] / allowed
            found = climbs(X, lam, atoms, rng)
            if not found:
                cover = Cover(X, lam)
                found = cover.refine(1 + tolerance / 2, _MAX_REGIONS)
                middle = feasible(middle, fit, cover.level * allowed, tau)
                value = dual_value(middle, fit, tau)
                if value > lower:
                    lower, inner, proof = value, middle, cover
                elif not found:
                    break
            atoms += atoms_of(X, found)
    atoms, weights, bias = above
    if upper < np.inf:
        kept, weights = vertex(atoms.V, weights)
        atoms = atoms[kept]
        upper = primal_value(atoms.V, weights, fit, tau, bias)
    factor = float(np.linalg.norm(inner) / np.linalg.norm(proof.lam)) * slope
    mu, splits, eta = proof.evidence()
    return SharedGauge(
        lower * energy,
        upper * energy,
        asked.inside(inner * slope),
        atoms,
        weights * scale,
        None if bias is None else bias * scale,
        mu=mu * factor,
        splits=splits,
        eta=eta * factor**2,
    )
