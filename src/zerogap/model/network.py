"""Standard and parallel networks as weights: outputs, regularisers, balancing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
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
    parallel one every branch ends in one neuron (W_{L-1,j} is a column, W_{L,j} a row). Where W₁
    has one row more than X has columns, it holds the biases of the first layer. bias (k,): that of
    the outputs, if any.
    """

    branches: tuple[tuple[Array, ...], ...]
    activation: str
    bias: Array | None = None

    @property
    def depth(self) -> int:
        return len(self.branches[0])

    @property
    def width(self) -> int:
        """Neurons of the first layer, over all branches."""
        return sum(branch[0].shape[1] for branch in self.branches)

    def record(self) -> dict[str, Any]:
        """The network as nested lists of arrays."""
        bias = {} if self.bias is None else {"bias": self.bias}
        return {"activation": self.activation, "branches": [list(b) for b in self.branches], **bias}

    @classmethod
    def of(cls, record: dict[str, Any]) -> Network:
        """The network of a record."""
        branches = tuple(tuple(b) for b in record["branches"])
        return cls(branches, record["activation"], record.get("bias"))

    def on(self, size: float, free: bool = False) -> Network:
        """The same function, but for the bias of its outputs, of size·X.

        free: the last row of W₁ stands beside X, and is not scaled with it.
        """
        factor, branches = size ** (-1 / self.depth), []
        for first, *rest in self.branches:
            if free:
                first = np.vstack([first[:-1], size * first[-1:]])
            branches.append(tuple(W * factor for W in (first, *rest)))
        return replace(self, branches=tuple(branches))

    def outputs(self, X: Array) -> Array:
        """f(X), shape (n, k)."""
        F = self.sums(X)
        return F if self.bias is None else F + self.bias

    def inputs(self, X: Array) -> Array:
        """What the first layer is given: X, and a column of ones where it has biases."""
        if len(self.branches[0][0]) == X.shape[1] + 1:
            return np.hstack([X, np.ones((len(X), 1))])
        return X

    def sums(self, X: Array) -> Array:
        """f(X) without the bias of the outputs."""
        X = self.inputs(X)
        return sum(  # type: ignore[return-value]
            forward(X, branch[:-1], self.activation) @ branch[-1] for branch in self.branches
        )

    def error(self, problem: Problem) -> float:
        """‖f(X) − Y‖_F."""
        return float(np.linalg.norm(self.outputs(problem.X) - problem.Y))

    def regularizer(self, kind: str, free: bool = False) -> float:
        """R of the definitions: "weight_decay" ½Σ‖W‖_F², "power" ½Σ‖W‖_F^L.

        free: without the last row of W₁, free biases.
        """
        exponent = 2 if kind == "weight_decay" else self.depth
        norms = [norm for branch in self.branches for norm in layer_norms(branch, free)]
        return 0.5 * sum(norm**exponent for norm in norms)

    def objective(self, problem: Problem) -> float:
        """R for interpolation, the loss of f(X) and beta R otherwise."""
        penalty = self.regularizer(problem.regularizer, problem.first_bias == "free")
        if problem.beta is None:
            return float(penalty)
        return problem.fit.value(self.sums(problem.X), self.bias) + problem.beta * penalty

    def balanced(self, free: bool = False) -> Network:
        """The same function with equal layer norms in every branch: AM–GM's equality case.

        Minimal among rescalings of whole layers, for both regularisers. free: norms are without the
        last row of W₁.
        """
        return replace(self, branches=tuple(balance(branch, free) for branch in self.branches))

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
        return replace(self, branches=tuple(branches))

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
        return replace(self, branches=(tuple(layers),))


def zero_network(problem: Problem, bias: Array | None = None) -> Network:
    """f = 0, or constant outputs b, in one branch of one neuron a layer."""
    widths = [problem.inputs.shape[1], *[1] * (problem.depth - 1), problem.k]
    zeros = tuple(np.zeros(shape) for shape in pairwise(widths))
    return Network((zeros,), problem.activation, problem.fit.no_bias if bias is None else bias)


def activate(Z: Array, activation: str) -> Array:
    """φ(Z)."""
    return np.maximum(Z, 0) if activation == "relu" else Z


def forward(X: Array, layers: Iterable[Array], activation: str) -> Array:
    """φ(…φ(X W₁)…W_l)."""
    return reduce(lambda A, W: activate(A @ W, activation), layers, X)


def layer_norms(branch: Sequence[Array], free: bool = False) -> list[float]:
    """‖W_l‖_F of every layer; free: of W₁ without its last row."""
    layers = [branch[0][:-1], *branch[1:]] if free else branch
    return [float(np.linalg.norm(W)) for W in layers]


def balance(branch: Sequence[Array], free: bool = False) -> tuple[Array, ...]:
    """Rescale layers to equal Frobenius norm, keeping their product; a zero branch stays zero."""
    norms = np.array(layer_norms(branch, free))
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
