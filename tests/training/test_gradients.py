"""Derivatives in closed form against automatic differentiation, and L-BFGS against known optima."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from torch import Tensor

from zerogap.training.batch import Batch, Pass, Pull, Walls
from zerogap.training.lbfgs import lbfgs
from zerogap.training.shape import Shape

sizes = st.integers(1, 3)


@st.composite
def passes(draw: Callable[..., int]) -> tuple[Batch, Tensor, Pull, Walls | None]:
    """Two networks of a random shape at random weights, what pulls them, and perhaps walls."""
    n, d, k, m = (draw(sizes) for _ in range(4))
    depth, relu = draw(st.integers(2, 4)), draw(st.booleans())
    widths = [d, *[draw(sizes) for _ in range(depth - 1)], k]
    layers = tuple(pairwise(widths))
    degree = draw(st.sampled_from([2, depth]))
    shape = Shape(n, k, m, layers, "relu" if relu else "linear", degree, False)
    generator = torch.Generator().manual_seed(draw(st.integers(0, 1000)))

    def normal(*size: int) -> Tensor:
        return torch.randn(*size, generator=generator, dtype=torch.float64)

    batch = Batch(shape, True, normal(2, 1, n, d), normal(2, n, k), torch.ones(2))
    weights, root = normal(2, sum(shape.sizes)), normal(2, n * k, n * k)
    pull = Pull(normal(2, n * k), root @ root.mT)
    if not (relu and draw(st.booleans())):
        return batch, weights, pull, None
    hidden = [(2, m, n, width) for width in widths[1:-1]]
    signs, multipliers = [normal(*size).sign() for size in hidden], [normal(*s) for s in hidden]
    return batch, weights, pull, Walls(signs, [x.abs() for x in multipliers], 3.0)


def outputs(batch: Batch, weights: Tensor, walls: Walls | None) -> Tensor:
    """f(X) − Y (B, nk) and the networks' definition, for automatic differentiation."""
    A = batch.X
    *inner, last = batch.shape.views(weights)
    for layer, W in enumerate(inner):
        A = A @ W
        if walls is not None:
            A = A * (walls.signs[layer] > 0)
        elif batch.shape.activation == "relu":
            A = torch.relu(A)
    return ((A @ last).sum(1) - batch.Y).flatten(1)


def value(batch: Batch, weights: Tensor, pull: Pull, walls: Walls | None) -> Tensor:
    """R + ⟨Λ, r⟩ + ½rᵀMr and the walls' penalty, from their definitions."""
    r = outputs(batch, weights, walls)
    norms = [(W**2).sum((-2, -1)) for W in batch.shape.views(weights)]
    total = 0.5 * torch.stack([(x ** (batch.shape.degree / 2)).sum(1) for x in norms]).sum(0)
    total = total + (r * pull.multipliers).sum(1)
    total = total + 0.5 * (r[:, None] @ pull.metric @ r[:, :, None])[:, 0, 0]
    if walls is None:
        return total
    A, before = batch.X, []
    for layer, W in enumerate(batch.shape.views(weights)[:-1]):
        before.append(A @ W)
        A = before[-1] * (walls.signs[layer] > 0)
    for Z, sign, wanted in zip(before, walls.signs, walls.multipliers, strict=True):
        push = torch.relu(wanted - walls.stiffness * sign * Z)
        total = total + 0.5 * (push**2).sum((1, 2, 3)) / walls.stiffness
    return total


@settings(max_examples=25, deadline=None)
@given(passes())
def test_value_and_gradient_are_those_of_the_definition(
    case: tuple[Batch, Tensor, Pull, Walls | None],
) -> None:
    batch, weights, pull, walls = case
    variable = weights.clone().requires_grad_()
    total = value(batch, variable, pull, walls)
    (wanted,) = torch.autograd.grad(total.sum(), variable)
    here = batch.at(weights, walls)
    torch.testing.assert_close(here.value(pull), total.detach())
    torch.testing.assert_close(here.gradient(pull), wanted, rtol=1e-9, atol=1e-9)


@settings(max_examples=25, deadline=None)
@given(passes())
def test_along_and_gram_are_those_of_the_jacobian(
    case: tuple[Batch, Tensor, Pull, Walls | None],
) -> None:
    batch, weights, _, walls = case
    here = batch.at(weights, walls)
    last = batch.shape.sizes[-1]
    for i in range(2):
        row = batch.rows(torch.tensor([i]))
        own = None
        if walls is not None:
            own = Walls([s[[i]] for s in walls.signs], [x[[i]] for x in walls.multipliers], 3.0)

        def f(w: Tensor, row: Batch = row, own: Walls | None = own) -> Tensor:
            return outputs(row, w[None], own)[0]

        J = torch.autograd.functional.jacobian(f, weights[i])
        direction = torch.ones_like(weights)
        torch.testing.assert_close(here.along(direction)[i], J @ direction[i])
        torch.testing.assert_close(here.gram()[i], J @ J.T, rtol=1e-9, atol=1e-9)
        torch.testing.assert_close(
            here.gram(last=True)[i], J[:, -last:] @ J[:, -last:].T, rtol=1e-9, atol=1e-9
        )
        torch.testing.assert_close(here.backward(torch.ones_like(here.residual))[i], J.sum(0))


def test_lbfgs_solves_a_convex_quadratic(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = torch.Generator().manual_seed(0)
    root = torch.randn(3, 8, 8, generator=generator, dtype=torch.float64)
    H = root @ root.mT + 0.1 * torch.eye(8, dtype=torch.float64)
    b = torch.randn(3, 8, generator=generator, dtype=torch.float64)

    class Quadratic:
        def __init__(self, x: Tensor) -> None:
            self.x, self.Hx = x, (H @ x[:, :, None])[..., 0]

        def value(self, _: Pull) -> Tensor:
            return (self.x * (0.5 * self.Hx - b)).sum(1)

        def gradient(self, _: Pull) -> Tensor:
            return self.Hx - b

    monkeypatch.setattr(Batch, "at", lambda self, x, walls=None: Quadratic(x))
    shape = Shape(1, 1, 1, ((1, 1),), "linear", 2, False)
    batch = Batch(shape, True, b, b, b)
    found = lbfgs(batch, torch.zeros(3, 8, dtype=torch.float64), Pull(b, H), None, 300)
    torch.testing.assert_close(found, torch.linalg.solve(H, b), rtol=1e-6, atol=1e-7)


def test_lbfgs_reaches_what_scipy_reaches() -> None:
    generator = torch.Generator().manual_seed(1)
    X, Y = (
        torch.randn(1, *s, generator=generator, dtype=torch.float64) for s in ((1, 4, 2), (4, 1))
    )
    shape = Shape(4, 1, 1, ((2, 2), (2, 1)), "linear", 2, False)
    batch = Batch(shape, False, X, Y, torch.full((1,), 0.1, dtype=torch.float64))
    pull = Pull(
        torch.zeros(1, 4, dtype=torch.float64), torch.eye(4, dtype=torch.float64)[None] * 10
    )
    start = torch.randn(1, sum(shape.sizes), generator=generator, dtype=torch.float64)

    def both(w: np.ndarray) -> tuple[float, np.ndarray]:
        here: Pass = batch.at(torch.from_numpy(w)[None])
        return float(here.value(pull)), here.gradient(pull)[0].numpy()

    best = minimize(both, start[0].numpy(), jac=True, method="BFGS", options={"gtol": 1e-10}).fun
    found = lbfgs(batch, start, pull, None, 200)
    assert float(batch.at(found).value(pull)) == pytest.approx(best, rel=1e-9)
