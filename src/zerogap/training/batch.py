"""Values and gradients of a batch of equal networks, in closed form.

In numpy, where batches of matrices this small take less time than in torch, and gradients in closed
form less than by autograd (results/reference/benchmarks/training.csv).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from zerogap.model.matrices import Array
from zerogap.training.regularizer import regularizer, regularizer_gradient
from zerogap.training.shape import Shape


@dataclass(frozen=True, eq=False)
class Walls:
    """A fixed activation pattern per network, and multipliers that hold its inequalities.

    signs[l] (B, m, n, w) is ±1 where a pre-activation z may be positive or negative; the
    augmented Lagrangian of signs·z ≥ 0 makes the kinks of the ReLU smooth constraints.
    """

    signs: list[Array]
    multipliers: list[Array]
    stiffness: float

    def push(self, layer: int, Z: Array) -> Array:
        """Multipliers that the constraints of one layer ask for, non-negative."""
        return np.maximum(self.multipliers[layer] - self.stiffness * self.signs[layer] * Z, 0)


@dataclass(frozen=True, eq=False)
class Pull:
    """What pulls f(X) to Y: multipliers Λ (B, nk) and a metric M (B, nk, nk)."""

    multipliers: Array
    metric: Array

    def force(self, residual: Array) -> Array:
        """M r for r = f(X) − Y, both (B, nk)."""
        return (self.metric @ residual[:, :, None])[..., 0]


@dataclass(frozen=True, eq=False)
class Batch:
    """Data of the networks of a batch, (B, 1, n, d) and (B, n, k), and their shape.

    exact: interpolation is asked. penalty (B,): beta otherwise.
    """

    shape: Shape
    exact: bool
    X: Array
    Y: Array
    penalty: Array

    def rows(self, index: Array) -> Batch:
        """The data of some of the networks."""
        return replace(self, X=self.X[index], Y=self.Y[index], penalty=self.penalty[index])

    def at(self, weights: Array, walls: Walls | None = None) -> Pass:
        """The networks with these weights (B, P), evaluated."""
        layers = self.shape.views(weights)
        hidden, before, gates = [self.X], [], []
        for layer, W in enumerate(layers[:-1]):
            Z = hidden[-1] @ W
            before.append(Z)
            if self.shape.activation == "relu":
                gates.append(Z > 0 if walls is None else walls.signs[layer] > 0)
                Z = np.maximum(Z, 0) if walls is None else Z * gates[-1]
            hidden.append(Z)
        residual = ((hidden[-1] @ layers[-1]).sum(-3) - self.Y).reshape(len(weights), -1)
        return Pass(self.shape, weights, layers, hidden, before, gates, residual, walls)


@dataclass(frozen=True, eq=False)
class Pass:
    """A batch of networks at given weights, and what follows from one pass through them.

    layers: W₁ … W_L, each (B, m, a, b). hidden: A₀ … A_{L−1}. before: pre-activations. gates:
    where a ReLU is open. residual: f(X) − Y (B, nk).
    """

    shape: Shape
    weights: Array
    layers: list[Array]
    hidden: list[Array]
    before: list[Array]
    gates: list[Array]
    residual: Array
    walls: Walls | None

    def value(self, pull: Pull) -> Array:
        """R + ⟨Λ, r⟩ + ½ rᵀMr with r = f(X) − Y, and the walls' penalty (B,)."""
        r = self.residual
        total = regularizer(self.shape, self.weights)
        total = total + (r * (pull.multipliers + 0.5 * pull.force(r))).sum(1)
        if self.walls is not None:
            for layer, Z in enumerate(self.before):
                push = self.walls.push(layer, Z)
                total = total + 0.5 * (push**2).sum((-3, -2, -1)) / self.walls.stiffness
        return total

    def gradient(self, pull: Pull) -> Array:
        """The gradient (B, P) of `value`."""
        gradient = self.backward(pull.multipliers + pull.force(self.residual), self.walls)
        gradient += regularizer_gradient(self.shape, self.weights)
        return gradient

    def backward(self, outer: Array, walls: Walls | None = None) -> Array:
        """Jᵀ outer (B, P), the gradient of ⟨outer, f(X)⟩ for outer (B, nk), and of the walls."""
        gradient = np.empty_like(self.weights)
        parts = self.shape.views(gradient)
        flow = outer.reshape(-1, 1, self.shape.n, self.shape.k)
        np.matmul(self.hidden[-1].mT, flow, out=parts[-1])
        for layer in reversed(range(len(self.before))):
            flow = flow @ self.layers[layer + 1].mT
            if self.gates:
                flow *= self.gates[layer]
            if walls is not None:
                flow -= walls.signs[layer] * walls.push(layer, self.before[layer])
            np.matmul(self.hidden[layer].mT, flow, out=parts[layer])
        return gradient

    def along(self, direction: Array) -> Array:
        """J direction (B, nk): the derivative of f(X) along weights (B, P)."""
        *inner, last = self.shape.views(direction)
        change = self.hidden[0] @ inner[0]
        for layer in range(len(self.before)):
            if layer:
                change = change @ self.layers[layer] + self.hidden[layer] @ inner[layer]
            if self.gates:
                change = change * self.gates[layer]
        total = (change @ self.layers[-1] + self.hidden[-1] @ last).sum(-3)
        return total.reshape(len(direction), -1)

    def gram(self, last: bool = False) -> Array:
        """JJᵀ (B, nk, nk) for all weights, or for those of the last layer.

        Output c of sample i depends on the weights W (a, b) of branch m's layer through a neuron's
        pre-activations A_i W alone, so its row of J there is the outer product A_i ⊗ F_ic, F_ic (b)
        the derivative by these pre-activations. Products of rows, (A_i·A_j)(F_ic·F_je) summed over
        branches, need no rows; these are formed only where they are short.
        """
        n, k = self.shape.n, self.shape.k
        # The last layer: F_ic is the unit vector of output c.
        inner = (self.hidden[-1] @ self.hidden[-1].mT).sum(1)
        total = inner[:, :, None, :, None] * np.eye(k)[:, None, :]
        for layer, flow in () if last else self._flows():
            A = self.hidden[layer]
            short = A.shape[-1] * flow.shape[-1] < n * k
            products = self._by_rows(A, flow) if short else self._by_factors(A, flow)
            total += products.reshape(total.shape)
        return total.reshape(-1, n * k, n * k)

    def _by_rows(self, A: Array, flow: Array) -> Array:
        """The same (B, nk, nk) from the rows A_i ⊗ F_ic; A (B, m, n, a), flow F (B, m, nk, b)."""
        n, k = self.shape.n, self.shape.k
        F = flow.reshape(*flow.shape[:2], n, k, -1)
        rows = np.moveaxis(A[:, :, :, None, :, None] * F[..., None, :], 1, 3)
        rows = rows.reshape(len(F), n * k, -1)
        return rows @ rows.mT

    def _by_factors(self, A: Array, flow: Array) -> Array:
        """Σ_m (A_i·A_j)(F_ic·F_je), (B, n, k, n, k)."""
        n, k = self.shape.n, self.shape.k
        outward = (flow @ flow.mT).reshape(*flow.shape[:2], n, k, n, k)
        return ((A @ A.mT)[:, :, :, None, :, None] * outward).sum(1)

    def _flows(self) -> Iterator[tuple[int, Array]]:
        """For each hidden layer, last first: d f(X) / d (its pre-activation), (B, m, nk, w)."""
        B, m, n, k = len(self.weights), self.shape.branches, self.shape.n, self.shape.k
        flow = self.layers[-1].mT[:, :, None]
        for layer in reversed(range(len(self.before))):
            if self.gates:
                flow = flow * self.gates[layer][:, :, :, None]
            flow = np.broadcast_to(flow, (B, m, n, *flow.shape[3:]))
            flat = flow.reshape(B, m, n * k, -1)
            yield layer, flat
            if layer:
                flow = (flat @ self.layers[layer].mT).reshape(B, m, n, k, -1)
