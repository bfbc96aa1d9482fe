"""Batched L-BFGS, and with it the smooth part of a polish."""

import torch
from torch import Tensor

from zerogap.model import clock
from zerogap.training.batch import Batch, Pull, Walls


def lbfgs(
    batch: Batch,
    weights: Tensor,
    pull: Pull,
    walls: Walls | None,
    steps: int,
    memory: int = 6,
) -> Tensor:
    """Batched L-BFGS; one evaluation a step, in which every network moves or shortens its step.

    Pair i of the memory, weights' change S[i] and gradients' G[i], is that of the step i before
    the last, modulo `memory`; where a network did not move its inverse curvature is zero.
    """
    here = batch.at(weights, walls)
    value, gradient = here.value(pull), here.gradient(pull)
    S = weights.new_zeros(memory, *weights.shape)
    G = torch.zeros_like(S)
    inverse = weights.new_zeros(memory, len(weights))
    length = torch.ones_like(value)
    start = 1 / gradient.norm(dim=1).clamp(min=1.0)
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
            direction = direction + (alphas.pop() - beta)[:, None] * S[i]
        slope = -(gradient * direction).sum(1)
        trial = weights - length[:, None] * direction
        there = batch.at(trial, walls)
        ahead, slopes = there.value(pull), there.gradient(pull)
        good = ahead <= value + 1e-4 * length * slope
        s, y = trial - weights, slopes - gradient
        product = (s * y).sum(1)
        keep = good & (product > 1e-10 * s.norm(dim=1) * y.norm(dim=1))
        S[step % memory], G[step % memory] = s, y
        inverse[step % memory] = torch.where(keep, 1 / product, 0.0)
        start = torch.where(keep, product / (y * y).sum(1), start)
        weights = torch.where(good[:, None], trial, weights)
        value = torch.where(good, ahead, value)
        gradient = torch.where(good[:, None], slopes, gradient)
        length = torch.where(good, 1.0, 0.4 * length)
        # A step this short is no descent: forget the memory and start from the gradient.
        lost = length < 1e-6
        inverse = torch.where(lost, 0.0, inverse)
        start = torch.where(lost, 1 / gradient.norm(dim=1).clamp(min=1.0), start)
        length = torch.where(lost, 1.0, length)
    return weights
