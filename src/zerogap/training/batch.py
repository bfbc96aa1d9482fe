"""Values and gradients of a batch of equal networks, in closed form."""

from __future__ import annotations

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

    def free(self) -> Walls:
        """The pattern alone."""
        return replace(self, multipliers=[], stiffness=0.0)

    def push(self, layer: int, Z: Tensor) -> Tensor:
        """Multipliers that the constraints of one layer ask for, non-negative."""
        return (self.multipliers[layer] - self.stiffness * self.signs[layer] * Z).clamp(min=0)


@dataclass(frozen=True, eq=False)
class Pull:
    """What pulls f(X) to Y: multipliers Λ (B, nk) and a metric M (B, nk, nk)."""

    multipliers: Tensor
    metric: Tensor


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

    def forward(
        self, weights: Tensor, walls: Walls | None = None
    ) -> tuple[list[Tensor], list[Tensor], Tensor]:
        """Hidden outputs A₀ … A_{L-1}, pre-activations, and f(X) (B, n, k)."""
        *inner, last = self.shape.views(weights)
        hidden, before = [self.X], []
        for layer, W in enumerate(inner):
            Z = hidden[-1] @ W
            before.append(Z)
            if self.shape.activation == "relu":
                Z = Z.clamp(min=0) if walls is None else Z * (walls.signs[layer] > 0)
            hidden.append(Z)
        return hidden, before, (hidden[-1] @ last).sum(-3)

    def backward(
        self,
        weights: Tensor,
        hidden: list[Tensor],
        before: list[Tensor],
        outer: Tensor,
        walls: Walls | None = None,
    ) -> Tensor:
        """Gradient (…, B, P) of ⟨outer, f(X)⟩, and of the walls' penalty; outer: (…, B, n, k)."""
        layers = self.shape.views(weights)
        flow = outer.unsqueeze(-3)
        gradients = []
        for layer in reversed(range(len(layers))):
            gradient = hidden[layer].mT @ flow
            gradients.append(gradient.flatten(-3))
            if layer == 0:
                break
            flow = flow @ layers[layer].mT
            if self.shape.activation == "relu":
                Z = before[layer - 1]
                if walls is None:
                    flow = flow * (Z > 0)
                else:
                    signs = walls.signs[layer - 1]
                    flow = flow * (signs > 0)
                    if walls.stiffness:
                        flow = flow - signs * walls.push(layer - 1, Z)
        return torch.cat(gradients[::-1], -1)

    def regularizer(self, weights: Tensor) -> tuple[Tensor, Tensor]:
        """R (B,) and its gradient (B, P)."""
        if self.shape.degree == 2:
            return 0.5 * (weights**2).sum(-1), weights
        total = torch.zeros_like(weights[:, 0])
        gradients = []
        for W in self.shape.views(weights):
            squares = (W**2).sum((-2, -1), keepdim=True)
            # Products, not pow: its vector and scalar code differ in the last bit, and a result
            # must not depend on where in the batch it stands.
            power = squares.sqrt() if self.shape.degree % 2 else torch.ones_like(squares)
            for _ in range((self.shape.degree - 2) // 2):
                power = power * squares
            total = total + 0.5 * (power * squares).sum((-3, -2, -1))
            gradients.append((0.5 * self.shape.degree * power * W).flatten(-3))
        return total, torch.cat(gradients, -1)

    def loss(
        self, weights: Tensor, pull: Pull, walls: Walls | None = None
    ) -> tuple[Tensor, Tensor]:
        """R + ⟨Λ, r⟩ + ½ rᵀMr (+ walls) with r = f(X) − Y: values (B,), gradient (B, P)."""
        hidden, before, outputs = self.forward(weights, walls)
        residual = (outputs - self.Y).flatten(1)
        force = (pull.metric @ residual[:, :, None])[..., 0]
        total, gradient = self.regularizer(weights)
        total = total + (residual * (pull.multipliers + 0.5 * force)).sum(1)
        outer = (pull.multipliers + force).reshape(outputs.shape)
        gradient = gradient + self.backward(weights, hidden, before, outer, walls)
        if walls is not None:
            for layer, Z in enumerate(before):
                push = walls.push(layer, Z)
                total = total + 0.5 * (push**2).sum((-3, -2, -1)) / walls.stiffness
        return total, gradient
