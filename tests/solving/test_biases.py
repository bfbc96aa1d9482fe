"""Networks with biases: brackets that close and are proved, and what biases cannot change."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from tests.model.test_losses import NAMES, targets
from zerogap import Bounds, Network, Problem, audit, solve
from zerogap.model.errors import DataError, ProblemError
from zerogap.model.losses import loss_of
from zerogap.solving.methods import base, cones

Array = np.ndarray
# From none to all, each including the networks of the one before at no higher cost.
RISING = [
    ("none", "none"), ("none", "decayed"), ("decayed", "decayed"), ("decayed", "free"),
    ("free", "free"),
]  # fmt: skip
RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(6, 2)), RNG.normal(size=(6, 1))


def problem(bias: Any, X: Array = X, Y: Array = Y, **options: Any) -> Problem:
    chosen = {"activation": "relu", "architecture": "standard", "depth": 2, "beta": 0.3} | options
    return Problem(X, Y, bias=bias, **chosen)


def closed(asked: Problem, **options: Any) -> Bounds:
    bounds = solve(asked, restarts=0, **options)
    assert bounds.certified
    assert bounds.relative_gap < 1e-6
    return bounds


@pytest.mark.parametrize("name", NAMES)
def test_every_loss_with_every_bias_is_solved_and_proved(name: str) -> None:
    Y = targets(loss_of(name), np.random.default_rng(1), 6, 2)
    values = [closed(problem(bias, Y=Y, loss=name)).primal for bias in RISING]
    assert all(more <= less * (1 + 1e-6) for less, more in pairwise(values))


@pytest.mark.parametrize("name", NAMES)
def test_linear_networks_of_every_loss_are_solved_and_proved(name: str) -> None:
    Y = targets(loss_of(name), np.random.default_rng(1), 6, 2)
    options = {"Y": Y, "loss": name, "activation": "linear"}
    values = [closed(problem(bias, **options)).primal for bias in RISING[:-1]]
    assert all(more <= less * (1 + 1e-6) for less, more in pairwise(values))
    # Biases of both layers are one.
    free = closed(problem(("none", "free"), **options)).primal
    assert free == pytest.approx(values[-1], rel=1e-6)


def test_free_biases_of_the_first_layer_do_not_see_translations() -> None:
    here = closed(problem("free")).primal
    assert closed(problem("free", X=X + np.array([3.0, -50.0]))).primal == pytest.approx(
        here, rel=1e-6
    )
    assert closed(problem("decayed", X=X + 3)).primal != pytest.approx(here, rel=1e-2)


def test_a_free_bias_of_the_outputs_takes_up_constants() -> None:
    for bias in (("none", "free"), "free"):
        here = closed(problem(bias)).primal
        assert closed(problem(bias, Y=Y + 7)).primal == pytest.approx(here, rel=1e-6)
    here = closed(problem(("none", "decayed"))).primal
    assert closed(problem(("none", "decayed"), Y=Y + 7)).primal > 2 * here


def test_a_decayed_bias_of_the_first_layer_is_a_column_of_ones() -> None:
    column = closed(problem("none", X=np.hstack([X, np.ones((6, 1))]))).primal
    assert closed(problem(("decayed", "none"))).primal == pytest.approx(column, rel=1e-9)


@pytest.mark.parametrize("bias", RISING)
def test_the_scale_of_the_data_goes_into_beta(bias: tuple[str, str]) -> None:
    """Not where a decayed bias stands beside the data."""
    here = closed(problem(bias)).primal
    there = closed(problem(bias, X=1e4 * X, beta=3e3)).primal
    same = there == pytest.approx(here, rel=1e-6)
    assert same == (bias in (("none", "none"), ("free", "free")))


@pytest.mark.parametrize("bias", RISING[1:])
@pytest.mark.parametrize("name", ["squared", "logistic"])
def test_beyond_the_largest_beta_the_best_network_is_constant(name: str, bias: Any) -> None:
    Y = np.array([[1.0], [1.0], [-1.0], [1.0], [-1.0], [1.0]])
    bounds = closed(problem(bias, Y=Y, loss=name, beta=50.0))
    assert bounds.primal_method == "constant network"
    F = bounds.weights.outputs(X)
    assert np.ptp(F) == 0
    if bias[1] == "free":
        share = 4 / 6
        best = np.log(share / (1 - share)) if name == "logistic" else 2 * share - 1
        assert F[0, 0] == pytest.approx(best, rel=1e-6)


@pytest.mark.parametrize("bias", ["free", ("decayed", "none")])
def test_biases_interpolate_what_no_network_without_them_does(bias: Any) -> None:
    """Two rows that point the same way."""
    X, Y = np.array([[1.0], [2.0]]), np.array([[1.0], [-1.0]])
    with pytest.raises(ProblemError, match="point the same way"):
        problem("none", X, Y, beta=None)
    bounds = closed(problem(bias, X, Y, beta=None))
    assert bounds.weights.error(problem(bias, X, Y)) < 1e-9
    if bias == "free":  # one neuron: a slope of two
        assert bounds.primal == pytest.approx(2.0, rel=1e-6)


@pytest.mark.parametrize("bias", RISING[1:])
def test_an_audit_bounds_networks_with_biases(bias: tuple[str, str]) -> None:
    asked, rng = problem(bias), np.random.default_rng(2)
    first = rng.normal(size=(asked.inputs.shape[1], 3))
    network = Network(((first, rng.normal(size=(3, 1))),), "relu", rng.normal(size=1))
    found = audit(asked, network)
    assert found.certified
    assert found.lower <= found.best <= found.objective
    # By hand.
    f = np.maximum(asked.inputs @ first, 0) @ network.branches[0][1] + network.bias
    paid = first[:-1] if bias[0] == "free" else first
    cost = (paid**2).sum() + (network.branches[0][1] ** 2).sum()
    cost += network.bias @ network.bias if bias[1] == "decayed" else 0
    assert found.objective == pytest.approx(0.5 * ((f - Y) ** 2).sum() + 0.15 * cost)
    assert found.lower == pytest.approx(closed(asked).primal, rel=1e-6)


def test_networks_without_the_biases_asked_for_have_them_at_zero() -> None:
    rng = np.random.default_rng(2)
    network = Network(((rng.normal(size=(2, 3)), rng.normal(size=(3, 1))),), "relu")
    values = [audit(problem(bias), network).objective for bias in RISING]
    assert values == pytest.approx([values[0]] * len(values))


def test_biases_that_the_problem_has_not_are_refused() -> None:
    rng = np.random.default_rng(2)
    last = rng.normal(size=(3, 1))
    beside = Network(((rng.normal(size=(2, 3)), last),), "relu", np.ones(1))
    with pytest.raises(DataError, match="output biases"):
        audit(problem("none"), beside)
    with pytest.raises(DataError, match="layer 1 of branch 0"):
        audit(problem(("none", "free")), Network(((rng.normal(size=(3, 3)), last),), "relu"))


@pytest.mark.parametrize("bias", RISING[1:])
def test_when_time_is_up_there_is_a_certified_bracket(bias: tuple[str, str]) -> None:
    rng = np.random.default_rng(3)
    asked = problem(bias, rng.normal(size=(40, 8)), rng.normal(size=(40, 1)), beta=1.0)
    bounds = solve(asked, seconds=1.0)
    assert bounds.certified
    assert 0 < bounds.dual < bounds.primal


DEEP = {"architecture": "parallel", "regularizer": "power", "X": X[:4]}


@pytest.mark.parametrize("depth", [3, 4])
@pytest.mark.parametrize("name", ["squared", "logistic", "quantile:0.7"])
def test_deeper_networks_of_one_output_are_solved_and_proved(name: str, depth: int) -> None:
    labels = np.array([1.0, -1, 1, 1])
    options = DEEP | {"Y": labels if name == "logistic" else Y[:4], "loss": name, "beta": 0.05}
    values = [closed(problem(bias, depth=depth, **options)).primal for bias in RISING[:-1]]
    assert all(more <= less * (1 + 1e-6) for less, more in pairwise(values))
    options["X"] = np.hstack([X[:4], np.ones((4, 1))])
    beside = closed(problem(("none", "decayed"), depth=depth, **options)).primal
    assert beside == pytest.approx(values[2], rel=1e-6)


@pytest.mark.parametrize("name", ["squared", "logistic", "cross-entropy"])
@pytest.mark.parametrize("bias", [("none", "decayed"), ("decayed", "free")])
def test_weight_decay_of_three_layers_has_a_proved_bracket(name: str, bias: Any) -> None:
    targets = {"squared": Y[:3], "logistic": np.array([1.0, -1, 1])}.get(name, np.eye(2)[[0, 1, 0]])
    asked = problem(bias, X=X[:3], Y=targets, depth=3, loss=name, beta=0.1)
    bounds = solve(asked, restarts=0, gap=0.1, seconds=4.0)
    assert bounds.certified
    assert 0 < bounds.dual <= bounds.primal
    constant = solve(replace(asked, beta=1e3), restarts=0)
    assert bounds.primal <= constant.primal
    assert constant.certified and constant.relative_gap < 1e-6


@pytest.mark.parametrize("bias", [("none", "free"), "free"])
def test_of_one_class_alone_a_free_bias_grows_without_end(bias: Any) -> None:
    ones, absent = np.ones((6, 1)), np.eye(3)[[0, 1, 0, 1, 0, 1]]
    for name, Y in (("logistic", ones), ("cross-entropy", absent)):
        with pytest.raises(ProblemError, match="has no minimum"):
            problem(bias, Y=Y, loss=name)
        assert closed(problem("decayed", Y=Y, loss=name)).dual > 0
    assert closed(problem(bias, Y=ones, loss="hinge")).primal == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("bias", "options", "said"),
    [
        ("some", {}, "bias is 'some'; accepted is one of none, decayed, free"),
        (("free", "none"), {}, "constants cost nothing"),
        (("free", "decayed"), {}, "constants cost nothing"),
        ("free", {"depth": 3}, "two layers"),
        ("free", {"activation": "linear"}, "ReLU networks"),
        (("none", "free"), {"beta": None}, "interpolation takes"),
        ("decayed", {"beta": None}, "interpolation takes"),
        (("none", "none", "none"), {}, "bias is"),
        (3, {}, "bias is 3"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(bias: Any, options: Any, said: str) -> None:
    with pytest.raises(ProblemError, match=said) as refused:
        problem(bias, **options)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["logistic", "quantile", "cross-entropy"])
def test_where_cones_are_many_they_prove_the_level_of_a_good_network(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if of many samples in more dimensions."""
    monkeypatch.setattr(base, "MAX_VISITS", 0)
    monkeypatch.setattr(cones, "_DIMENSIONS", 3)
    Y = targets(loss_of(name), np.random.default_rng(4), 6, 2)
    asked = problem("decayed", Y=Y, loss=name)
    bounds = solve(asked, restarts=0)
    assert bounds.certified
    assert dict(bounds.methods)["two layers by cones"] == "used"
    assert bounds.certificate["lower"]["kind"] == "cones"
    assert bounds.relative_gap < 1e-3
    assert solve(asked, restarts=0, gap=0.0).relative_gap < 1e-5


def test_multipliers_that_are_zero_prove_what_they_can() -> None:
    """One class and a free bias: the best hinge loss is zero, and so is Λ, at every level."""
    X, Y = np.random.default_rng(0).normal(size=(4, 1)), np.ones((4, 1))
    options = {"activation": "relu", "architecture": "standard", "depth": 3, "beta": 0.4}
    bounds = solve(Problem(X, Y, loss="hinge", bias=("none", "free"), **options), restarts=0)
    assert bounds.certified and bounds.primal == bounds.dual == 0
