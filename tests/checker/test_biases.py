"""Biases in certificates: of one kind they prove nothing of another, and none is forgotten."""

from __future__ import annotations

import copy
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pytest
from flint import ctx
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.checker.test_tampering import decoded
from zerogap import Problem, solve, verify
from zerogap.checker.balls import PRECISION
from zerogap.checker.kinds import prove
from zerogap.checker.statement import digest, statement_of
from zerogap.model.errors import InfeasibleError
from zerogap.solving.certificates import matrix

Array = np.ndarray
ACCEPTED = [
    ("none", "none"), ("none", "decayed"), ("none", "free"), ("decayed", "none"),
    ("decayed", "decayed"), ("decayed", "free"), ("free", "free"),
]  # fmt: skip


@cache
def solved(bias: tuple[str, str]) -> tuple[Problem, dict[str, Any]]:
    rng = np.random.default_rng(0)
    asked = Problem(
        rng.normal(size=(5, 2)), rng.normal(size=(5, 2)) + 0.5, bias=bias, beta=0.2,
        activation="relu", architecture="parallel", depth=2,
    )  # fmt: skip
    bounds = solve(asked, restarts=0)
    assert bounds.certified and bounds.relative_gap < 1e-6
    return asked, bounds.certificate


def certificate(bias: tuple[str, str]) -> dict[str, Any]:
    return copy.deepcopy(solved(bias)[1])


@pytest.mark.parametrize(("bias", "other"), product(ACCEPTED, ACCEPTED))
def test_a_certificate_is_of_its_own_biases_alone(
    bias: tuple[str, str], other: tuple[str, str]
) -> None:
    forged = certificate(bias)
    forged["problem"]["bias"] = list(other)
    assert verify(forged).accepted == (bias == other)


def test_the_biases_are_bound_to_the_problem() -> None:
    digests = {bias: verify(certificate(bias)).problem for bias in ACCEPTED}
    assert len({*digests.values()}) == len(ACCEPTED)
    assert all(digest(solved(bias)[0]) == digests[bias] for bias in ACCEPTED)


@pytest.mark.parametrize("bias", ["free", ["none"], ["none", "some"], ["free", "decayed"], [0, 0]])
def test_biases_that_are_not_of_the_format_are_refused(bias: Any) -> None:
    forged = certificate(("decayed", "free"))
    forged["problem"]["bias"] = bias
    assert "problem.bias" in verify(forged).reason


@pytest.mark.parametrize("bias", [b for b in ACCEPTED if b[1] != "none"])
def test_the_bias_of_the_outputs_counts(bias: tuple[str, str]) -> None:
    true = decoded(certificate(bias)["upper"]["bias"])
    forged = certificate(bias)
    del forged["upper"]["bias"]
    assert "claimed.primal" in verify(forged).reason
    for wrong in (true + 0.1, 2 * true, -true):
        forged["upper"]["bias"] = matrix(wrong)
        assert "claimed.primal" in verify(forged).reason
    for shape in ((2, 1), (1, 1), (5, 2)):
        forged["upper"]["bias"] = matrix(np.zeros(shape))
        assert "upper.bias has shape" in verify(forged).reason


@pytest.mark.parametrize("bias", [b for b in ACCEPTED if b[0] != "none"])
def test_the_biases_of_the_first_layer_count(bias: tuple[str, str]) -> None:
    forged = certificate(bias)
    for branch in forged["upper"]["branches"]:
        branch[0] = matrix(decoded(branch[0])[:-1])
    assert "do not chain" in verify(forged).reason
    forged = certificate(bias)
    for branch in forged["upper"]["branches"]:
        branch[0] = matrix(decoded(branch[0]) * [[1.0], [1.0], [0.0]])
    assert "claimed.primal" in verify(forged).reason


@pytest.mark.parametrize("bias", [b for b in ACCEPTED if b[1] == "free"])
def test_sums_of_multipliers_are_zero_exactly_where_the_bias_is_free(
    bias: tuple[str, str],
) -> None:
    forged = certificate(bias)
    Lambda = decoded(forged["lower"]["multipliers"]).copy()
    Lambda[0, 0] = np.nextafter(Lambda[0, 0], 0)
    forged["lower"]["multipliers"] = matrix(Lambda)
    assert "Λᵀ1 is not zero" in verify(forged).reason


@pytest.mark.parametrize("bias", [b for b in ACCEPTED if b[1] == "decayed"])
def test_a_decayed_bias_costs_the_dual_what_sums_there_are(bias: tuple[str, str]) -> None:
    asked, true = solved(bias)
    Lambda = decoded(true["lower"]["multipliers"])
    lost = (Lambda.sum(axis=0) ** 2).sum() / (2 * 0.2)
    value = (Lambda * asked.Y).sum() - 0.5 * (Lambda**2).sum() - lost
    assert lost > 1e-3
    assert verify(true).dual == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize("bias", ACCEPTED)
def test_another_beta_is_another_problem(bias: tuple[str, str]) -> None:
    for beta in (0.1, 0.3):
        forged = certificate(bias)
        forged["problem"]["beta"] = beta.hex()
        assert "claimed." in verify(forged).reason


@pytest.mark.parametrize("bias", ACCEPTED)
def test_gaps_and_deeper_networks_say_nothing_where_outputs_have_biases(
    bias: tuple[str, str],
) -> None:
    for block in ("gap", "deeper"):
        forged = certificate(bias)
        forged[block] = {"depth": 3, "branches": forged["upper"]["branches"]}
        assert not verify(forged).accepted
        assert ("accepted without a bias" in verify(forged).reason) == (bias[1] != "none")


def level(X: Array, Lambda: Array, by: str) -> float:
    """What `shifts` proves of multipliers on data."""
    stated = certificate(("free", "free"))
    stated["problem"] |= {"X": matrix(X), "Y": matrix(Lambda)}
    evidence = {"kind": "shifts", "by": by, "multipliers": matrix(Lambda)}
    with ctx.workprec(PRECISION):
        return float(prove(statement_of(stated), evidence, Lambda.shape[1], "lower")[1])


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_no_neuron_is_beyond_the_level_of_shifts(seed: int) -> None:
    """Random directions, and all biases at which something happens; repeated rows and far ones."""
    rng = np.random.default_rng(seed)
    n, d, k = int(rng.integers(1, 6)), int(rng.integers(1, 4)), int(rng.integers(1, 3))
    X = rng.normal(size=(n, d)) + rng.choice([0, 1e6])
    X[rng.integers(n)] = X[0]
    Lambda = rng.integers(-8, 9, (n, k)).astype(float)
    Lambda[0] -= Lambda.sum(axis=0)
    found = [level(X, Lambda, by) for by in ("faces", "cones", "whitened")]
    assert found[0] == pytest.approx(found[1], rel=1e-8, abs=1e-8)
    assert found[0] <= found[2] + 1e-8
    W = rng.normal(size=(d, 200))
    W /= np.linalg.norm(W, axis=0)
    heights = X @ W
    for b in [*-heights, rng.normal(size=200), np.full(200, 1e3), np.full(200, -1e3)]:
        values = np.linalg.norm(Lambda.T @ np.maximum(heights + b, 0), axis=0)
        assert values.max() <= found[0] * (1 + 1e-9) + 1e-8


@pytest.mark.parametrize("by", ["moments", "shifts", "tree", None, 3])
def test_levels_of_shifts_are_proved_by_the_multipliers_alone(by: Any) -> None:
    forged = certificate(("free", "free"))
    forged["lower"]["by"] = by
    assert "this kind is for two layers" in verify(forged).reason


def test_free_biases_take_shifts_and_shifts_take_free_biases() -> None:
    forged = certificate(("free", "free"))
    for kind in ("faces", "cones", "whitened"):
        forged["lower"]["kind"] = kind
        assert "shifts" in verify(forged).reason
    forged = certificate(("decayed", "free"))
    forged["lower"] |= {"kind": "shifts", "by": "faces"}
    assert "free biases" in verify(forged).reason
    forged = certificate(("free", "free"))
    forged["problem"]["depth"] = 3
    assert not verify(forged).accepted


@pytest.mark.parametrize("constant", [0.0, 1e3, 1e6, 1e9])
def test_constants_that_cost_nothing_make_no_room_for_errors(constant: float) -> None:
    """Equal rows with different targets have no network, however far from zero all of them are."""
    X, Y = np.array([[0.0], [1.0], [1.0]]), np.array([[0.0], [1.0], [0.0]]) + constant
    options = {"activation": "relu", "architecture": "standard", "depth": 2, "bias": "free"}
    with pytest.raises(InfeasibleError, match="two rows of X point the same way"):
        Problem(X, Y, **options)
    forged = solve(Problem(X, np.zeros((3, 1)), **options), restarts=0).certificate
    forged["problem"]["Y"] = matrix(Y)
    forged["upper"] = {
        "branches": [[matrix(np.zeros((2, 1))), matrix(np.zeros((1, 1)))]],
        "bias": matrix(np.array([[constant + 0.5]])),
    }
    forged["epsilon"] = (1.0).hex()
    assert "epsilon is" in verify(forged).reason


def test_targets_that_are_nearly_constant_are_interpolated_or_refused() -> None:
    X, Y = np.array([[0.0], [1.0], [2.0]]), np.array([[0.0], [1e-6], [0.0]]) + 1
    asked = Problem(X, Y, activation="relu", architecture="standard", depth=2, bias="free")
    assert solve(asked, restarts=0).certified
