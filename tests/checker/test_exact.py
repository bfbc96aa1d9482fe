"""Zero and positive are about exact interpolation; what only holds up to ε is called so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from flint import arb, ctx

from tests.checker.examples import Array, linear_certificate, opposed_certificate, problem
from zerogap.checker import verify
from zerogap.checker.balls import PRECISION, rationals
from zerogap.checker.exact import _moved, _pivots, _stays_positive, correction, exact_values
from zerogap.checker.reading import branches_of
from zerogap.checker.statement import statement_of
from zerogap.model.network import Network
from zerogap.model.problem import Problem
from zerogap.solving.certificates import build, matrix
from zerogap.solving.solver import solve

ONE = np.ones((1, 1))


def unchecked(X: Array, Y: Array, depth: int, activation: str) -> Problem:
    """A problem that nobody asked whether it can be interpolated."""
    with patch.object(Problem, "__post_init__", lambda self: None):
        return problem(X, Y, depth, activation=activation)


def nearly(X: Array, Y: Array, network: Network, multipliers: Array, kind: str) -> dict[str, Any]:
    p = unchecked(X, Y, network.depth, network.activation)
    evidence = {"kind": kind, "multipliers": multipliers}
    return build(p, network, evidence, claimed={"primal": network.objective(p), "dual": 0.0})


@pytest.mark.parametrize("activation", ["linear", "relu"])
def test_a_direction_that_epsilon_hides_is_not_free(activation: str) -> None:
    """P = 25 (1 + (9e-7)^{1/25}), 36 % more than P up to ε."""
    e = np.array([[1.0], [0.0]])
    network = Network(((e, *[ONE] * 48, e.T),), activation)
    kind, Lambda = ("linear", np.eye(2)) if activation == "linear" else ("whitened", e @ e.T)
    verdict = verify(nearly(np.eye(2), np.diag([1, 0.9e-6]), network, Lambda, kind))
    assert verdict.accepted, verdict.reason
    assert verdict.status == "zero up to ε"
    assert verdict.epsilon >= 0.9e-6


@pytest.mark.parametrize("activation", ["linear", "relu"])
def test_what_no_network_interpolates_is_not_zero(activation: str) -> None:
    X, Y = np.ones((2, 1)), np.array([[1.0], [1 + 1e-6]])
    kind = "linear" if activation == "linear" else "rank-one"
    certificate = nearly(X, Y, Network(((ONE, ONE),), activation), X, kind)
    if kind == "rank-one":
        certificate["lower"] |= {"c": matrix(X), "a": matrix(ONE)}
    verdict = verify(certificate)
    assert verdict.accepted, verdict.reason
    assert verdict.status == "zero up to ε"


def test_positive_needs_a_dual_value_that_exists() -> None:
    assert verify(linear_certificate(3)).status == "positive"
    assert verify(opposed_certificate(3)).status == "positive"
    rng = np.random.default_rng(0)
    X, A = rng.standard_normal((6, 4)), rng.standard_normal((4, 3))
    found = solve(problem(X, X @ A, 3, activation="linear"), restarts=0)
    verdict = verify(found.certificate)  # Y was rounded out of the columns' span
    assert verdict.status == "positive" and verdict.epsilon > 0
    with patch("zerogap.checker.exact.MAX_ROUNDING", 0.0):
        assert verify(found.certificate).status == "positive up to ε"


def test_what_rounding_changes_at_great_depth_is_said() -> None:
    """(2⁻⁵³)^{2/L} is no small number at L = 12, so a rounded Y leaves the verdict open to it."""
    rng = np.random.default_rng(0)
    X, a = rng.standard_normal((6, 4)), rng.standard_normal((4, 1))
    for depth, status in ((3, "zero"), (12, "zero up to ε")):
        p = problem(X, X @ a @ np.array([[1.0, 0.7]]), depth, activation="linear")
        assert verify(solve(p, restarts=0).certificate).status == status


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ({"depth": 2}, (4, 2, 1)),
        ({"depth": 3, "architecture": "parallel", "regularizer": "power"}, (4, 2, 1)),
        ({"depth": 6, "activation": "linear"}, (3, 5, 1)),
    ],
)
def test_ordinary_data_are_proved_exactly(options: dict, shape: tuple[int, int, int]) -> None:
    """Deep linear networks by moving the first layer, the others by further branches."""
    n, d, k = shape
    rng = np.random.default_rng(1)
    X, Y = rng.standard_normal((n, d)), rng.standard_normal((n, k))
    verdict = verify(solve(problem(X, Y, **options), restarts=0).certificate)
    assert verdict.epsilon > 0 and verdict.status == "zero"


def test_targets_of_less_than_full_rank_are_corrected_within_their_rank() -> None:
    """A deep linear network of one neuron a layer, whose outputs are two numbers of equal size."""
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((6, 4)), np.outer(np.arange(1.0, 7.0), [1.0, 3.0])
    X[:, 0] = Y[:, 0]
    verdict = verify(solve(problem(X, Y, 12, activation="linear"), restarts=0).certificate)
    assert verdict.epsilon > 0 and verdict.status == "zero"


def test_many_samples_of_few_features_are_corrected() -> None:
    rng = np.random.default_rng(0)
    X = np.round(64 * rng.standard_normal((300, 5)))
    Y = X @ np.round(64 * rng.standard_normal((5, 2)))
    for depth in (2, 4):
        p = problem(X, Y, depth, activation="linear", architecture="parallel", regularizer="power")
        verdict = verify(solve(p, restarts=0).certificate)
        assert verdict.epsilon > 0 and verdict.status == "zero"


def test_a_cell_that_no_drawn_direction_meets_is_reached() -> None:
    """Rows of nearly one direction: between their kinks lie the network's own directions."""
    turns = np.array([0.0, 0.004, 0.007, 1.0, 2.2])
    X, Y = np.column_stack([np.cos(turns), np.sin(turns)]), np.array([[1.0, -1, 1, 1, -1]]).T
    for options in ({}, {"architecture": "parallel", "regularizer": "power"}):
        verdict = verify(solve(problem(X, Y, 2, **options), restarts=0).certificate)
        assert verdict.epsilon > 0 and verdict.status == "zero"


def test_a_lower_layer_moves_where_the_last_one_cannot() -> None:
    """Five layers on rank-one data, one neuron in the last hidden one: W₂ decides how c₊ and c₋
    mix, and nothing above it meets a kink."""
    c, a = np.array([[1.5, -1.25, 0.75, -0.5, 1.0]]).T, np.array([[1.0, 2.0]]) / 4
    Y = np.maximum(c, 0) + 0.75 * np.maximum(-c, 0)
    found = solve(problem(c @ a, Y, 5), restarts=0)
    verdict = verify(found.certificate)
    assert verdict.epsilon > 0 and verdict.status == "zero"
    # Of targets beside that span nothing is proved.
    with ctx.workprec(PRECISION):
        s = statement_of(found.certificate)
        branches = branches_of(found.certificate["upper"], "upper")
        correct = correction(s, branches, "standard")
        assert correct is not None and _moved(s, branches, correct) < 1e-12
        beside = replace(s, Y=np.nextafter(s.Y, np.arange(5.0)[:, None]))
        assert not _moved(beside, branches, correct).is_finite()


@pytest.mark.parametrize("move", [1e-9, 0.3])
def test_a_layer_whose_neurons_may_change_sign_is_not_moved(move: float) -> None:
    X, c = np.array([[1.0, 0.5], [-1.0, -0.25]]), np.ones((1, 1))
    branch = [np.array([[1.0, -1], [0, 0]]), np.array([[0.2], [0.2]]), c, c]
    p = problem(X, Network((tuple(branch),), "relu").outputs(X), 4)
    certificate = build(
        p, Network((tuple(branch),), "relu"), None, claimed={"primal": 9, "dual": 0}
    )
    with ctx.workprec(PRECISION):
        stays = _stays_positive(statement_of(certificate), branch, 1, arb(move))
    assert stays == (move < 0.2)


def test_digits_without_end_are_not_tried() -> None:
    """A rank of numbers of 2,000 bits takes minutes: nothing is proved, and nothing refused."""
    rng = np.random.default_rng(0)
    X = np.ldexp(rng.standard_normal((64, 96)), rng.integers(-900, 900, size=(64, 96)))
    with ctx.workprec(PRECISION):
        assert _pivots(rationals(X), rationals(X[:, :1])) is None
        assert _pivots(rationals(np.round(X[:, :3])), rationals(X[:, :1])) is not None


@pytest.mark.parametrize("activation", ["linear", "relu"])
@pytest.mark.parametrize("seed", range(5))
def test_the_corrected_value_bounds_networks_that_do_interpolate(
    activation: str, seed: int
) -> None:
    """Against the least change of the last layer that fits, found in float64."""
    rng = np.random.default_rng(seed)
    X, layers = rng.standard_normal((3, 4)), [rng.standard_normal((4, 8)), np.ones((8, 2))]
    network = Network((tuple(layers),), activation).balanced()
    Y = network.outputs(X) + 1e-9 * rng.standard_normal((3, 2))
    kind = "linear" if activation == "linear" else "whitened"
    certificate = nearly(X, Y, network, 1e-3 * Y, kind)
    with ctx.workprec(PRECISION):
        s = statement_of(certificate)
        branches = branches_of(certificate["upper"], "upper")
        found = correction(s, branches, "standard")
        proved = exact_values(s, branches, None)["primal"]
    assert found is not None and found.size > 0
    # A wrong correction would claim to cost nothing: the residual itself costs that much.
    D = np.linalg.norm(Y - network.outputs(X)) / np.linalg.norm(X, 2)
    assert found.scaled() >= D * (1 - 1e-6)
    A = X @ network.branches[0][0]
    A = np.maximum(A, 0) if activation == "relu" else A
    W = network.branches[0][1]
    W = W + np.linalg.pinv(A) @ (Y - A @ W)
    fitted = Network(((network.branches[0][0], W),), activation)
    p = unchecked(X, Y, 2, activation)
    assert proved <= fitted.objective(p) * (1 + 1e-6)
    assert proved >= float.fromhex(certificate["claimed"]["primal"]) * (1 - 1e-6)


def test_an_exact_network_needs_no_correction() -> None:
    certificate = linear_certificate(2)
    certificate["problem"]["X"] = certificate["problem"]["Y"] = matrix(np.eye(2))
    certificate["upper"]["branches"] = [[matrix(np.eye(2)), matrix(np.eye(2))]]
    with ctx.workprec(PRECISION):
        s, network = statement_of(certificate), branches_of(certificate["upper"], "upper")
        assert correction(s, network, "standard").primal(s) == arb(0)
