"""Batched L-BFGS, and with it the smooth part of a polish."""

import numpy as np

from zerogap.model import clock
from zerogap.model.matrices import Array
from zerogap.training.batch import Batch, Pull, Walls


def lbfgs(
    batch: Batch,
    weights: Array,
    pull: Pull,
    walls: Walls | None,
    steps: int,
    memory: int = 6,
) -> Array:
    """Batched L-BFGS; one evaluation a step, in which every network moves or shortens its step.

    Pair i of the memory, weights' change S[i] and gradients' G[i], is that of the step i before
    the last, modulo `memory`; where a network did not move its inverse curvature is zero.
    """
    here = batch.at(weights, walls)
    value, gradient = here.value(pull), here.gradient(pull)
    S = np.zeros((memory, *weights.shape))
    G = np.zeros_like(S)
    inverse = np.zeros((memory, len(weights)))
    length = np.ones_like(value)
    start = 1 / np.maximum(np.linalg.norm(gradient, axis=1), 1.0)
    for step in range(steps):
        if clock.late():
            break
        direction, alphas = gradient, []
        newest_first = [(step - 1 - age) % memory for age in range(min(step, memory))]
        for i in newest_first:
            alpha = inverse[i] * (S[i] * direction).sum(1)
            alphas.append(alpha)
            direction = direction - alpha[:, None] * G[i]
        direction = direction * start[:, None]
        for i in reversed(newest_first):
            beta = inverse[i] * (G[i] * direction).sum(1)
            direction += (alphas.pop() - beta)[:, None] * S[i]
        slope = -(gradient * direction).sum(1)
        trial = weights - length[:, None] * direction
        there = batch.at(trial, walls)
        ahead, slopes = there.value(pull), there.gradient(pull)
        good = ahead <= value + 1e-4 * length * slope
        s, y = trial - weights, slopes - gradient
        product = (s * y).sum(1)
        keep = good & (product > 1e-10 * np.linalg.norm(s, axis=1) * np.linalg.norm(y, axis=1))
        S[step % memory], G[step % memory] = s, y
        inverse[step % memory] = np.divide(1, product, out=np.zeros_like(product), where=keep)
        start = np.divide(product, (y * y).sum(1), out=start.copy(), where=keep)
        weights = np.where(good[:, None], trial, weights)
        value = np.where(good, ahead, value)
        gradient = np.where(good[:, None], slopes, gradient)
        length = np.where(good, 1.0, 0.4 * length)
        # A step this short is no descent: forget the memory and start from the gradient.
        lost = length < 1e-6
        inverse[:, lost] = 0.0
        start = np.where(lost, 1 / np.maximum(np.linalg.norm(gradient, axis=1), 1.0), start)
        length = np.where(lost, 1.0, length)
    return weights
