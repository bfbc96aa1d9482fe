"""The sizes of a batch of equal networks, and their weights as one vector."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise

import numpy as np

from zerogap.model.matrices import Array
from zerogap.model.network import Network
from zerogap.model.problem import Problem
from zerogap.training.options import TrainingOptions
from zerogap.training.scaling import Scaled


@dataclass(frozen=True)
class Shape:
    """Sizes of a batch of equal networks: m branches of layers a×b, as one vector of weights."""

    n: int
    k: int
    branches: int
    layers: tuple[tuple[int, int], ...]
    activation: str
    degree: int
    split: bool

    @staticmethod
    def of(problem: Problem, scaled: Scaled, options: TrainingOptions) -> Shape:
        n, d = scaled.X.shape
        k, depth = scaled.Y.shape[1], problem.depth
        relu = problem.activation == "relu"
        parallel = problem.architecture == "parallel"
        if parallel:
            branches = options.branches or (k * n + 7 if relu else 2 * min(n, k) + 2)
            width = options.width or (n + 1 if relu else 1)
            end = 1
        else:
            branches = 1
            roomy = 2 * (k * n + 1) if depth == 2 else k * n + 4
            end = width = options.width or (roomy if relu else 2 * min(n, k) + 2)
        # A branch of depth two is one neuron: side by side they are one standard network.
        split = parallel and depth == 2
        if split:
            branches, end = 1, branches
        widths = [d, *[width] * (depth - 2), end, k]
        degree = 2 if problem.regularizer == "weight_decay" else depth
        return Shape(
            n, k, branches, tuple(pairwise(widths)), problem.activation,
            degree, split,
        )  # fmt: skip

    @property
    def sizes(self) -> list[int]:
        return [self.branches * a * b for a, b in self.layers]

    @cached_property
    def _places(self) -> list[tuple[slice, tuple[int, int, int]]]:
        """Where in the vector the layers are, and their shapes (m, a, b)."""
        ends = pairwise([0, *accumulate(self.sizes)])
        return [
            (slice(*own), (self.branches, a, b))
            for own, (a, b) in zip(ends, self.layers, strict=True)
        ]

    @property
    def chunk(self) -> int:
        """Networks per tensor program: few enough for their activations to stay in cache."""
        return max(1, 2**18 // (sum(self.sizes) + self.n * self.branches * len(self.layers)))

    def views(self, weights: Array) -> list[Array]:
        """The layers, (…, m, a, b), of weights (…, P); views, to be written to as well."""
        lead = weights.shape[:-1]
        return [weights[..., own].reshape(lead + size) for own, size in self._places]

    def network(self, weights: Array, scaled: Scaled) -> Network:
        """The network, in the problem's own coordinates, of one weight vector (P,)."""
        layers = [W * scaled.gain for W in self.views(weights)]
        layers[0] = scaled.basis @ layers[0]
        if self.split:
            first, last = layers[0][0], layers[1][0]
            layers = [first.T[:, :, None], last[:, None, :]]
        branches = [tuple(W[j] for W in layers) for j in range(len(layers[0]))]
        alive = [b for b in branches if all(np.any(W) for W in b)] or branches[:1]
        return Network(tuple(alive), self.activation).balanced()
