"""Reaching f(X) = Y, and staying near it: Gauss–Newton, multipliers, metric."""

import math
from dataclasses import dataclass

import numpy as np

from zerogap.model.matrices import Array
from zerogap.training.batch import Batch, Pass, Pull, Walls
from zerogap.training.options import INTERPOLATION_TOLERANCE
from zerogap.training.regularizer import regularizer, regularizer_gradient

# Share of the trace of JJᵀ below which the metric treats directions alike: linear networks must
# hold tiny singular values, and at kinks the small eigenvalues mislead. Gauss–Newton steps need
# no more than what keeps the factorisation from breaking down.
_RIDGE = {"linear": 1e-7, "relu": 5e-5}
_SLIGHT = 1e-12
# Gauss–Newton steps towards interpolation, the error that needs no further one underway and at the
# end, and the relative change of the error below which a network is stuck.
_CORRECTIONS = 6
_CORRECTED, EXACT = 1e-12, 1e-14
_STUCK = 1e-3
_INTERPOLATED = 1e-2 * INTERPOLATION_TOLERANCE


@dataclass(frozen=True, eq=False)
class Linearized:
    """f around some weights, as a function of all of them or of the last layer's.

    gram (B, nk, nk): JJᵀ for the Jacobian J of f.
    """

    around: Pass
    gram: Array
    last: bool

    def step(self, missing: Array) -> Array:
        """Weights (B, P) whose change of f is what is missing (B, nk): J⁺ missing."""
        # The ridge is one that rounding cannot see, and keeps the factorisation from failing.
        outer = np.linalg.solve(_lifted(self.gram, _SLIGHT), missing[:, :, None])[..., 0]
        step = self.around.backward(outer)
        if self.last:
            step[:, : -self.around.shape.sizes[-1]] = 0
        return step

    def pull(self, tightness: Array) -> Pull:
        """Least-squares multipliers for the gradient of R, and the metric (JJᵀ)⁻¹/μ.

        In this metric every direction of f costs what it takes in weights, so that one μ serves
        targets of very different sizes: the negative curvature that the multipliers give a small
        singular value of a deep network is bounded in weight space only.
        """
        metric = np.linalg.inv(_lifted(self.gram, _RIDGE[self.around.shape.activation]))
        away = regularizer_gradient(self.around.shape, self.around.weights)
        wanted = self.around.along(away)
        return Pull(-(metric @ wanted[:, :, None])[..., 0], metric / tightness[:, None, None])


def _lifted(gram: Array, share: float) -> Array:
    """gram + share·tr(gram)·I; the identity where gram is not finite."""
    lifted = gram.copy()
    diagonal = np.einsum("bii->bi", lifted)
    diagonal += share * diagonal.sum(1, keepdims=True) + 1e-300
    lifted[~np.isfinite(lifted).all((1, 2))] = np.eye(gram.shape[-1])
    return lifted


def linearize(around: Pass, last: bool = False) -> Linearized:
    """f around the weights of a pass."""
    return Linearized(around, around.gram(last), last)


def correct(
    batch: Batch, weights: Array, last: bool = False, enough: float = _CORRECTED
) -> tuple[Array, Array]:
    """The nearest interpolating weights by Gauss–Newton, and their ‖f(X) − Y‖ (B,).

    Of every network the best iterate counts; those that interpolate drop out, and those that are
    stuck, as a network is that is dead on some sample.
    """
    here = batch.at(weights)
    best, least = weights.copy(), np.linalg.norm(here.residual, axis=1)
    active = np.arange(len(weights))
    going, before = least > enough, least.copy()
    for _ in range(_CORRECTIONS):
        if not going.any():
            break
        if not going.all():
            active, weights, before = active[going], weights[going], before[going]
            here = batch.rows(active).at(weights)
        weights = weights - linearize(here, last).step(here.residual)
        here = batch.rows(active).at(weights)
        errors = np.linalg.norm(here.residual, axis=1)
        better = errors < least[active]
        least[active[better]] = errors[better]
        best[active[better]] = weights[better]
        going = (errors > enough) & (np.abs(errors - before) > _STUCK * before)
        before = errors
    return best, least


def feasible(batch: Batch, weights: Array) -> tuple[Array, Array]:
    """Weights made to interpolate where that is asked, and values (B,), infinite if not."""
    if batch.exact:
        there, errors = correct(batch, weights)
        # Across kinks Gauss–Newton may not settle; the last layer alone meets none.
        lost = np.flatnonzero(errors > _INTERPOLATED)
        if len(lost) and batch.shape.activation == "relu":
            there[lost], errors[lost] = correct(batch.rows(lost), weights[lost], last=True)
        good, weights = errors <= _INTERPOLATED, there
        values = regularizer(batch.shape, weights)
    else:
        values = batch.at(weights).value(fit(batch))
        good = np.isfinite(values)
    return weights, np.where(good, values, math.inf)


def fit(batch: Batch) -> Pull:
    """The pull of the fit ½‖f(X) − Y‖²/β."""
    unit = np.eye(batch.Y[0].size)
    nothing = np.zeros((len(batch.Y), len(unit)))
    return Pull(nothing, unit / batch.penalty[:, None, None])


def hold(batch: Batch, weights: Array, tightness: Array, walls: Walls | None = None) -> Pull:
    """What holds interpolation with μ = tightness (B,), or the fit."""
    return linearize(batch.at(weights, walls)).pull(tightness) if batch.exact else fit(batch)
