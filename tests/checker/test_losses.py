"""Losses in balls: they hold the float64 values, and no certificate of one proves too much."""

from __future__ import annotations

import copy
from functools import cache
from typing import Any

import numpy as np
import pytest
from flint import arb, ctx
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.checker.test_tampering import decoded
from tests.model.test_losses import NAMES, SEEDS, drawn, targets
from zerogap import Problem, solve, verify
from zerogap.checker.balls import PRECISION, Refused, balls, inner
from zerogap.checker.losses import LOSSES
from zerogap.model.fit import Fit
from zerogap.model.losses import loss_of
from zerogap.solving.certificates import matrix

OTHERS = [name for name in NAMES if name != "squared"]


def proved(name: str) -> Any:
    """The checker's loss of a name."""
    loss = loss_of(name)
    return LOSSES[loss.name](loss.parameter)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, theta=st.floats(0, 1))
def test_balls_hold_what_floats_say(name: str, seed: int, theta: float) -> None:
    loss, Y, F, rng = drawn(name, seed)
    own, fit = proved(name), Fit(Y, loss)
    Lambda = fit.inside(rng.normal(size=F.shape))
    with ctx.workprec(PRECISION):
        value, dual = own.value(balls(F), balls(Y)), own.dual(balls(Lambda), arb(theta), balls(Y))
        assert max(float(value.rad()), float(dual.rad())) < 1e-60
        assert float(value) == pytest.approx(fit.value(F), rel=1e-12, abs=1e-12)
        assert float(dual) == pytest.approx(fit.dual(theta * Lambda), rel=1e-12, abs=1e-12)
        # Fenchel and Young, in balls.
        assert dual - arb(theta) * inner(balls(Lambda), balls(F)) <= value


@pytest.mark.parametrize("name", OTHERS)
def test_multipliers_outside_of_the_domain_prove_nothing(name: str) -> None:
    loss, Y, _, rng = drawn(name, 7)
    Lambda = Fit(Y, loss).inside(rng.normal(size=Y.shape))
    far = loss.conjugate(Y).upper
    with ctx.workprec(PRECISION):
        proved(name).dual(balls(Lambda), arb(1), balls(Y))
        for wrong in (np.nextafter(far, np.inf), 10 * far + 1, Lambda + 1):
            with pytest.raises(Refused, match=r"domain|sum to zero|share"):
                proved(name).dual(balls(wrong), arb(1), balls(Y))
        if loss.name == "cross-entropy":
            Lambda[0, 0] = np.nextafter(Lambda[0, 0], -np.inf)
            with pytest.raises(Refused, match="does not sum to zero"):
                proved(name).dual(balls(Lambda), arb(1), balls(Y))


@pytest.mark.parametrize("name", ["logistic", "hinge", "cross-entropy"])
def test_extreme_outputs_have_values(name: str) -> None:
    loss, Y, F, _ = drawn(name, 1)
    with ctx.workprec(PRECISION):
        for size in (1e-300, 1e3, 1e8):
            value = proved(name).value(balls(size * F), balls(Y))
            assert float(value) == pytest.approx(loss.value(size * F, Y), rel=1e-12)


@cache
def certificate(name: str) -> dict[str, Any]:
    """Of a small two-layer problem, by the solver."""
    loss, rng = loss_of(name), np.random.default_rng(0)
    X, Y = rng.normal(size=(5, 2)), targets(loss, rng, 5, 2)
    problem = Problem(
        X, Y, activation="relu", architecture="standard", depth=2, beta=0.2, loss=name
    )
    bounds = solve(problem, restarts=0)
    assert bounds.certified and bounds.relative_gap < 1e-7
    assert bounds.verdict is not None and verify(bounds.certificate).problem
    return bounds.certificate


def changed(name: str, **entries: Any) -> dict[str, Any]:
    """The certificate with entries of its problem changed."""
    out = copy.deepcopy(certificate(name))
    out["problem"].update(entries)
    return out


@pytest.mark.parametrize("name", OTHERS)
def test_a_tighter_claim_is_refused(name: str) -> None:
    assert verify(certificate(name)).accepted
    for claim, factor in (("dual", 1 + 1e-5), ("primal", 1 - 1e-5)):
        forged = copy.deepcopy(certificate(name))
        value = float.fromhex(forged["claimed"][claim]) * factor
        forged["claimed"][claim] = value.hex()
        assert f"claimed.{claim}" in verify(forged).reason


@pytest.mark.parametrize("name", OTHERS)
def test_other_multipliers_prove_no_more(name: str) -> None:
    """Larger, turned, or in part of another sign: out of the domain, or of a lower value."""
    rng = np.random.default_rng(1)
    true, best = certificate(name), float.fromhex(certificate(name)["claimed"]["dual"])
    Lambda = decoded(true["lower"]["multipliers"])
    for _ in range(30):
        wrong = Lambda * rng.choice([1 + 1e-3, 2.0, -1.0], size=(len(Lambda), 1))
        wrong += rng.choice([0, 1e-3]) * rng.normal(size=wrong.shape)
        forged = copy.deepcopy(true)
        forged["lower"]["multipliers"] = matrix(wrong)
        forged["claimed"]["dual"] = (best * (1 + 1e-4)).hex()
        assert not verify(forged).accepted


@pytest.mark.parametrize("name", OTHERS)
def test_another_loss_is_another_problem(name: str) -> None:
    true = certificate(name)
    said = verify(true).problem
    for other in NAMES:
        loss = loss_of(other)
        if str(loss) == str(loss_of(name)):
            continue
        stated: dict[str, Any] = {"kind": loss.name}
        if loss.parameter is not None:
            stated["parameter"] = loss.parameter.hex()
        verdict = verify(changed(name, loss=stated))
        assert not verdict.accepted or verdict.problem != said


@pytest.mark.parametrize(
    ("name", "entries", "reason"),
    [
        ("logistic", {"loss": {"kind": "log"}}, "problem.loss.kind is 'log'"),
        ("logistic", {"loss": "logistic"}, "problem.loss: the key 'kind' is missing"),
        ("logistic", {"loss": {"kind": "logistic", "weight": 2}}, "problem.loss has the key"),
        ("logistic", {"loss": {"kind": "logistic", "parameter": "0x1.0p+0"}}, "has no parameter"),
        ("huber", {"loss": {"kind": "huber"}}, "problem.loss.parameter is None"),
        ("huber", {"loss": {"kind": "huber", "parameter": "-0x1.0p+0"}}, "parameter is -1.0"),
        ("quantile", {"loss": {"kind": "quantile", "parameter": "0x1.0p+0"}}, "parameter is 1.0"),
        ("logistic", {"Y": matrix(np.zeros((5, 2)))}, "the labels -1 and 1"),
        ("cross-entropy", {"Y": matrix(-np.ones((5, 2)))}, "non-negative rows"),
        ("logistic", {"beta": None}, "interpolation is for the squared loss"),
    ],
)
def test_a_statement_that_is_none_is_refused(
    name: str, entries: dict[str, Any], reason: str
) -> None:
    assert reason in verify(changed(name, **entries)).reason


def test_squares_by_name_are_squares() -> None:
    """The key may be there: what it says is what its absence says."""
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(4, 2)), rng.normal(size=(4, 1))
    options: dict[str, Any] = {"activation": "relu", "architecture": "standard", "depth": 2}
    true = solve(Problem(X, Y, beta=0.1, **options), restarts=0).certificate
    assert "loss" not in true["problem"]
    said = copy.deepcopy(true)
    said["problem"]["loss"] = {"kind": "squared"}
    one, two = verify(true), verify(said)
    assert (one.primal, one.dual, one.problem) == (two.primal, two.dual, two.problem)
