"""Networks as people train them: torch's optimisers and mini-batches, many networks side by side.

Networks of one recipe share a tensor program. Narrow ones are padded by neurons of zero weights,
which get no gradient and stay zero, and torch's optimisers act entry by entry: every network is
trained as it would be alone, up to rounding.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import nn

from zerogap.model.matrices import Array
from zerogap.trained.layers import Layer, Layers

# A loss by its name in the theory; summed, so that each network can take its own mean.
LOSSES: dict[str, type[nn.Module]] = {
    "squared": nn.MSELoss,
    "logistic": nn.BCEWithLogitsLoss,
    "cross-entropy": nn.CrossEntropyLoss,
}
_BATCH = 32
# Half of the last digit of float32, in which networks are trained.
_UNIT = 2.0**-24


@dataclass(frozen=True)
class Recipe:
    """An optimiser of torch with its options, about how many steps it takes, in whole epochs, and
    whether the learning rate stays as it is or falls to zero along a cosine."""

    optimizer: str
    options: dict[str, Any]
    steps: int
    cosine: bool = False

    def epochs(self, samples: int) -> int:
        """How often it goes through the data."""
        return math.ceil(self.steps / math.ceil(samples / _BATCH))


RECIPES = {
    "sgd": Recipe("SGD", {"lr": 0.01, "momentum": 0.9}, 1000),
    "adam": Recipe("Adam", {"lr": 0.01}, 1000),
    "adamw": Recipe("AdamW", {"lr": 0.01}, 1000),
    "adam-long": Recipe("Adam", {"lr": 0.01}, 4000, cosine=True),
}


@dataclass(frozen=True)
class Task:
    """What networks of `depth` layers are trained for: X (n, d), targets Y (n, k) of the theory,
    a loss by its name in torch's mean, biases in all layers or none, and the weight decay."""

    X: Array
    Y: Array
    loss: str
    depth: int
    bias: bool
    decay: float


def train(task: Task, recipe: Recipe, widths: Sequence[int], seeds: Sequence[int]) -> list[Layers]:
    """One network for each width and seed, which gives its first weights and order of samples."""
    chance = [torch.Generator().manual_seed(seed) for seed in seeds]
    parameters = _stacked([_initial(task, *one) for one in zip(widths, seeds, strict=True)])
    descent = getattr(torch.optim, recipe.optimizer)(
        parameters, weight_decay=task.decay, **recipe.options
    )
    epochs, schedule = recipe.epochs(len(task.X)), None
    if recipe.cosine:
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(descent, epochs)
    X = torch.tensor(task.X, dtype=torch.float32)
    Y = torch.tensor((task.Y + 1) / 2 if task.loss == "logistic" else task.Y, dtype=torch.float32)
    loss = LOSSES[task.loss](reduction="sum")
    terms = 1 if task.loss == "cross-entropy" else Y.shape[1]
    for _ in range(epochs):
        orders = torch.stack([torch.randperm(len(X), generator=one) for one in chance])
        for rows in orders.split(_BATCH, dim=1):
            outputs = _forward(parameters, X[rows], task.bias)
            descent.zero_grad()
            # The sum of the networks' means: the gradient of each is that of its own.
            summed = loss(outputs.flatten(0, 1), Y[rows].flatten(0, 1))
            (summed / (rows.shape[1] * terms)).backward()
            descent.step()
        if schedule is not None:
            schedule.step()
    return [_layers(parameters, task, i, width) for i, width in enumerate(widths)]


def _sizes(task: Task, width: int) -> list[int]:
    return [task.X.shape[1], *[width] * (task.depth - 1), task.Y.shape[1]]


def _initial(task: Task, width: int, seed: int) -> list[torch.Tensor]:
    """The weights (inputs, outputs) and biases that torch's own layers start from."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers = [nn.Linear(*sizes, bias=task.bias) for sizes in pairwise(_sizes(task, width))]
    parameters = [p.detach() for layer in layers for p in layer.parameters()]
    return [p.T if p.ndim == 2 else p[None] for p in parameters]


def _stacked(networks: list[list[torch.Tensor]]) -> list[torch.Tensor]:
    """Parameters of all networks, (networks, rows, columns), padded by zeros."""
    stacked = []
    for same in zip(*networks, strict=True):
        shape = [max(sizes) for sizes in zip(*(p.shape for p in same), strict=True)]
        whole = torch.zeros(len(same), *shape)
        for i, p in enumerate(same):
            whole[i, : p.shape[0], : p.shape[1]] = p
        stacked.append(whole.requires_grad_())
    return stacked


def _forward(parameters: list[torch.Tensor], A: torch.Tensor, bias: bool) -> torch.Tensor:
    """Outputs (networks, samples, k) of samples (networks, samples, d)."""
    layers = _by_layer(parameters, bias)
    for number, (W, b) in enumerate(layers):
        A = A @ W if b is None else torch.baddbmm(b, A, W)
        if number < len(layers) - 1:
            A = torch.relu(A)
    return A


def _by_layer(
    parameters: list[torch.Tensor], bias: bool
) -> list[tuple[torch.Tensor, torch.Tensor | None]]:
    if not bias:
        return [(W, None) for W in parameters]
    return list(zip(parameters[::2], parameters[1::2], strict=True))


def _layers(parameters: list[torch.Tensor], task: Task, i: int, width: int) -> Layers:
    """The i-th network without its padding."""
    sizes = _sizes(task, width)

    def cut() -> Iterator[Layer]:
        for number, (W, b) in enumerate(_by_layer(parameters, task.bias)):
            rows, columns = sizes[number : number + 2]
            own = W[i, :rows, :columns].detach().numpy().astype(np.float64)
            row = None if b is None else b[i, 0, :columns].detach().numpy().astype(np.float64)
            yield Layer(own, row, f"{number}.weight", "" if b is None else f"{number}.bias")

    return Layers((tuple(cut()),), "relu", _UNIT)
