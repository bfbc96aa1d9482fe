"""What `solve` returns has been before the checker."""

import numpy as np
import pytest

from zerogap import Network, Problem, audit, solve, verify
from zerogap.checker import budget
from zerogap.solving.methods import base
from zerogap.solving.methods.base import Effort


def problem(beta: float | None = 0.1) -> Problem:
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(6, 2)), rng.normal(size=(6, 1))
    return Problem(X, Y, activation="relu", architecture="standard", depth=2, beta=beta)


def test_a_bracket_comes_with_the_verdict_on_its_certificate() -> None:
    bounds = solve(problem(), restarts=0)
    assert bounds.certified
    assert bounds.verdict is not None
    assert bounds.verdict.status == bounds.status == "zero"
    assert verify(bounds.certificate).dual == bounds.verdict.dual


def test_a_certificate_that_is_refused_is_not_called_certified(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(budget, "MAX_OPERATIONS", 1000)
    bounds = solve(problem(), restarts=0)
    assert not bounds.certified
    assert bounds.verdict is not None
    assert "budget" in bounds.verdict.reason
    assert bounds.primal > 0


def test_an_audit_comes_with_its_verdict() -> None:
    asked, rng = problem(), np.random.default_rng(1)
    network = Network(((rng.normal(size=(2, 4)), rng.normal(size=(4, 1))),), "relu")
    found = audit(asked, network)
    assert found.certified
    assert found.verdict.dual <= found.objective


def test_where_seconds_count_no_training_follows_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "MAX_VISITS", 0)
    bounds = solve(problem(), effort=Effort(gap=0.0, seconds=0.5))
    assert bounds.primal_method != "training"
    assert bounds.certified
    assert bounds.relative_gap > 1e-6
