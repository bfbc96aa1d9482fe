"""Weight decay at three or more layers: cuts bound the cost over gauges, and never too high."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from flint import arb, ctx
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.checker.test_tampering import decoded
from tests.model.test_losses import NAMES, SEEDS, targets
from zerogap import Problem, solve, verify
from zerogap.checker.balls import PRECISION
from zerogap.checker.levels import least
from zerogap.model.losses import loss_of
from zerogap.model.network import Network
from zerogap.solving.certificates import build, matrix

Array = np.ndarray


def line(name: str, depth: int, beta: float, seed: int) -> Problem:
    """Linear networks of one input: outputs xaᵀ, of gauge ‖a‖."""
    rng = np.random.default_rng(seed)
    k = 2 if name == "cross-entropy" else 1
    X, Y = rng.normal(size=(4, 1)), targets(loss_of(name), rng, 4, k)
    return Problem(
        X, Y, activation="linear", architecture="standard", depth=depth, beta=beta, loss=name
    )


def cheapest(problem: Problem) -> float:
    """The least cost on a fine grid of a; of two outputs (a, −a), as a softmax sees differences."""
    fit, L = problem.fit, problem.depth
    output = np.array([[1.0]]) if problem.k == 1 else np.array([[1.0, -1.0]]) / np.sqrt(2)

    def cost(a: float) -> float:
        decay = problem.beta * L / 2 * abs(a) ** (2 / L)
        return float(decay) + fit.value(problem.X * a @ output)

    grid = np.geomspace(1e-6, 1e3, 500)
    grid, found = np.concatenate([-grid[::-1], grid]), cost(0.0)
    for _ in range(3):  # the best cell and its neighbours, refined
        costs = [cost(a) for a in grid]
        best, found = int(np.argmin(costs)), min(*costs, found)
        grid = np.linspace(grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)], 100)
    return found


def proved(problem: Problem, pieces: Sequence[Array]) -> float:
    """The dual that the checker proves from these Λ."""
    shapes = [(1, 1)] * (problem.depth - 1) + [(1, problem.k)]
    zero = Network((tuple(np.zeros(shape) for shape in shapes),), "linear")
    listed = [{"kind": "linear", "multipliers": M} for M in pieces]
    most = problem.fit.value(np.zeros_like(problem.Y))
    evidence = {"kind": "levels", "evidence": listed}
    verdict = verify(build(problem, zero, evidence, claimed={"primal": 2 * most, "dual": 0.0}))
    assert verdict.accepted, verdict.reason
    return verdict.dual


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0.01, 10), st.floats(-1, 10)), min_size=1, max_size=8),
    st.floats(0.01, 10),
    st.integers(3, 8),
)
def test_the_least_is_at_zero_or_a_corner(
    cuts: list[tuple[float, float]], beta: float, depth: int
) -> None:
    with ctx.workprec(PRECISION):
        bound, gamma = map(float, least(arb(beta), depth, [(arb(c), arb(g)) for c, g in cuts]))

    def value(at: Array) -> Array:
        lines = np.max([g - c * at for c, g in cuts], axis=0)
        return beta * depth / 2 * at ** (2 / depth) + np.maximum(0, lines)

    assert value(np.array(gamma)) == pytest.approx(bound, rel=1e-9)
    grid = np.concatenate([[0.0], np.geomspace(1e-9, 1e4, 5000)])
    assert bound <= value(grid).min() * (1 + 1e-12)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=10, deadline=None)
@given(seed=SEEDS, depth=st.integers(3, 6), beta=st.floats(0.01, 2))
def test_no_multipliers_prove_more_than_a_network_costs(
    name: str, seed: int, depth: int, beta: float
) -> None:
    """And more of them never prove less."""
    problem, rng = line(name, depth, beta, seed), np.random.default_rng(seed)
    fit, cost = problem.fit, cheapest(problem)
    scales = np.geomspace(0.1, 3, 6)
    pieces = [fit.inside(s * rng.normal(size=problem.Y.shape)) for s in scales]
    pieces.append(fit.inside(-fit.loss.gradient(np.zeros_like(problem.Y), problem.Y)))
    before = 0.0
    for i in range(1, len(pieces) + 1):
        bound = proved(problem, pieces[:i])
        assert before * (1 - 1e-9) <= bound <= cost * (1 + 1e-12)
        before = bound


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("depth", [3, 5])
def test_few_multipliers_are_tight(name: str, depth: int) -> None:
    problem = line(name, depth, 0.1, 1)
    bounds = solve(problem, restarts=0)
    assert bounds.certified and verify(bounds.certificate).accepted
    assert bounds.dual == pytest.approx(cheapest(problem), rel=1e-6)
    assert len(bounds.certificate["lower"]["evidence"]) <= 12


def test_multiples_are_as_good_for_squares() -> None:
    problem, rng = line("squared", 4, 0.1, 2), np.random.default_rng(0)
    pieces = [rng.normal(size=problem.Y.shape) + problem.Y for _ in range(3)]
    once = proved(problem, pieces)
    assert once > 0
    scaled = [factor * M for factor, M in zip((1e-3, 7.0, 1e4), pieces, strict=True)]
    assert proved(problem, scaled) == pytest.approx(once, rel=1e-9)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "squared"])
def test_a_forged_piece_is_refused(name: str) -> None:
    """Larger multipliers are outside of the domain, or have a level that proves less."""
    true: Any = solve(line(name, 3, 0.1, 1), restarts=0).certificate
    claimed = float.fromhex(true["claimed"]["dual"])
    for factor in (1 + 1e-3, 2.0, -1.0):
        forged = copy.deepcopy(true)
        for piece in forged["lower"]["evidence"]:
            piece["multipliers"] = matrix(factor * decoded(piece["multipliers"]))
        forged["claimed"]["dual"] = (claimed * (1 + 1e-4)).hex()
        assert not verify(forged).accepted
