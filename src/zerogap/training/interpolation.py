"""Reaching f(X) = Y, and staying near it: Gauss–Newton, multipliers, metric."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from zerogap.training.batch import Batch, Pull, Walls
from zerogap.training.options import INTERPOLATION_TOLERANCE

# Share of the largest eigenvalue of JJᵀ below which the metric treats directions alike: linear
# networks must hold tiny singular values, and at kinks the small eigenvalues mislead.
_RIDGE = {"linear": 1e-7, "relu": 1e-4}
# Gauss–Newton steps towards interpolation, and the error that needs no further one.
_CORRECTIONS = 6
_CORRECTED = 1e-14
_INTERPOLATED = 1e-2 * INTERPOLATION_TOLERANCE


@dataclass(frozen=True, eq=False)
class Linearized:
    """Y − f(X) (B, nk), the Jacobian J of f (B, nk, P), and JJᵀ by its eigenvectors."""

    ridge: float
    missing: Tensor
    J: Tensor
    values: Tensor
    vectors: Tensor
    inverse: Tensor

    def solve(self, right: Tensor) -> Tensor:
        """(JJᵀ)⁺ right."""
        inner = (self.vectors.mT @ right[:, :, None])[..., 0] * self.inverse
        return (self.vectors @ inner[:, :, None])[..., 0]

    def pull(self, gradient: Tensor, tightness: Tensor) -> Pull:
        """Least-squares multipliers for the gradient of R, and the metric (JJᵀ)⁺/μ.

        In this metric every direction of f costs what it takes in weights, so that one μ serves
        targets of very different sizes: the negative curvature that the multipliers give a small
        singular value of a deep network is bounded in weight space only.
        """
        soft = 1 / (self.values.clamp(min=0) + self.ridge * self.values[:, -1:] + 1e-300)
        tense = replace(self, inverse=soft)
        multipliers = -tense.solve((self.J @ gradient[:, :, None])[..., 0])
        metric = (self.vectors * soft[:, None]) @ self.vectors.mT
        return Pull(multipliers, metric / tightness[:, None, None])


def linearize(
    batch: Batch, weights: Tensor, walls: Walls | None = None, last: bool = False
) -> Linearized:
    """f around the weights, as a function of all of them or of the last layer's."""
    hidden, before, outputs = batch.forward(weights, walls)
    nk = batch.shape.n * batch.shape.k
    unit = torch.eye(nk, dtype=weights.dtype, device=weights.device)
    unit = unit.reshape(nk, 1, *outputs.shape[1:]).expand(-1, len(weights), -1, -1)
    free = None if walls is None else walls.free()
    J = batch.backward(weights, hidden, before, unit, free).transpose(0, 1)
    if last:
        J[..., : -batch.shape.sizes[-1]] = 0
    gram = J @ J.mT
    finite = torch.isfinite(gram).all(-1, keepdim=True).all(-2, keepdim=True)
    values, vectors = torch.linalg.eigh(torch.where(finite, gram, 0.0))
    inverse = torch.where(values > 1e-13 * values[:, -1:], 1 / values, 0.0)
    ridge = _RIDGE[batch.shape.activation]
    return Linearized(ridge, (batch.Y - outputs).flatten(1), J, values, vectors, inverse)


def correct(batch: Batch, weights: Tensor, last: bool = False) -> tuple[Tensor, Tensor]:
    """The nearest interpolating weights by Gauss–Newton, and their ‖f(X) − Y‖ (B,).

    Of every network the best iterate counts; those that interpolate drop out.
    """
    best = weights.clone()
    least = (batch.forward(weights)[2] - batch.Y).flatten(1).norm(dim=1)
    active = (least > _CORRECTED).nonzero()[:, 0]
    weights = weights[active]
    for _ in range(_CORRECTIONS):
        if not len(active):
            break
        if len(active) == 1:
            # A lone matrix product is summed in another order than one of a batch.
            active, weights = active.repeat(2), weights.repeat(2, 1)
        rows = batch.rows(active)
        around = linearize(rows, weights, last=last)
        step = around.J.mT @ around.solve(around.missing)[:, :, None]
        weights = weights + step[..., 0]
        errors = (rows.forward(weights)[2] - rows.Y).flatten(1).norm(dim=1)
        better = errors < least[active]
        least[active[better]] = errors[better]
        best[active[better]] = weights[better]
        going = (errors > _CORRECTED) & errors.isfinite()
        active, weights = active[going], weights[going]
    return best, least


def feasible(batch: Batch, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Weights made to interpolate where that is asked, and values (B,), infinite if not."""
    if batch.exact:
        there, errors = correct(batch, weights)
        # Across kinks Gauss–Newton may not settle; the last layer alone meets none.
        lost = (errors > _INTERPOLATED).nonzero()[:, 0]
        if len(lost) and batch.shape.activation == "relu":
            there[lost], errors[lost] = correct(batch.rows(lost), weights[lost], last=True)
        good, weights = errors <= _INTERPOLATED, there
        values = batch.regularizer(weights)[0]
    else:
        values, _ = batch.loss(weights, hold(batch, weights, batch.penalty))
        good = values.isfinite()
    return weights, torch.where(good, values, math.inf)


def hold(batch: Batch, weights: Tensor, tightness: Tensor, walls: Walls | None = None) -> Pull:
    """What holds interpolation with μ = tightness (B,), or the fit ½‖f(X) − Y‖²/β."""
    if batch.exact:
        _, gradient = batch.regularizer(weights)
        return linearize(batch, weights, walls).pull(gradient, tightness)
    unit = torch.eye(batch.Y[0].numel(), dtype=weights.dtype, device=weights.device)
    return Pull(torch.zeros_like(batch.Y).flatten(1), unit / batch.penalty[:, None, None])
