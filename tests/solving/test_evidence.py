"""Contract tests over every registered kind of evidence and every method."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import zerogap
from tests.checker.examples import cut
from zerogap.checker import verify
from zerogap.model.matrices import Array
from zerogap.model.problem import Problem
from zerogap.replication.records import read_batch, write_batch
from zerogap.solving import dual
from zerogap.solving.bidual import Bidual
from zerogap.solving.bracket import Candidate, assemble
from zerogap.solving.certificates import build
from zerogap.solving.constructions import known_of
from zerogap.solving.evidence import KINDS, Evidence, Levels, Outputs, Tree
from zerogap.solving.methods import METHODS, base, columns, path
from zerogap.solving.methods.base import Effort, Given

PARALLEL = {"architecture": "parallel", "regularizer": "power"}
OPTIONS: dict[str, dict[str, Any]] = {
    "linear": dict(n=4, d=3, k=2, depth=3, activation="linear", beta=0.1, **PARALLEL),
    "faces": dict(n=4, d=2, k=2, depth=2),
    "cones": dict(n=5, d=3, k=1, depth=2),
    "moments": dict(n=5, d=3, k=1, depth=2),
    "layers": dict(n=4, d=2, k=1, depth=3, beta=0.2, **PARALLEL),
    "tree": dict(n=3, d=2, k=1, depth=4, **PARALLEL),
    "shared": dict(n=3, d=2, k=1, depth=4, **PARALLEL),
    "cover": dict(n=3, d=2, k=2, depth=3, **PARALLEL),
    "rank-one": dict(n=4, d=2, k=2, depth=3),
    "whitened": dict(n=3, d=4, k=2, depth=2),
    "outputs": dict(n=3, d=2, k=2, depth=4, **PARALLEL),
    "shifts": dict(n=4, d=2, k=2, depth=2, beta=0.2, bias="free"),
    "levels": dict(n=3, d=2, k=1, depth=3, beta=0.1),
}


@pytest.fixture(autouse=True)
def limits(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too many faces to visit where the moments are wanted, or to prove by where cones are."""
    name = request.node.callspec.params.get("kind") if hasattr(request.node, "callspec") else None
    if name in ("moments", "layers"):
        monkeypatch.setattr(base, "MAX_VISITS", 0)
    if name == "cones":
        monkeypatch.setattr(columns, "MAX_FACES", 0)


@cache
def solved(kind: str) -> tuple[Problem, Bidual]:
    """A problem whose bidual is proved by evidence of a kind."""
    options = {"activation": "relu", "architecture": "standard"} | OPTIONS[kind]
    n, d, k = (options.pop(key) for key in ("n", "d", "k"))
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(n, d)), rng.normal(size=(n, k))
    if kind == "cones":
        X[:, 2] = X[:, 0] - 2 * X[:, 1]
    if kind == "rank-one":
        X = np.outer([1.0, -2, 3, -1], [1.0, 0.5])
        Y = np.maximum(X[:, :1], 0) * [1.0, 2] + np.maximum(-X[:, :1], 0) * [2.0, -1]
    if kind == "whitened":
        X = np.linalg.qr(X.T)[0].T
    problem = Problem(X, Y, **options)
    effort = Effort(relaxed=0.2 if kind == "layers" else 0.05)
    found = dual.bidual(problem, effort)
    if kind == "shared":  # nothing asks for it on three samples
        assert isinstance(found.evidence, Tree)
        found = replace(found, evidence=cut(X, found.evidence.multipliers))
    return problem, found


def proved(problem: Problem, found: Bidual, evidence: Evidence) -> float:
    """The dual value that the checker proves with some evidence, for the bidual's network."""
    assert found.network is not None
    problem = replace(problem, architecture="parallel")
    value = found.network.objective(problem)
    claimed = {"primal": value, "dual": 0.0}
    verdict = verify(build(problem, found.network, evidence.record(), claimed=claimed))
    assert verdict.accepted, verdict.reason
    return verdict.dual


def same(a: Any, b: Any) -> bool:
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(np.array_equal(a, b))


def test_every_kind_has_an_example() -> None:
    assert KINDS.keys() == OPTIONS.keys()


@pytest.mark.parametrize("kind", OPTIONS)
def test_a_record_gives_the_same_bidual_back(kind: str, tmp_path: Any) -> None:
    _, found = solved(kind)
    assert found.evidence.kind == kind
    bound = SimpleNamespace(**found.record())
    write_batch(tmp_path / "batch.npz", [bound], "solve-dual")
    (stored,) = read_batch(tmp_path / "batch.npz", dict)
    again = Bidual.of(stored)
    assert type(again.evidence) is type(found.evidence)
    assert same(again.evidence.record(), found.evidence.record())
    assert (again.methods, again.failures) == (found.methods, found.failures)


@pytest.mark.parametrize("kind", OPTIONS)
def test_evidence_for_a_multiple_proves_the_same_value(kind: str) -> None:
    problem, found = solved(kind)
    value = proved(problem, found, found.evidence)
    assert value == pytest.approx(found.lower, rel=1e-6)
    for factor in (2.0**-7, 0.375, 5.0):  # of few digits, so that sums of zero stay so
        # The checker scales Λ as is best, so its length does not matter.
        assert proved(problem, found, found.evidence * factor) == pytest.approx(value, rel=1e-9)


@pytest.mark.parametrize("kind", OPTIONS)
@pytest.mark.parametrize("size", [2.0**11, 0.3])
def test_stretched_evidence_proves_the_stretched_problem(kind: str, size: float) -> None:
    problem, found = solved(kind)
    value = proved(problem, found, found.evidence)
    degree = 1.0 if problem.regularizer == "power" else 2 / problem.depth
    beta = problem.beta and problem.beta * size**degree
    stretched = replace(problem, X=problem.X * size, beta=beta)
    network = found.network and found.network.on(size, problem.first_bias == "free")
    there = proved(stretched, replace(found, network=network), found.evidence.stretched(size))
    assert there == pytest.approx(value * (1.0 if beta else size**-degree), rel=1e-7)


def multipliers(evidence: Evidence) -> list[Array]:
    """Every Λ of some evidence."""
    pieces = evidence.evidence if isinstance(evidence, Levels) else (evidence,)
    return [piece.Lambda for piece in pieces]


@pytest.mark.parametrize("kind", OPTIONS)
def test_scaling_laws(kind: str) -> None:
    _, found = solved(kind)
    evidence = found.evidence
    for one, two in zip(multipliers(evidence * 3.0), multipliers(evidence), strict=True):
        assert one == pytest.approx(3 * two)
    for one, two in zip(multipliers(evidence.stretched(3.0)), multipliers(evidence), strict=True):
        assert np.array_equal(one, two)
    assert same((evidence * 4.0 * 0.25).record(), evidence.record())
    assert same((evidence.stretched(4.0)).stretched(0.25).record(), evidence.record())
    assert same((evidence * 2.0).stretched(4.0).record(), (evidence.stretched(4.0) * 2.0).record())


def test_evidence_of_one_output_is_that_of_all() -> None:
    problem, found = solved("outputs")
    assert isinstance(found.evidence, Outputs)
    Lambda = found.evidence.Lambda
    assert Lambda.shape == problem.Y.shape and np.linalg.matrix_rank(Lambda) == 1
    assert np.sum(Lambda * problem.Y) == pytest.approx(found.lower / problem.depth * 2)


@pytest.mark.parametrize("kind", OPTIONS)
def test_a_method_accepts_or_says_why_not_in_a_line(kind: str) -> None:
    problem, found = solved(kind)
    for tau in (None, 0.1):
        reasons = [method.accepts(Given(problem, Effort()), tau) for method in METHODS]
        assert reasons[-1] is None
        assert all(reason is None or (reason and "\n" not in reason) for reason in reasons)
    names = [method.NAME for method in METHODS]
    assert len(set(names)) == len(names)
    asked, happened = zip(*found.methods, strict=True)
    assert asked == tuple(name for name in names if name in asked)
    assert happened[-1] == "used"


def test_what_was_passed_over_and_why_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    X, Y = np.eye(2) + 0.1, np.array([[1.0], [-1.0]])
    problem = Problem(X, Y, activation="relu", architecture="parallel", depth=3)
    bounds = zerogap.solve(problem, restarts=0)
    methods = dict(bounds.methods)
    assert methods["linear map"] == "the network is not linear"
    assert methods["path program"] == "used"
    monkeypatch.setattr(path, "MAX_LEAVES", 1)
    bounds = zerogap.solve(problem, restarts=0, gap=0.5)
    assert (
        dict(bounds.methods)["path program"]
        == "the path program of 2 samples has more than 1 leaves"
    )
    assert bounds.dual_method == "layered moments"


def test_a_method_that_fails_gives_way_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> Any:
        raise ArithmeticError("no")

    monkeypatch.setattr(columns, "gauge", fails)
    X, Y = np.random.default_rng(0).normal(size=(2, 4, 2))
    problem = Problem(X, Y, activation="relu", architecture="parallel", depth=2, beta=0.5)
    found = dual.bidual(problem, Effort(relaxed=0.1))
    assert found.method == "moment relaxation"
    assert found.failures == ("dual: ArithmeticError: no",)
    assert dict(found.methods)["two layers over all faces"] == "dual: ArithmeticError: no"


def test_the_public_names_are_what_they_say() -> None:
    for name in zerogap.__all__:
        assert callable(getattr(zerogap, name))
    assert zerogap.audit.__module__ == "zerogap.trained.audit"
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        zerogap.nothing  # noqa: B018


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("regularizer", ["power", "weight_decay"])
def test_what_a_theorem_says_is_accepted_whatever_network_is_above(
    regularizer: str, seed: int
) -> None:
    """A network that is not the best leaves a bracket open, and its certificate true."""
    X, Y = np.random.default_rng(seed).normal(size=(2, 6, 3))
    problem = Problem(
        np.linalg.qr(X)[0], Y, activation="linear", architecture="parallel", depth=3,
        regularizer=regularizer, beta=0.3,
    )  # fmt: skip
    found = dual.bidual(problem, Effort())
    assert found.network is not None
    worse = Candidate(found.network.on(1.5), "worse")
    bounds = assemble(problem, found, [worse], known_of(problem).bound)
    verdict = verify(bounds.certificate)
    assert bounds.status != "zero"
    assert verdict.accepted, verdict.reason
