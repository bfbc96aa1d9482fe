"""Batched Adam between returns to interpolation."""

import math

import numpy as np

from zerogap.model import clock
from zerogap.model.matrices import Array
from zerogap.training.batch import Batch
from zerogap.training.interpolation import feasible, hold
from zerogap.training.regularizer import regularizer

# μ at the start of the descent.
LOOSE = 0.005
# By how many decades μ and the rate fall in a descent.
_TIGHTENING = 1.5
_DECAY = 2.0
# Largest growth of R that a return to interpolation may cost.
_RISE = 1.1


def descend(
    batch: Batch,
    weights: Array,
    tightness: Array,
    count: int,
    steps: int,
    rates: Array,
    refresh: int,
    looks: tuple[int, ...] = (),
) -> tuple[Array, Array, Array]:
    """Adam; the best weights met per network, their values, and the curves (count, T, 4).

    Every `refresh` steps the networks return to interpolation where that costs little, and
    multipliers and metric are renewed there; in between the penalty, with μ from `tightness`
    (B,) down, holds them near it. A curve has one row per refresh and per step in `looks`, where
    values are taken and weights left as they are: step, and what the best network of the problem,
    half of them and three quarters have reached.
    """
    weights = weights.copy()
    first, second = np.zeros_like(weights), np.zeros_like(weights)
    kept, values = weights.copy(), np.full(len(weights), math.inf)
    curve = []
    for step in range(steps + 1):
        share = step / steps
        if step % refresh == 0 or step in looks:
            there, current = feasible(batch, weights)
            size = regularizer(batch.shape, there)
            better = (current < values) | (np.isinf(values) & np.isfinite(size))
            kept[better] = there[better]
            values = np.minimum(values, current)
            curve.append(_reached(step, values.reshape(count, -1)))
        if step % refresh == 0:
            # Near kinks Gauss–Newton may land far away; such a network is left where it is.
            near = current <= _RISE * regularizer(batch.shape, weights)
            near = np.isfinite(current) if step == 0 else near
            weights[near] = there[near]
            pull = hold(batch, weights, tightness * 10 ** (-_TIGHTENING * share))
        if clock.late():
            break
        gradient = batch.at(weights).gradient(pull)
        # Both averages without their factors 0.1 and 0.01, which cancel in the quotient.
        first *= 0.9
        first += gradient
        second *= 0.99
        second += np.multiply(gradient, gradient, out=gradient)
        move = np.sqrt(second, out=gradient)
        move *= (1 - 0.99 ** (step + 1)) ** -0.5
        move += 1e-11
        np.divide(first, move, out=move)
        move *= (rates * 10 ** (-_DECAY * share) / (1 - 0.9 ** (step + 1)))[:, None]
        weights -= move
    return kept, values, np.stack(curve, axis=1)


def _reached(step: int, values: Array) -> Array:
    """A row of every problem's curve from its networks' values (count, m)."""
    m = values.shape[1]
    ranked = np.sort(values, axis=1)[:, [0, m // 2, 3 * m // 4]]
    return np.column_stack([np.full(len(values), float(step)), ranked])


def best(values: Array, count: int, keep: int) -> Array:
    """Indices into the batch of the `keep` smallest values of every problem."""
    order = values.reshape(count, -1).argsort(axis=1, kind="stable")[:, :keep]
    start = len(values) // count * np.arange(count)
    return (order + start[:, None]).ravel()
