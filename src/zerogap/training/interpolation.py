"""Reaching f(X) = Y, and staying near it: Gauss–Newton, multipliers, metric."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from zerogap.training.batch import Batch, Pass, Pull, Walls
from zerogap.training.options import INTERPOLATION_TOLERANCE

# Share of the trace of JJᵀ below which the metric treats directions alike: linear networks must
# hold tiny singular values, and at kinks the small eigenvalues mislead. Gauss–Newton steps need
# no more than what keeps the factorisation from breaking down.
_RIDGE = {"linear": 1e-7, "relu": 5e-5}
_SLIGHT = 1e-12
# Gauss–Newton steps towards interpolation, and the error that needs no further one.
_CORRECTIONS = 6
_CORRECTED = 1e-14
_INTERPOLATED = 1e-2 * INTERPOLATION_TOLERANCE


@dataclass(frozen=True, eq=False)
class Linearized:
    """f around some weights, as a function of all of them or of the last layer's.

    gram (B, nk, nk): JJᵀ for the Jacobian J of f. factor: the Cholesky factor of gram, lifted by
    a ridge that rounding cannot see.
    """

    around: Pass
    gram: Tensor
    factor: Tensor
    last: bool

    def step(self, missing: Tensor) -> Tensor:
        """Weights (B, P) whose change of f is what is missing (B, nk): J⁺ missing."""
        step = self.around.backward(torch.cholesky_solve(missing[:, :, None], self.factor)[..., 0])
        if self.last:
            step[:, : -self.around.shape.sizes[-1]] = 0
        return step

    def pull(self, tightness: Tensor) -> Pull:
        """Least-squares multipliers for the gradient of R, and the metric (JJᵀ)⁻¹/μ.

        In this metric every direction of f costs what it takes in weights, so that one μ serves
        targets of very different sizes: the negative curvature that the multipliers give a small
        singular value of a deep network is bounded in weight space only.
        """
        metric, _ = torch.linalg.inv_ex(_lifted(self.gram, _RIDGE[self.around.shape.activation]))
        wanted = self.around.along(self.around.regularizer_gradient())
        return Pull(-(metric @ wanted[:, :, None])[..., 0], metric / tightness[:, None, None])


def _lifted(gram: Tensor, share: float) -> Tensor:
    """gram + share·tr(gram)·I; the identity where gram is not finite."""
    eye = torch.eye(gram.shape[-1], dtype=gram.dtype, device=gram.device)
    trace = gram.diagonal(dim1=-2, dim2=-1).sum(-1)[:, None, None]
    lifted = gram + (share * trace + 1e-300) * eye
    return torch.where(lifted.isfinite().all(-1, keepdim=True).all(-2, keepdim=True), lifted, eye)


def linearize(around: Pass, last: bool = False) -> Linearized:
    """f around the weights of a pass."""
    gram = around.gram(last)
    factor, _ = torch.linalg.cholesky_ex(_lifted(gram, _SLIGHT))
    return Linearized(around, gram, factor, last)


def correct(batch: Batch, weights: Tensor, last: bool = False) -> tuple[Tensor, Tensor]:
    """The nearest interpolating weights by Gauss–Newton, and their ‖f(X) − Y‖ (B,).

    Of every network the best iterate counts; those that interpolate drop out.
    """
    best, least = weights.clone(), batch.at(weights).residual.norm(dim=1)
    active = (least > _CORRECTED).nonzero()[:, 0]
    weights = weights[active]
    for _ in range(_CORRECTIONS):
        if not len(active):
            break
        if len(active) == 1:
            # A lone matrix product is summed in another order than one of a batch.
            active, weights = active.repeat(2), weights.repeat(2, 1)
        rows = batch.rows(active)
        here = rows.at(weights)
        weights = weights - linearize(here, last).step(here.residual)
        errors = rows.at(weights).residual.norm(dim=1)
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
        values = batch.at(weights).regularizer()
    else:
        values = batch.at(weights).value(fit(batch))
        good = values.isfinite()
    return weights, torch.where(good, values, math.inf)


def fit(batch: Batch) -> Pull:
    """The pull of the fit ½‖f(X) − Y‖²/β."""
    unit = torch.eye(batch.Y[0].numel(), dtype=batch.Y.dtype, device=batch.Y.device)
    return Pull(torch.zeros_like(batch.Y).flatten(1), unit / batch.penalty[:, None, None])


def hold(batch: Batch, weights: Tensor, tightness: Tensor, walls: Walls | None = None) -> Pull:
    """What holds interpolation with μ = tightness (B,), or the fit."""
    return linearize(batch.at(weights, walls)).pull(tightness) if batch.exact else fit(batch)
