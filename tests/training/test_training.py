"""Training reaches the optima of the theory, never goes below them, and repeats itself."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from zerogap.model.problem import Problem
from zerogap.training import INTERPOLATION_TOLERANCE, Training, TrainingOptions, train

CASES = {
    case["id"]: case
    for case in json.loads((Path(__file__).parents[1] / "reference/cases.json").read_text())
}
QUICK = TrainingOptions(restarts=16, steps=1000, polish_steps=2000)
TINY = TrainingOptions(restarts=8, steps=200, polish_steps=100, lbfgs_steps=20)


def problem_of(case: dict) -> Problem:
    names = ("activation", "architecture", "depth", "regularizer", "beta")
    return Problem(np.array(case["X"]), np.array(case["Y"]), **{name: case[name] for name in names})


def relu(X, Y, depth: int, architecture: str = "standard", **options) -> Problem:
    return Problem(X, Y, activation="relu", architecture=architecture, depth=depth, **options)


def assert_reaches(training: Training, problem: Problem, optimum: float, excess: float) -> None:
    assert training.value <= optimum * (1 + excess)
    assert training.value >= optimum * (1 - 1e-6)
    assert training.value == pytest.approx(training.network.objective(problem), rel=1e-12)
    if problem.beta is None:
        assert training.error <= INTERPOLATION_TOLERANCE * np.linalg.norm(problem.Y)


@pytest.mark.parametrize(
    "name",
    [
        "linear-standard-L2-K3",
        "linear-standard-L3-K3",
        "linear-parallel-power-L3-K3",
        "linear-parallel-weight_decay-L4-K2",
        "linear-standard-L3-equal-singular-values",
        "relu-two-layer-N5-d2-K2",
        "relu-two-layer-regularised-N9-d2",
        "relu-parallel-L3-N5-d2",
        "relu-standard-rank1-opposed-L4",
        "relu-parallel-rank1-opposed-L3",
        "relu-standard-whitened-onehot-L3",
        "linear-parallel-power-regularised-L3",
        "linear-standard-regularised-L3",
    ],
)
def test_training_reaches_the_optimum_and_never_passes_it(name):
    problem = problem_of(CASES[name])
    training = train([problem], [1], QUICK)[0]
    assert_reaches(training, problem, CASES[name]["primal"], 1e-3)


def test_opposed_rank_one_signs_cost_three_at_depth_three():
    problem = relu([[1.0], [-1.0]], [1.0, -1.0], 3)
    assert_reaches(train([problem], [0], QUICK)[0], problem, 3.0, 1e-6)


def test_a_bottleneck_beats_one_direction_per_class_at_depth_six():
    problem = relu(np.eye(3), np.eye(3), 6)
    training = train([problem], [0])[0]
    assert training.value < 8.354 < 9
    assert min(training.network.ranks()) == 2


@pytest.mark.parametrize("scale", [1e3, 1e-3])
@pytest.mark.parametrize(("architecture", "regularizer"), [("standard", "weight_decay")])
def test_values_scale_as_the_theory_says(scale, architecture, regularizer):
    """X → tX divides P₁ by t, and P = (L/2)P₁^{2/L}."""
    rng = np.random.default_rng(0)
    X, A = rng.normal(size=(5, 3)), rng.normal(size=(3, 2))
    plain, scaled = (
        Problem(
            t * X, X @ A, activation="linear", architecture=architecture, depth=3,
            regularizer=regularizer,
        )
        for t in (1.0, scale)
    )  # fmt: skip
    one, other = train([plain, scaled], [0, 0], QUICK)
    assert other.value * scale ** (2 / 3) == pytest.approx(one.value, rel=1e-4)
    optimum = 1.5 * np.sum(np.linalg.svd(A)[1] ** (2 / 3))
    assert one.value == pytest.approx(optimum, rel=1e-4)


def same(one: Training, other: Training) -> bool:
    return (
        one.value == other.value
        and np.array_equal(one.values, other.values)
        and np.array_equal(one.curve, other.curve, equal_nan=True)
    )


@pytest.mark.parametrize(
    ("depth", "architecture", "regularizer", "beta"),
    [
        (2, "standard", "weight_decay", None),
        (3, "standard", "weight_decay", None),
        (3, "parallel", "power", None),
        (4, "parallel", "power", 0.1),
    ],
)
def test_a_problem_trains_alike_alone_and_in_a_batch(depth, architecture, regularizer, beta):
    rng = np.random.default_rng(depth)
    problems = [
        relu(
            rng.normal(size=(4, 2)), rng.normal(size=4), depth, architecture,
            regularizer=regularizer, beta=beta,
        )
        for _ in range(3)
    ]  # fmt: skip
    together = train(problems, [7, 8, 9], TINY)
    again = train(problems, [7, 8, 9], TINY)
    for i, problem in enumerate(problems):
        assert same(together[i], again[i])
        assert same(together[i], train([problem], [7 + i], TINY)[0])
    assert not same(together[0], train([problems[0]], [6], TINY)[0])


def test_results_come_in_the_order_of_the_problems_whatever_their_shapes():
    problems = [relu(np.eye(2), np.eye(2), depth) for depth in (3, 2, 3)]
    values = [t.value for t in train(problems, [0, 0, 0], TINY)]
    assert values[0] == values[2]
    assert values[1] == pytest.approx(2.0, rel=1e-2)


def test_every_sample_of_the_curve_bounds_what_is_reached():
    problem = relu(np.eye(3), np.eye(3), 3)
    training = train([problem], [0], TINY)[0]
    assert (np.diff(training.curve[:, 1]) <= 0).all()
    assert (np.diff(training.curve[:, 0]) >= 0).all()
    assert training.curve[-1, 1] == pytest.approx(training.value, rel=1e-9)
    assert (np.diff(training.values) >= 0).all()


def test_the_curve_begins_at_the_first_step_and_ranks_the_restarts():
    training = train([relu(np.eye(3), np.eye(3), 3)], [0], TINY)[0]
    assert training.curve[:2, 0].tolist() == [0, 1]
    spread = training.curve[np.isfinite(training.curve).all(axis=1), 1:]
    assert len(spread) > 3 and (np.diff(spread, axis=1) >= 0).all()
    assert (np.diff(spread, axis=0) <= 0).all()


def test_too_few_branches_interpolate_nothing():
    """A sum of r branches has rank at most r (theory §2)."""
    problem = Problem(np.eye(2), np.eye(2), activation="linear", architecture="parallel", depth=3)
    alone = train([problem], [0], TrainingOptions(restarts=8, steps=200, branches=1))[0]
    assert np.isinf(alone.value)
    assert np.isinf(alone.values).all()
    enough = train([problem], [0], TrainingOptions(restarts=8, steps=1000, branches=2))[0]
    assert enough.value == pytest.approx(3.0, rel=1e-3)


def test_nothing_is_needed_where_the_targets_vanish():
    problem = relu(np.eye(2), np.zeros((2, 1)), 3)
    assert train([problem], [0], TINY)[0].value == 0
