"""Batched L-BFGS, and with it the smooth part of a polish."""

from __future__ import annotations

import torch
from torch import Tensor

from zerogap.training.batch import Batch, Pull, Walls


def lbfgs(
    batch: Batch,
    weights: Tensor,
    pull: Pull,
    walls: Walls | None,
    steps: int,
    memory: int = 12,
) -> Tensor:
    """Batched L-BFGS; one evaluation a step, in which every network moves or halves its step."""
    value, gradient = batch.loss(weights, pull, walls)
    S = weights.new_zeros(memory, *weights.shape)
    G = torch.zeros_like(S)
    inverse = weights.new_zeros(memory, len(weights))
    length = torch.ones_like(value)
    for _ in range(steps):
        direction, alphas = gradient, []
        for i in reversed(range(memory)):
            alpha = inverse[i] * (S[i] * direction).sum(1)
            alphas.append(alpha)
            direction = direction - alpha[:, None] * G[i]
        curvature = (G[-1] ** 2).sum(1) * inverse[-1]
        start = torch.where(curvature > 0, 1 / curvature, 1 / gradient.norm(dim=1).clamp(min=1.0))
        direction = direction * start[:, None]
        for i in range(memory):
            beta = inverse[i] * (G[i] * direction).sum(1)
            direction = direction + (alphas[-1 - i] - beta)[:, None] * S[i]
        slope = -(gradient * direction).sum(1)
        trial = weights - length[:, None] * direction
        ahead, slopes = batch.loss(trial, pull, walls)
        good = ahead <= value + 1e-4 * length * slope
        s, y = trial - weights, slopes - gradient
        product = (s * y).sum(1)
        keep = good & (product > 1e-10 * s.norm(dim=1) * y.norm(dim=1))
        S = torch.where(keep[:, None], torch.cat([S[1:], s[None]]), S)
        G = torch.where(keep[:, None], torch.cat([G[1:], y[None]]), G)
        inverse = torch.where(keep, torch.cat([inverse[1:], 1 / product[None]]), inverse)
        weights = torch.where(good[:, None], trial, weights)
        value = torch.where(good, ahead, value)
        gradient = torch.where(good[:, None], slopes, gradient)
        length = torch.where(good, 1.0, 0.4 * length)
        # A step this short is no descent: forget the memory and start from the gradient.
        lost = length < 1e-6
        inverse = torch.where(lost, 0.0, inverse)
        length = torch.where(lost, 1.0, length)
    return weights
