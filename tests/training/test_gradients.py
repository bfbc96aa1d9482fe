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

from zerogap.model.matrices import Array
from zerogap.training.batch import Batch, Pass, Pull, Walls
from zerogap.training.lbfgs import lbfgs
from zerogap.training.shape import Shape

sizes = st.integers(1, 3)


@st.composite
def passes(draw: Callable[..., int]) -> tuple[Batch, Array, Pull, Walls | None]:
    """Two networks of a random shape at random weights, what pulls them, and perhaps walls."""
    n, d, k, m = (draw(sizes) for _ in range(4))
    depth, relu = draw(st.integers(2, 4)), draw(st.booleans())
    widths = [d, *[draw(sizes) for _ in range(depth - 1)], k]
    layers = tuple(pairwise(widths))
    degree = draw(st.sampled_from([2, depth]))
    shape = Shape(n, k, m, layers, "relu" if relu else "linear", degree, False)
    rng = np.random.default_rng(draw(st.integers(0, 1000)))

    def normal(*size: int) -> Array:
        return rng.normal(size=size)

    batch = Batch(shape, True, normal(2, 1, n, d), normal(2, n, k), np.ones(2))
    weights, root = normal(2, sum(shape.sizes)), normal(2, n * k, n * k)
    pull = Pull(normal(2, n * k), root @ root.mT)
    if not (relu and draw(st.booleans())):
        return batch, weights, pull, None
    hidden = [(2, m, n, width) for width in widths[1:-1]]
    signs, multipliers = [np.sign(normal(*size)) for size in hidden], [normal(*s) for s in hidden]
    return batch, weights, pull, Walls(signs, [np.abs(x) for x in multipliers], 3.0)


def layers_of(batch: Batch, weights: Tensor) -> list[Tensor]:
    """The layers (B, m, a, b), for automatic differentiation."""
    parts = weights.split(batch.shape.sizes, 1)
    m, sizes = batch.shape.branches, batch.shape.layers
    return [part.reshape(-1, m, *size) for part, size in zip(parts, sizes, strict=True)]


def outputs(batch: Batch, weights: Tensor, walls: Walls | None) -> Tensor:
    """f(X) − Y (B, nk) from the networks' definition."""
    A = torch.from_numpy(batch.X)
    *inner, last = layers_of(batch, weights)
    for layer, W in enumerate(inner):
        A = A @ W
        if walls is not None:
            A = A * torch.from_numpy(walls.signs[layer] > 0)
        elif batch.shape.activation == "relu":
            A = torch.relu(A)
    return ((A @ last).sum(1) - torch.from_numpy(batch.Y)).flatten(1)


def value(batch: Batch, weights: Tensor, pull: Pull, walls: Walls | None) -> Tensor:
    """R + ⟨Λ, r⟩ + ½rᵀMr and the walls' penalty, from their definitions."""
    r = outputs(batch, weights, walls)
    norms = [(W**2).sum((-2, -1)) for W in layers_of(batch, weights)]
    total = 0.5 * torch.stack([(x ** (batch.shape.degree / 2)).sum(1) for x in norms]).sum(0)
    total = total + (r * torch.from_numpy(pull.multipliers)).sum(1)
    total = total + 0.5 * (r[:, None] @ torch.from_numpy(pull.metric) @ r[:, :, None])[:, 0, 0]
    if walls is None:
        return total
    A, before = torch.from_numpy(batch.X), []
    signs = [torch.from_numpy(sign) for sign in walls.signs]
    multipliers = [torch.from_numpy(x) for x in walls.multipliers]
    for layer, W in enumerate(layers_of(batch, weights)[:-1]):
        before.append(A @ W)
        A = before[-1] * (signs[layer] > 0)
    for Z, sign, wanted in zip(before, signs, multipliers, strict=True):
        push = torch.relu(wanted - walls.stiffness * sign * Z)
        total = total + 0.5 * (push**2).sum((1, 2, 3)) / walls.stiffness
    return total


@settings(max_examples=25, deadline=None)
@given(passes())
def test_value_and_gradient_are_those_of_the_definition(
    case: tuple[Batch, Array, Pull, Walls | None],
) -> None:
    batch, weights, pull, walls = case
    variable = torch.from_numpy(weights).requires_grad_()
    total = value(batch, variable, pull, walls)
    (wanted,) = torch.autograd.grad(total.sum(), variable)
    here = batch.at(weights, walls)
    np.testing.assert_allclose(here.value(pull), total.detach().numpy(), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(here.gradient(pull), wanted.numpy(), rtol=1e-9, atol=1e-9)


@settings(max_examples=25, deadline=None)
@given(passes())
def test_along_and_gram_are_those_of_the_jacobian(
    case: tuple[Batch, Array, Pull, Walls | None],
) -> None:
    batch, weights, _, walls = case
    here = batch.at(weights, walls)
    last = batch.shape.sizes[-1]
    for i in range(2):
        row = batch.rows(np.array([i]))
        own = None
        if walls is not None:
            own = Walls([s[[i]] for s in walls.signs], [x[[i]] for x in walls.multipliers], 3.0)

        def f(w: Tensor, row: Batch = row, own: Walls | None = own) -> Tensor:
            return outputs(row, w[None], own)[0]

        J = torch.autograd.functional.jacobian(f, torch.from_numpy(weights[i])).numpy()
        direction = np.ones_like(weights)
        for found, wanted in (
            (here.along(direction)[i], J @ direction[i]),
            (here.gram()[i], J @ J.T),
            (here.gram(last=True)[i], J[:, -last:] @ J[:, -last:].T),
            (here.backward(np.ones_like(here.residual))[i], J.sum(0)),
        ):
            np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-9)


def test_lbfgs_solves_a_convex_quadratic(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    root, b = rng.normal(size=(3, 8, 8)), rng.normal(size=(3, 8))
    H = root @ root.mT + 0.1 * np.eye(8)

    class Quadratic:
        def __init__(self, x: Array) -> None:
            self.x, self.Hx = x, (H @ x[:, :, None])[..., 0]

        def value(self, _: Pull) -> Array:
            return (self.x * (0.5 * self.Hx - b)).sum(1)

        def gradient(self, _: Pull) -> Array:
            return self.Hx - b

    monkeypatch.setattr(Batch, "at", lambda self, x, walls=None: Quadratic(x))
    shape = Shape(1, 1, 1, ((1, 1),), "linear", 2, False)
    batch = Batch(shape, True, b, b, b)
    found = lbfgs(batch, np.zeros((3, 8)), Pull(b, H), None, 300)
    np.testing.assert_allclose(found, np.linalg.solve(H, b[..., None])[..., 0], 1e-6, 1e-7)


def test_lbfgs_reaches_what_scipy_reaches() -> None:
    rng = np.random.default_rng(1)
    X, Y = rng.normal(size=(1, 1, 4, 2)), rng.normal(size=(1, 4, 1))
    shape = Shape(4, 1, 1, ((2, 2), (2, 1)), "linear", 2, False)
    batch = Batch(shape, False, X, Y, np.array([0.1]))
    pull = Pull(np.zeros((1, 4)), np.eye(4)[None] * 10)
    start = rng.normal(size=(1, sum(shape.sizes)))

    def both(w: Array) -> tuple[float, Array]:
        here: Pass = batch.at(w[None])
        return float(here.value(pull)[0]), here.gradient(pull)[0]

    best = minimize(both, start[0], jac=True, method="BFGS", options={"gtol": 1e-10}).fun
    found = lbfgs(batch, start, pull, None, 200)
    assert float(batch.at(found).value(pull)[0]) == pytest.approx(best, rel=1e-9)
