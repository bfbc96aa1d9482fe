"""Batched Adam between returns to interpolation."""

import math

import numpy as np
import torch
from torch import Tensor

from zerogap.model import clock
from zerogap.model.matrices import Array
from zerogap.training.batch import Batch
from zerogap.training.interpolation import feasible, hold

# μ at the start of the descent.
LOOSE = 0.005
# By how many decades μ and the rate fall in a descent.
_TIGHTENING = 1.5
_DECAY = 2.0
# Largest growth of R that a return to interpolation may cost.
_RISE = 1.1


def descend(
    batch: Batch,
    weights: Tensor,
    tightness: Tensor,
    count: int,
    steps: int,
    rates: Tensor,
    refresh: int,
    looks: tuple[int, ...] = (),
) -> tuple[Tensor, Tensor, Array]:
    """Adam; the best weights met per network, their values, and the curves (count, T, 4).

    Every `refresh` steps the networks return to interpolation where that costs little, and
    multipliers and metric are renewed there; in between the penalty, with μ from `tightness`
    (B,) down, holds them near it. A curve has one row per refresh and per step in `looks`, where
    values are taken and weights left as they are: step, and what the best network of the problem,
    half of them and three quarters have reached.
    """
    weights = weights.clone()
    first, second = torch.zeros_like(weights), torch.zeros_like(weights)
    kept, values = weights.clone(), torch.full_like(weights[:, 0], math.inf)
    curve = []
    for step in range(steps + 1):
        share = step / steps
        if step % refresh == 0 or step in looks:
            there, current = feasible(batch, weights)
            size = batch.at(there).regularizer()
            better = (current < values) | (values.isinf() & size.isfinite())
            kept = torch.where(better[:, None], there, kept)
            values = torch.minimum(values, current)
            curve.append(_reached(step, values.reshape(count, -1)))
        if step % refresh == 0:
            # Near kinks Gauss–Newton may land far away; such a network is left where it is.
            near = current <= _RISE * batch.at(weights).regularizer()
            near = current.isfinite() if step == 0 else near
            weights = torch.where(near[:, None], there, weights)
            pull = hold(batch, weights, tightness * 10 ** (-_TIGHTENING * share))
        if clock.late():
            break
        gradient = batch.at(weights).gradient(pull)
        # Both averages without their factors 0.1 and 0.01, which cancel in the quotient. Plain
        # products and sums only: fused ones differ in the last bit between vector and scalar code.
        first.mul_(0.9).add_(gradient)
        second.mul_(0.99).add_(gradient * gradient)
        unbiased = second.sqrt().mul_((1 - 0.99 ** (step + 1)) ** -0.5).add_(1e-11)
        length = rates * 10 ** (-_DECAY * share) / (1 - 0.9 ** (step + 1))
        weights = weights - (first / unbiased).mul_(length[:, None])
    return kept, values, np.stack(curve, axis=1)


def _reached(step: int, values: Tensor) -> Array:
    """A row of every problem's curve from its networks' values (count, m)."""
    m = values.shape[1]
    ranked = values.sort(dim=1).values[:, [0, m // 2, 3 * m // 4]]
    return np.column_stack([np.full(len(values), float(step)), ranked.cpu().numpy()])


def best(values: Tensor, count: int, keep: int) -> Tensor:
    """Indices into the batch of the `keep` smallest values of every problem."""
    order = values.reshape(count, -1).argsort(dim=1, stable=True)[:, :keep]
    start = len(values) // count * torch.arange(count, device=values.device)
    return (order + start[:, None]).flatten()
