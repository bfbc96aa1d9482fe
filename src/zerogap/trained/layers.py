"""A trained network as affine layers, and the bias-free network of the theory that it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from zerogap.model.errors import DataError
from zerogap.model.matrices import Array
from zerogap.model.network import Network


@dataclass(frozen=True, eq=False)
class Layer:
    """A ↦ A W + b: W (inputs, outputs), b (outputs,) or None, and what both are called."""

    W: Array
    b: Array | None
    name: str
    bias_name: str = ""


@dataclass(frozen=True, eq=False)
class Layers:
    """A sum of branches of affine layers with the activation between them.

    unit: the rounding of the numbers that they were trained in, None for float64.
    """

    branches: tuple[tuple[Layer, ...], ...]
    activation: str
    unit: float | None = None

    def __post_init__(self) -> None:
        """Raise DataError where layers do not fit one another."""
        depths = sorted({len(branch) for branch in self.branches})
        if len(depths) != 1 or depths[0] < 2:
            raise DataError(
                f"the network has branches of {', '.join(map(str, depths))} layers; accepted are "
                "branches of equally many, at least 2"
            )
        for layer in self.all:
            for name, value in ((layer.name, layer.W), (layer.bias_name, layer.b)):
                if value is not None and not np.isfinite(value).all():
                    wrong = value[~np.isfinite(value)][0]
                    raise DataError(f"{name} holds {wrong}; accepted are finite numbers")
        ends = {(b[0].W.shape[0], b[-1].W.shape[1]) for b in self.branches}
        for branch in self.branches:
            for before, after in pairwise(branch):
                if before.W.shape[1] != after.W.shape[0]:
                    raise DataError(
                        f"{after.name} takes {after.W.shape[0]} inputs and {before.name} before "
                        f"it gives {before.W.shape[1]}; accepted are layers that fit"
                    )
        if len(ends) > 1:
            sizes = " and ".join(f"{d} to {k}" for d, k in sorted(ends))
            raise DataError(f"branches go from {sizes}; accepted are equal inputs and outputs")

    @property
    def all(self) -> list[Layer]:
        """Every layer of every branch."""
        return [layer for branch in self.branches for layer in branch]

    @property
    def depth(self) -> int:
        return len(self.branches[0])

    @property
    def outputs(self) -> int:
        return self.branches[0][-1].W.shape[1]

    @property
    def width(self) -> int:
        """Neurons of the first layer, over all branches."""
        return sum(branch[0].W.shape[1] for branch in self.branches)

    @property
    def shape(self) -> str:
        """Such as 4-32-3, branches joined by a plus."""
        return " + ".join(
            "-".join(map(str, [b[0].W.shape[0], *(layer.W.shape[1] for layer in b)]))
            for b in self.branches
        )

    def biases(self, position: str) -> list[Layer]:
        """The layers with a bias that are "first", "middle" or "last" in their branch."""
        part = {"first": slice(0, 1), "middle": slice(1, -1), "last": slice(-1, None)}[position]
        return [layer for b in self.branches for layer in b[part] if layer.b is not None]

    def merged(self) -> tuple[Network, str]:
        """The network and its architecture; biases of middle layers enter by a constant neuron.

        Branches that end in one neuron each make a parallel network, others one standard network
        with block-diagonal layers. The biases of the first layer are the last row of W₁. With
        biases in between, a first neuron is 1 on the constant column and is passed on by a weight
        of 1 in each layer; a middle bias is that neuron's row in the next. This costs
        (depth − 2)/2 in ½Σ‖W‖² and is otherwise the same network.
        """
        inner, outer = self.biases("first") + self.biases("middle"), self.biases("last")
        bias = np.vstack([_row(layer) for layer in outer]).sum(axis=0) if outer else None
        branches = tuple(tuple(layer.W for layer in branch) for branch in self.branches)
        if inner:
            rows = [_row(branch[0]) for branch in self.branches]
            branches = tuple(
                (np.vstack([W[0], row]), *W[1:]) for W, row in zip(branches, rows, strict=True)
            )
        network = Network(branches, self.activation, bias)
        many = len(branches) > 1
        middle = bool(self.biases("middle"))
        if many and not middle and all(len(branch[-1]) == 1 for branch in branches):
            return network, "parallel"
        if many:
            network = network.as_standard()
        return (self._carried(network) if middle else network), "standard"

    def _carried(self, network: Network) -> Network:
        """A standard network with a constant neuron in every hidden layer but the last."""
        layers = [np.array(W) for W in network.branches[0]]
        first = np.zeros((len(layers[0]), 1))
        first[-1] = 1
        layers[0] = np.hstack([layers[0], first])
        for level in range(1, self.depth - 1):
            row = np.hstack([_row(branch[level]) for branch in self.branches])
            grown = np.vstack([layers[level], row])
            if level < self.depth - 2:
                one = np.zeros((len(grown), 1))
                one[-1] = 1
                grown = np.hstack([grown, one])
            layers[level] = grown
        return replace(network, branches=(tuple(layers),))


def _row(layer: Layer) -> Array:
    """The bias as a row (1, outputs), zero where there is none."""
    return np.zeros((1, layer.W.shape[1])) if layer.b is None else layer.b[None]


def rounding(network: Network, X: Array, unit: float) -> Array:
    """How far outputs (n, k) in floating point with rounding `unit` are from exact ones at most.

    In any order of summation: m terms are summed with a relative error of γ = mu/(1 − mu) of the
    sum of their sizes (Higham, Accuracy and Stability of Numerical Algorithms, §4.2), and what the
    layers before were wrong by is multiplied by |W|. X itself is rounded as well.
    """
    total = np.zeros((len(X), network.branches[0][-1].shape[1]))
    for branch in network.branches:
        A = network.inputs(X)
        error = unit * np.abs(A)
        for place, W in enumerate(branch):
            gamma = _gamma(len(W) + 2, unit)
            error = error @ np.abs(W) + gamma * ((np.abs(A) + error) @ np.abs(W))
            A = A @ W
            if place < len(branch) - 1 and network.activation == "relu":
                A = np.maximum(A, 0)
        total = total + error
    size = np.abs(network.outputs(X)) + total
    return total + _gamma(len(network.branches) + 1, unit) * size


def _gamma(terms: int, unit: float) -> float:
    return terms * unit / (1 - terms * unit)
