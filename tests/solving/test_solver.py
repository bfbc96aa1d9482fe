"""What `solve` returns has been before the checker."""

import numpy as np
import pytest

from zerogap import Network, Problem, audit, solve, verify
from zerogap.checker import budget, pricing
from zerogap.model import clock
from zerogap.solving.methods import base, path


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
    bounds = solve(problem(), gap=0.0, seconds=0.5)
    assert bounds.primal_method != "training"
    assert bounds.certified
    assert bounds.relative_gap > 1e-6


def test_weaker_evidence_is_used_where_the_checker_refuses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    exact = solve(problem())
    monkeypatch.setattr(pricing, "MAX_FACES", 1)
    weaker = solve(problem())
    assert exact.certificate["lower"]["kind"] == "faces"
    assert weaker.certificate["lower"]["kind"] == "moments"
    assert weaker.certified
    assert (
        dict(weaker.methods)["two layers over all faces"] == "the checker refused its certificate"
    )
    assert weaker.dual <= exact.dual * (1 + 1e-9)


@pytest.mark.parametrize("often", [1, 3, 10, 30, 100])
def test_whenever_time_is_up_there_is_a_certified_bracket(
    often: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time ends when the clock is asked for the n-th time."""
    asked, truth = {"times": 0}, solve(problem())

    def late() -> float:
        asked["times"] += 1
        return 0.0 if asked["times"] > often else 1.0

    monkeypatch.setattr(clock, "left", late)
    bounds = solve(problem(), seconds=1.0)
    assert bounds.certified
    assert bounds.dual <= truth.primal * (1 + 1e-9)
    assert bounds.primal >= truth.dual * (1 - 1e-9)


@pytest.mark.parametrize("often", [120, 150, 180, 200])
def test_what_was_told_of_the_dual_is_kept_when_time_is_up(
    often: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the midst of a round, too, whose leaves are priced by the path program."""
    rng, told, asked = np.random.default_rng(0), list[clock.Progress](), {"times": 0}
    X, Y = rng.normal(size=(7, 2)), rng.normal(size=(7, 1))
    kind = {"architecture": "parallel", "regularizer": "power", "depth": 3, "beta": 0.1}

    def late() -> float:
        asked["times"] += 1
        return 0.0 if asked["times"] > often else 1.0

    monkeypatch.setattr(clock, "left", late)
    bounds = solve(
        Problem(X, Y, activation="relu", **kind), seconds=1.0, restarts=0, progress=told.append
    )
    assert bounds.certified
    assert bounds.dual >= max(now.dual for now in told) * (1 - 1e-9)


def test_a_wide_gap_ends_the_work_early() -> None:
    told: list[clock.Progress] = []
    wide = solve(problem(), gap=0.5, progress=told.append)
    assert 1e-6 < wide.relative_gap <= 0.5
    assert told[-1].primal == pytest.approx(wide.primal)
    assert len(told) == 1
    solve(problem(), progress=told.append)
    assert len(told) > 2


@pytest.mark.parametrize(
    ("k", "depth", "seconds", "gap"),
    [(1, 3, None, 1e-3), (1, 4, None, 1e-3), (2, 4, None, 1e-3), (1, 3, 3.0, 0.2)],
)
def test_no_bracket_is_told_that_leaves_out_the_optimum(
    k: int, depth: int, seconds: float | None, gap: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three layers cost less here than two, with which the work begins."""
    rng, told = np.random.default_rng(0), list[clock.Progress]()
    X, Y = (rng.normal(size=(8, m))[: 9 - 2 * k] for m in (2, k))
    if seconds is not None:  # by layered moments
        monkeypatch.setattr(path, "MAX_LEAVES", 0)
    asked = Problem(
        X, Y, activation="relu", architecture="parallel", depth=depth, regularizer="power",
        beta=0.1 * float(np.linalg.norm(X.T @ Y)) / depth,
    )  # fmt: skip
    bounds = solve(asked, progress=told.append, restarts=0, gap=gap, seconds=seconds)
    assert told[-1].dual > 0
    assert all(now.dual <= bounds.primal * (1 + 1e-9) for now in told)
    assert all(now.primal >= bounds.dual * (1 - 1e-9) for now in told)


def test_answers_are_printed_without_their_proofs() -> None:
    asked = problem()
    bounds = solve(asked)
    assert len(repr(bounds)) < 500
    assert len(repr(audit(asked, bounds.weights))) < 300
