"""What every loss promises, on random numbers: derivatives, conjugates, proximal points."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zerogap import Problem
from zerogap.checker.losses import LOSSES as CHECKED
from zerogap.model.errors import ProblemError
from zerogap.model.fit import Fit
from zerogap.model.losses import LOSSES, Loss, loss_of

SEEDS = st.integers(0, 2**32 - 1)
NAMES = [*LOSSES, "huber:0.3", "quantile:0.9"]
OPTIONS = {"activation": "relu", "architecture": "standard", "depth": 2}


def targets(loss: Loss, rng: np.random.Generator, n: int = 5, k: int = 3) -> np.ndarray:
    """Targets that a loss accepts."""
    if loss.name in ("logistic", "hinge"):
        return np.where(rng.random((n, k)) < 0.5, -1.0, 1.0)
    if loss.name == "cross-entropy":
        return (
            rng.dirichlet(np.ones(k), n)
            if rng.random() < 0.5
            else np.eye(k)[rng.integers(k, size=n)]
        )
    return rng.normal(size=(n, k))


def drawn(name: str, seed: int) -> tuple[Loss, np.ndarray, np.ndarray, np.random.Generator]:
    """A loss, targets, outputs of some size, and what to draw more from."""
    loss, rng = loss_of(name), np.random.default_rng(seed)
    return loss, targets(loss, rng), rng.normal(size=(5, 3)) * 10 ** rng.uniform(-2, 1), rng


def test_solver_and_checker_know_the_same_losses() -> None:
    assert set(LOSSES) == set(CHECKED)
    for name, kind in LOSSES.items():
        assert (kind.default is not None) == (CHECKED[name].between is not None)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=20, deadline=None)
@given(seed=SEEDS)
def test_gradients_are_those_of_differences(name: str, seed: int) -> None:
    loss, Y, F, rng = drawn(name, seed)
    D, gradient = rng.normal(size=F.shape), loss.gradient(F, Y)
    # Convexity needs no step: the values at both sides are above the tangent.
    for step in (1e-7, 1e-3, 1.0):
        for sign in (1, -1):
            ahead = loss.value(F + sign * step * D, Y)
            rise = sign * step * float(np.sum(gradient * D))
            assert ahead >= loss.value(F, Y) + rise - 1e-12 * (1 + abs(ahead))
    if loss.smooth:
        step = 1e-6
        slope = (loss.value(F + step * D, Y) - loss.value(F - step * D, Y)) / (2 * step)
        assert slope == pytest.approx(np.sum(gradient * D), rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=20, deadline=None)
@given(seed=SEEDS)
def test_fenchel_and_young(name: str, seed: int) -> None:
    """ℓ(F) ≥ dual(Λ) − ⟨Λ, F⟩ for all Λ of the domain, with equality at Λ = −∇ℓ(F)."""
    loss, Y, F, rng = drawn(name, seed)
    fit = Fit(Y, loss)
    value = fit.value(F)
    best = fit.inside(-loss.gradient(F, Y))
    assert fit.dual(best) - np.sum(best * F) == pytest.approx(value, rel=1e-9, abs=1e-9)
    for size in (0.1, 1.0, 10.0):
        other = fit.inside(size * rng.normal(size=F.shape))
        assert fit.dual(other) > -np.inf
        assert fit.dual(other) - np.sum(other * F) <= value + 1e-9 * (1 + value)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=20, deadline=None)
@given(seed=SEEDS)
def test_proximal_points_are_the_least(name: str, seed: int) -> None:
    loss, Y, Z, rng = drawn(name, seed)
    step = 10 ** rng.uniform(-2, 2, size=(len(Z), 1))
    conjugate = loss.conjugate(Y)
    Lambda = conjugate.prox(Z, step)
    F = Z + step * Lambda

    def cost(F: np.ndarray) -> float:
        return loss.value(F, Y) + float(np.sum((F - Z) ** 2 / (2 * step)))

    inside = conjugate.inside(Lambda, False)
    below = conjugate.value(inside) - np.sum(inside * Z) - np.sum(step / 2 * inside**2)
    assert cost(F) == pytest.approx(below, rel=1e-8, abs=1e-8)
    assert cost(F) <= cost(F + 0.1 * rng.normal(size=F.shape)) + 1e-9


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=20, deadline=None)
@given(seed=SEEDS)
def test_what_must_sum_to_zero_does_so_exactly(name: str, seed: int) -> None:
    loss, Y, _, rng = drawn(name, seed)
    wild = rng.normal(size=Y.shape) * 10 ** rng.uniform(-6, 1)
    fit = Fit(Y, loss, 0.0)
    Lambda = fit.inside(wild)
    whole = [[float(x).as_integer_ratio() for x in row] for row in Lambda]
    columns = [sum(_fraction(x) for x in column) for column in zip(*whole, strict=True)]
    assert columns == [0, 0, 0]
    if loss.name == "cross-entropy":
        assert [sum(map(_fraction, row)) for row in whole] == [0] * len(Y)
    assert fit.dual(Lambda) > -np.inf
    # What is in the domain already is not moved by more than a rounding.
    assert fit.inside(Lambda) == pytest.approx(Lambda, rel=0, abs=1e-13 * np.abs(Lambda).max())


def _fraction(ratio: tuple[int, int]) -> Fraction:
    return Fraction(*ratio)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("rho", [None, 0.0, 0.7])
def test_no_multiple_is_better_than_the_best(name: str, rho: float | None) -> None:
    loss, Y, F, _ = drawn(name, 3)
    fit = Fit(Y, loss, rho)
    Lambda = fit.inside(-0.3 * loss.gradient(F, Y))
    for most in (0.5, 1.0, 50.0):
        found = fit.dual(fit.best_multiple(Lambda, most))
        for theta in np.linspace(0, most, 101):
            assert fit.dual(theta * Lambda) <= found + 1e-9


@pytest.mark.parametrize("name", NAMES)
def test_units_only_change_units(name: str) -> None:
    loss, Y, F, _ = drawn(name, 4)
    fit = Fit(Y, loss, 0.3)
    unit, size, slope, energy = fit.in_units(False)
    assert energy == pytest.approx(size * slope)
    bias = np.array([0.1, -0.2, 0.3])
    assert fit.value(size * F, size * bias) == pytest.approx(energy * unit.value(F, bias))
    Lambda = unit.inside(-0.1 * unit.loss.gradient(F, unit.Y))
    assert fit.dual(slope * Lambda) == pytest.approx(energy * unit.dual(Lambda))


@pytest.mark.parametrize(
    ("loss", "Y", "reason"),
    [
        ("square", [[1.0]], "accepted is one of"),
        (3, [[1.0]], "accepted is one of"),
        ("logistic:2", [[1.0]], "takes no parameter"),
        ("huber:0", [[1.0]], "between 0 and inf"),
        ("quantile:nan", [[1.0]], "between 0 and 1"),
        ("quantile:half", [[1.0]], "between 0 and 1"),
        ("logistic", [[0.0]], r"Y\[0, 0\] is 0; accepted are the labels -1 and 1"),
        ("hinge", [[2.0]], "accepted are the labels -1 and 1"),
        ("cross-entropy", [[1.0]], "one for each of two or more classes"),
        ("cross-entropy", [[0.0, 0.0]], "non-negative numbers, one of them positive"),
        ("cross-entropy", [[2.0, -1.0]], "non-negative numbers, one of them positive"),
    ],
)
def test_what_no_loss_accepts_is_refused(loss: object, Y: list[list[float]], reason: str) -> None:
    with pytest.raises(ProblemError, match=reason):
        Problem(np.ones((1, 2)), np.array(Y), beta=0.1, loss=loss, **OPTIONS)


def test_interpolation_is_for_squares() -> None:
    with pytest.raises(ProblemError, match="interpolation is for the squared loss"):
        Problem(np.ones((1, 2)), np.ones((1, 1)), loss="logistic", **OPTIONS)


def test_a_loss_has_one_name() -> None:
    asked = Problem(np.ones((1, 2)), np.ones((1, 1)), beta=1.0, loss="huber", **OPTIONS)
    assert asked.loss == "huber:1.0" == str(loss_of("huber:1"))
