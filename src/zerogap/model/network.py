"""Standard and parallel networks as weights: outputs, regularisers, balancing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from typing import Any

import numpy as np

from zerogap.model.matrices import Array
from zerogap.model.problem import Problem


@dataclass(frozen=True, eq=False)
class Network:
    """Weights of a network f(X) = Σ_j φ(…φ(X W_{1,j})…W_{L-1,j}) W_{L,j} (theory §1).

    branches[j][l] is W_{l+1,j}. A standard network is the case of one branch of any width; in a
    parallel one every branch ends in one neuron (W_{L-1,j} is a column, W_{L,j} a row).
    """

    branches: tuple[tuple[Array, ...], ...]
    activation: str

    @property
    def depth(self) -> int:
        return len(self.branches[0])

    @property
    def width(self) -> int:
        """Neurons of the first layer, over all branches."""
        return sum(branch[0].shape[1] for branch in self.branches)

    def record(self) -> dict[str, Any]:
        """The network as nested lists of arrays."""
        return {"activation": self.activation, "branches": [list(b) for b in self.branches]}

    @classmethod
    def of(cls, record: dict[str, Any]) -> Network:
        """The network of a record."""
        return cls(tuple(tuple(b) for b in record["branches"]), record["activation"])

    def scaled(self, factor: float) -> Network:
        """All weights times a factor, which multiplies f by factor^L."""
        branches = tuple(tuple(W * factor for W in branch) for branch in self.branches)
        return Network(branches, self.activation)

    def outputs(self, X: Array) -> Array:
        """f(X), shape (n, k)."""
        return sum(  # type: ignore[return-value]
            forward(X, branch[:-1], self.activation) @ branch[-1] for branch in self.branches
        )

    def error(self, problem: Problem) -> float:
        """‖f(X) − Y‖_F."""
        return float(np.linalg.norm(self.outputs(problem.X) - problem.Y))

    def regularizer(self, kind: str) -> float:
        """R of the definitions: "weight_decay" ½Σ‖W‖_F², "power" ½Σ‖W‖_F^L."""
        exponent = 2 if kind == "weight_decay" else self.depth
        norms = [float(np.linalg.norm(W)) for branch in self.branches for W in branch]
        return 0.5 * sum(norm**exponent for norm in norms)

    def objective(self, problem: Problem) -> float:
        """R for interpolation, the loss of f(X) and beta R otherwise."""
        penalty = self.regularizer(problem.regularizer)
        if problem.beta is None:
            return float(penalty)
        return problem.fit.value(self.outputs(problem.X)) + problem.beta * penalty

    def balanced(self) -> Network:
        """The same function with equal layer norms in every branch: AM–GM's equality case.

        Minimal among rescalings of whole layers, for both regularisers.
        """
        return Network(tuple(balance(branch) for branch in self.branches), self.activation)

    def balanced_units(self, sweeps: int = 200) -> Network:
        """The same function with every hidden unit's ingoing and outgoing norms equal.

        Never worse than `balanced` for weight decay: φ is positively homogeneous, so any scale
        may move across a unit, and equal norms are the minimum over it (AM–GM).
        """
        branches = []
        for branch in self.balanced().branches:
            layers = [W.copy() for W in branch]
            for _ in range(sweeps):
                for before, after in pairwise(layers):
                    into = np.linalg.norm(before, axis=0)
                    out = np.linalg.norm(after, axis=1)
                    alive = (into > 0) & (out > 0)
                    ratio = np.sqrt(np.divide(out, into, out=np.zeros_like(into), where=alive))
                    before *= ratio
                    after *= np.divide(1, ratio, out=np.zeros_like(ratio), where=alive)[:, None]
            branches.append(tuple(layers))
        return Network(tuple(branches), self.activation)

    def ranks(self, tolerance: float = 1e-4) -> list[int]:
        """Numerical rank of each layer, over all branches together (block-diagonal)."""
        ranks = []
        for layer in range(self.depth):
            s = [np.linalg.svd(branch[layer], compute_uv=False) for branch in self.branches]
            values = np.concatenate(s)
            ranks.append(int(np.sum(values > tolerance * values.max())))
        return ranks

    def as_standard(self) -> Network:
        """The parallel network as one standard network with block-diagonal inner layers."""
        layers = []
        for layer in range(self.depth):
            blocks = [branch[layer] for branch in self.branches]
            if layer == 0:
                layers.append(np.hstack(blocks))
            elif layer == self.depth - 1:
                layers.append(np.vstack(blocks))
            else:
                layers.append(_block_diagonal(blocks))
        return Network((tuple(layers),), self.activation)


def zero_network(problem: Problem) -> Network:
    """f = 0, in one branch of one neuron a layer."""
    widths = [problem.d, *[1] * (problem.depth - 1), problem.k]
    return Network((tuple(np.zeros(shape) for shape in pairwise(widths)),), problem.activation)


def activate(Z: Array, activation: str) -> Array:
    """φ(Z)."""
    return np.maximum(Z, 0) if activation == "relu" else Z


def forward(X: Array, layers: Iterable[Array], activation: str) -> Array:
    """φ(…φ(X W₁)…W_l)."""
    return reduce(lambda A, W: activate(A @ W, activation), layers, X)


def balance(branch: Sequence[Array]) -> tuple[Array, ...]:
    """Rescale layers to equal Frobenius norm, keeping their product; a zero branch stays zero."""
    norms = np.array([np.linalg.norm(W) for W in branch])
    if norms.min() == 0:
        return tuple(np.zeros_like(W) for W in branch)
    target = np.exp(np.log(norms).mean())
    return tuple(W * (target / norm) for W, norm in zip(branch, norms, strict=True))


def _block_diagonal(blocks: Sequence[Array]) -> Array:
    out = np.zeros((sum(b.shape[0] for b in blocks), sum(b.shape[1] for b in blocks)))
    row = column = 0
    for b in blocks:
        out[row : row + b.shape[0], column : column + b.shape[1]] = b
        row, column = row + b.shape[0], column + b.shape[1]
    return out
