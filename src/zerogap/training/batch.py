"""Values and gradients of a batch of equal networks, in closed form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from zerogap.training.shape import Shape


@dataclass(frozen=True, eq=False)
class Walls:
    """A fixed activation pattern per network, and multipliers that hold its inequalities.

    signs[l] (B, m, n, w) is ±1 where a pre-activation z may be positive or negative; the
    augmented Lagrangian of signs·z ≥ 0 makes the kinks of the ReLU smooth constraints.
    """

    signs: list[Tensor]
    multipliers: list[Tensor]
    stiffness: float

    def push(self, layer: int, Z: Tensor) -> Tensor:
        """Multipliers that the constraints of one layer ask for, non-negative."""
        return (self.multipliers[layer] - self.stiffness * self.signs[layer] * Z).clamp(min=0)


@dataclass(frozen=True, eq=False)
class Pull:
    """What pulls f(X) to Y: multipliers Λ (B, nk) and a metric M (B, nk, nk)."""

    multipliers: Tensor
    metric: Tensor

    def force(self, residual: Tensor) -> Tensor:
        """M r for r = f(X) − Y, both (B, nk)."""
        return (self.metric @ residual[:, :, None])[..., 0]


@dataclass(frozen=True, eq=False)
class Batch:
    """Data of the networks of a batch, (B, 1, n, d) and (B, n, k), and their shape.

    exact: interpolation is asked. penalty (B,): beta otherwise.
    """

    shape: Shape
    exact: bool
    X: Tensor
    Y: Tensor
    penalty: Tensor

    def rows(self, index: Tensor) -> Batch:
        """The data of some of the networks."""
        return replace(self, X=self.X[index], Y=self.Y[index], penalty=self.penalty[index])

    def at(self, weights: Tensor, walls: Walls | None = None) -> Pass:
        """The networks with these weights (B, P), evaluated."""
        layers = self.shape.views(weights)
        hidden, before, gates = [self.X], [], []
        for layer, W in enumerate(layers[:-1]):
            Z = hidden[-1] @ W
            before.append(Z)
            if self.shape.activation == "relu":
                gates.append(Z if walls is None else walls.signs[layer])
                Z = Z.clamp(min=0) if walls is None else _gated(Z, gates[-1])
            hidden.append(Z)
        residual = ((hidden[-1] @ layers[-1]).sum(-3) - self.Y).flatten(1)
        return Pass(self.shape, weights, layers, hidden, before, gates, residual, walls)


def _gated(values: Tensor, gate: Tensor) -> Tensor:
    """The values where the gate is positive, zero elsewhere."""
    return torch.ops.aten.threshold_backward(values, gate, 0.0)  # type: ignore[no-any-return]


@dataclass(frozen=True, eq=False)
class Pass:
    """A batch of networks at given weights, and what follows from one pass through them.

    layers: W₁ … W_L, each (B, m, a, b). hidden: A₀ … A_{L−1}. before: pre-activations. gates:
    positive where a ReLU is open. residual: f(X) − Y (B, nk).
    """

    shape: Shape
    weights: Tensor
    layers: list[Tensor]
    hidden: list[Tensor]
    before: list[Tensor]
    gates: list[Tensor]
    residual: Tensor
    walls: Walls | None

    def value(self, pull: Pull) -> Tensor:
        """R + ⟨Λ, r⟩ + ½ rᵀMr with r = f(X) − Y, and the walls' penalty (B,)."""
        r = self.residual
        total = self.regularizer() + (r * (pull.multipliers + 0.5 * pull.force(r))).sum(1)
        if self.walls is not None:
            for layer, Z in enumerate(self.before):
                push = self.walls.push(layer, Z)
                total = total + 0.5 * (push**2).sum((-3, -2, -1)) / self.walls.stiffness
        return total

    def gradient(self, pull: Pull) -> Tensor:
        """The gradient (B, P) of `value`."""
        outer = pull.multipliers + pull.force(self.residual)
        return self.regularizer_gradient() + self.backward(outer, self.walls)

    def backward(self, outer: Tensor, walls: Walls | None = None) -> Tensor:
        """Jᵀ outer (B, P), the gradient of ⟨outer, f(X)⟩ for outer (B, nk), and of the walls."""
        flow = outer.unflatten(1, (1, self.shape.n, self.shape.k))
        gradients = [(self.hidden[-1].mT @ flow).flatten(1)]
        for layer in reversed(range(len(self.before))):
            flow = flow @ self.layers[layer + 1].mT
            if self.gates:
                flow = _gated(flow, self.gates[layer])
            if walls is not None:
                flow = flow - walls.signs[layer] * walls.push(layer, self.before[layer])
            gradients.append((self.hidden[layer].mT @ flow).flatten(1))
        return torch.cat(gradients[::-1], 1)

    def along(self, direction: Tensor) -> Tensor:
        """J direction (B, nk): the derivative of f(X) along weights (B, P)."""
        *inner, last = self.shape.views(direction)
        change = self.hidden[0] @ inner[0]
        for layer, gate in enumerate(self.gates or self.before):
            if layer:
                change = change @ self.layers[layer] + self.hidden[layer] @ inner[layer]
            if self.gates:
                change = _gated(change, gate)
        return (change @ self.layers[-1] + self.hidden[-1] @ last).sum(-3).flatten(1)

    def gram(self, last: bool = False) -> Tensor:
        """JJᵀ (B, nk, nk) for all weights, or for those of the last layer.

        Output c of sample i depends on the weights W (a, b) of branch m's layer through a neuron's
        pre-activations A_i W alone, so its row of J there is the outer product A_i ⊗ F_ic, F_ic (b)
        the derivative by these pre-activations. Products of rows, (A_i·A_j)(F_ic·F_je) summed over
        branches, need no rows; these are formed only where they are short.
        """
        n, k = self.shape.n, self.shape.k
        # The last layer: F_ic is the unit vector of output c.
        eye = torch.eye(k, dtype=self.weights.dtype, device=self.weights.device)
        inner = (self.hidden[-1] @ self.hidden[-1].mT).sum(1)
        total = inner[:, :, None, :, None] * eye[:, None, :]
        for layer, flow in () if last else self._flows():
            A = self.hidden[layer]
            short = A.shape[-1] * flow.shape[-1] < n * k
            products = self._by_rows(A, flow) if short else self._by_factors(A, flow)
            total = total + products.view_as(total)
        return total.reshape(-1, n * k, n * k)

    def _by_rows(self, A: Tensor, flow: Tensor) -> Tensor:
        """The same (B, nk, nk) from the rows A_i ⊗ F_ic; A (B, m, n, a), flow F (B, m, nk, b)."""
        F = flow.unflatten(2, (self.shape.n, self.shape.k))
        rows = (A[:, :, :, None, :, None] * F[..., None, :]).movedim(1, 3)
        rows = rows.flatten(3).flatten(1, 2)
        return rows @ rows.mT

    def _by_factors(self, A: Tensor, flow: Tensor) -> Tensor:
        """Σ_m (A_i·A_j)(F_ic·F_je), (B, n, k, n, k)."""
        size = (self.shape.n, self.shape.k)
        outward = (flow @ flow.mT).unflatten(3, size).unflatten(2, size)
        return ((A @ A.mT)[:, :, :, None, :, None] * outward).sum(1)

    def _flows(self) -> Iterator[tuple[int, Tensor]]:
        """For each hidden layer, last first: d f(X) / d (its pre-activation), (B, m, nk, w)."""
        n = self.shape.n
        flow = self.layers[-1].mT.unsqueeze(2).expand(-1, -1, n, -1, -1)
        for layer in reversed(range(len(self.before))):
            if self.gates:
                flow = _gated(flow, self.gates[layer].unsqueeze(3).expand_as(flow))
            flat = flow.flatten(2, 3)
            yield layer, flat
            flow = (flat @ self.layers[layer].mT).unflatten(2, (n, -1)) if layer else flow

    def regularizer(self) -> Tensor:
        """R (B,)."""
        if self.shape.degree == 2:
            return 0.5 * (self.weights**2).sum(1)
        total = torch.zeros_like(self.weights[:, 0])
        for W in self.layers:
            squares = (W**2).sum((-2, -1), keepdim=True)
            total = total + 0.5 * (self._power(squares) * squares).sum((-3, -2, -1))
        return total

    def regularizer_gradient(self) -> Tensor:
        """The gradient of R (B, P)."""
        if self.shape.degree == 2:
            return self.weights
        return torch.cat(
            [
                (0.5 * self.shape.degree * self._power((W**2).sum((-2, -1), keepdim=True)) * W)
                .flatten(1)
                for W in self.layers
            ],
            1,
        )  # fmt: skip

    def _power(self, squares: Tensor) -> Tensor:
        """‖W‖^{degree − 2} of layers, from their squared norms.

        Products, not pow: its vector and scalar code differ in the last bit, and a result must
        not depend on where in the batch it stands.
        """
        power = squares.sqrt() if self.shape.degree % 2 else torch.ones_like(squares)
        for _ in range((self.shape.degree - 2) // 2):
            power = power * squares
        return power
