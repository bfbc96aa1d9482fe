"""With β > 0 there is always a network: a deeper copy of a two-layer one, at worst zero."""

from typing import Any

import numpy as np
import pytest

from zerogap import Problem, solve
from zerogap.model.errors import MethodError
from zerogap.model.network import zero_network
from zerogap.solving.deepened import _copies, deepened
from zerogap.solving.methods import base, layers

KINDS = [
    {"architecture": "standard"},
    {"architecture": "parallel"},
    {"architecture": "parallel", "regularizer": "power"},
]


def problem(beta: float | None, depth: int = 3, k: int = 2, **kind: Any) -> Problem:
    rng = np.random.default_rng(depth)
    X, Y = rng.normal(size=(6, 3)), rng.normal(size=(6, k))
    return Problem(X, Y, activation="relu", depth=depth, beta=beta, **kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("depth", [3, 4, 5])
def test_copies_have_the_outputs_of_two_layers(depth: int, kind: dict[str, str]) -> None:
    asked, rng = problem(0.1, depth, **kind), np.random.default_rng(0)
    U, W = rng.normal(size=(3, 5)), rng.normal(size=(5, 2))
    U /= np.linalg.norm(U, axis=0)
    copies = _copies(asked, U, W)
    assert len(copies) == 1 + (asked.architecture == "standard")
    for copy in copies:
        assert copy.depth == depth
        assert copy.outputs(asked.X) == pytest.approx(np.maximum(asked.X @ U, 0) @ W)
    costs = np.linalg.norm(W, axis=1)
    power = asked.regularizer == "power"
    expected = depth / 2 * np.sum(costs ** (1 if power else 2 / depth))
    assert copies[0].regularizer(asked.regularizer) == pytest.approx(expected)


def test_many_neurons_share_two_channels_for_each_output() -> None:
    # 20 alike: C = 1, so the cost is at most (L/2) C^{2/L} (2k)^{(L−2)/L}, here with one sign.
    asked = problem(0.1, 3, 1, architecture="standard")
    U, W = np.tile([[1.0], [0.0], [0.0]], 20), np.full((20, 1), 1 / 20)
    shared = _copies(asked, U, W)[1]
    assert shared.regularizer("weight_decay") == pytest.approx(1.5)


@pytest.mark.parametrize("kind", KINDS)
def test_where_no_dual_has_a_network_a_copy_serves(
    kind: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "MAX_VISITS", 0)
    monkeypatch.setattr(layers, "MAX_ORDER", 0)
    asked = problem(0.2, **kind)
    bounds = solve(asked, restarts=0)
    assert bounds.primal_method == "deeper copy of two layers"
    assert bounds.certified
    assert bounds.dual <= bounds.primal < 0.9 * zero_network(asked).objective(asked)


@pytest.mark.parametrize("kind", KINDS)
def test_where_no_neuron_is_worth_its_cost_the_copy_is_zero(kind: dict[str, str]) -> None:
    asked = problem(15.0, **kind)
    assert deepened(asked).objective(asked) == pytest.approx(0.5 * np.sum(asked.Y**2))


def test_no_network_is_reported_that_is_worse_than_zero() -> None:
    # Four branches of the dual's network cost a standard one more than they are worth.
    X, Y = np.eye(4), np.eye(4)
    asked = Problem(X, Y, activation="relu", architecture="standard", depth=5, beta=0.3)
    assert solve(asked, restarts=0).primal <= 0.5 * np.sum(Y**2)


def test_a_copy_interpolates_where_two_layers_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "MAX_VISITS", 0)
    monkeypatch.setattr(layers, "MAX_ORDER", 0)
    asked = problem(None, architecture="standard")
    bounds = solve(asked, restarts=0)
    assert bounds.primal_method == "deeper copy of two layers"
    assert bounds.weights.error(asked) <= 1e-6 * np.linalg.norm(asked.Y)
    assert bounds.certified


def test_an_interpolation_without_a_network_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """f(x) − f(−x) is linear in x for two layers, and here it is not; three layers interpolate."""
    monkeypatch.setattr(base, "MAX_VISITS", 0)
    monkeypatch.setattr(layers, "MAX_ORDER", 0)
    X = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0], [1.0, 1.0], [-1.0, -1.0]])
    asked = Problem(
        X, X[:, :1] * X[:, 1:] * X[:, 1:], activation="relu", architecture="standard", depth=3
    )
    with pytest.raises(MethodError, match="no network interpolates within reach"):
        solve(asked, restarts=0)
