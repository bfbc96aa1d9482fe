"""Beyond enumeration: what the moment relaxation says is checked against exact programs."""

from __future__ import annotations

import numpy as np
import pytest

from zerogap import Problem, solve
from zerogap.checker import verify
from zerogap.convex import moments
from zerogap.convex.ascent import Ascent
from zerogap.convex.columns import gauge
from zerogap.convex.descent import descent
from zerogap.convex.moments import Moments, moment_bound
from zerogap.convex.oracles import Features
from zerogap.model import clock
from zerogap.model.fit import Fit
from zerogap.model.matrices import Array
from zerogap.solving.certificates import matrix
from zerogap.solving.methods import base


def data(n: int, d: int, k: int, seed: int = 0) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)), rng.normal(size=(n, k))


@pytest.mark.parametrize("k", [1, 2])
@pytest.mark.parametrize("share", [None, 0.2])
def test_the_bound_holds_and_is_not_vacuous(k: int, share: float | None) -> None:
    X, Y = data(10, 3, k)
    level = None if share is None else share * float(Features(X).price(Y, 0.0)[0][0])
    exact = gauge(Features(X), Fit(Y), level)
    found = moment_bound(X, Fit(Y), level, exact, steps=4000)
    assert found.lower <= exact.upper * (1 + 1e-9)
    assert found.lower >= 0.5 * exact.upper
    c = float(Features(X).price(found.multipliers, 0.0)[0][0])
    assert c <= (1.0 if level is None else level) * (1 + 1e-9)


@pytest.mark.parametrize("k", [1, 2])
def test_means_of_coarse_iterates_prove_as_much(k: int, monkeypatch: pytest.MonkeyPatch) -> None:
    X, Y = data(12, 3, k, seed=2)
    level = 0.3 * float(Features(X).price(Y, 0.0)[0][0])
    exact = gauge(Features(X), Fit(Y), level)
    fine = moment_bound(X, Fit(Y), level, exact, gap=1e-3, steps=2000)
    monkeypatch.setattr(moments, "_LARGE", 0)
    found = moment_bound(X, Fit(Y), level, exact, gap=1e-3, steps=2000)
    assert 0.99 * fine.lower <= found.lower <= exact.upper * (1 + 1e-9)


def test_splitting_closes_the_gap() -> None:
    X, Y = data(12, 4, 1, seed=3)
    level = 0.1 * float(Features(X).price(Y, 0.0)[0][0])
    exact = gauge(Features(X), Fit(Y), level)
    found = moment_bound(X, Fit(Y), level, exact, gap=1e-3, steps=60_000)
    assert exact.upper * (1 - 1e-3) <= found.lower <= exact.upper * (1 + 1e-9)
    assert len(found.blocks) > 2


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("level", [None, 0.5])
def test_the_bound_scales_and_does_not_depend_on_the_frame(k: int, level: float | None) -> None:
    X, Y = data(8, 3, k)
    rotation = np.linalg.qr(np.random.default_rng(5).normal(size=(3, 3)))[0]
    order = np.random.default_rng(6).permutation(8)

    def bound(X: Array, Y: Array, level: float | None) -> Moments:
        return moment_bound(X, Fit(Y), level, gauge(Features(X), Fit(Y), level), gap=0.0, steps=600)

    plain = bound(X, Y, level).lower
    # Which small multipliers are dropped depends on rounding, and costs a hundredth of the gap.
    assert bound((X @ rotation)[order], Y[order], level).lower == pytest.approx(plain, rel=1e-4)
    if level is None:
        assert bound(2 * X, 3 * Y, None).lower == pytest.approx(plain * 1.5, rel=1e-6)
    else:
        assert bound(2 * X, 2 * Y, 4 * level).lower == pytest.approx(4 * plain, rel=1e-6)


@pytest.mark.parametrize("k", [1, 2])
def test_ascent_finds_the_best_atom_and_a_good_network(k: int) -> None:
    X, Y = data(15, 3, k)
    best = float(Features(X).price(Y, 0.0)[0][0])
    values, atoms = Ascent(X).price(Y, 0.9 * best)
    assert 0.999 * best <= values[0] <= best * (1 + 1e-12)
    assert np.linalg.norm(Y.T @ atoms.V, axis=0) == pytest.approx(values)
    exact, found = gauge(Features(X), Fit(Y), 0.1 * best), gauge(Ascent(X), Fit(Y), 0.1 * best)
    assert found.lower == -np.inf
    assert exact.upper * (1 - 1e-9) <= found.upper <= exact.upper * 1.01


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """No arrangement is small enough to visit."""
    monkeypatch.setattr(base, "MAX_VISITS", 0)


def problem(k: int, beta: float | None) -> Problem:
    X, Y = data(9, 3, k, seed=1)
    return Problem(X, Y, activation="relu", architecture="standard", depth=2, beta=beta)


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize(("k", "beta"), [(1, 0.3), (1, None), (2, 0.3), (2, None)])
def test_a_large_problem_is_bracketed_and_its_bracket_proved(k: int, beta: float | None) -> None:
    bounds = solve(problem(k, beta), restarts=0, gap=0.05)
    assert bounds.dual_method == "moment relaxation"
    verdict = verify(bounds.certificate)
    assert verdict.accepted, verdict.reason
    assert verdict.dual >= bounds.dual * (1 - 1e-7)
    assert bounds.dual <= bounds.primal


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize(("k", "beta"), [(1, 0.3), (2, 0.7)])
def test_pairs_are_kept_as_the_few_float32_numbers_that_they_are(k: int, beta: float) -> None:
    blocks = solve(problem(k, beta), gap=0.1, restarts=0).certificate["lower"]["blocks"]
    assert all(set(block["pairs"]) == {"shape", "at", "data"} for block in blocks)


@pytest.mark.usefixtures("large")
def test_tampered_blocks_are_refused() -> None:
    bounds = solve(problem(1, 0.3), restarts=0, gap=1e-6)
    lower = bounds.certificate["lower"]
    blocks = lower["blocks"]
    assert len(blocks) > 2
    dropped = {**lower, "blocks": blocks[1:]}
    sides = matrix(np.ones(9))
    narrowed = {**lower, "blocks": [{**blocks[0], "sides": sides}, *blocks[1:]]}
    swapped = {**lower, "blocks": [{**block, "sign": -block["sign"]} for block in blocks]}
    empty = {**lower, "blocks": []}
    negative = {**lower, "scale": (-1.0).hex()}
    flat = {**lower, "level": (0.0).hex()}
    huge = {**blocks[0], "trace": (1e300).hex()}
    for tampered in (
        *(dropped, narrowed, swapped, empty, negative, flat),
        {**lower, "blocks": [huge, *blocks[1:]]},
        {**lower, "blocks": [{**blocks[0], "pairs": matrix(np.zeros((18, 18)))}, *blocks[1:]]},
    ):
        assert not verify({**bounds.certificate, "lower": tampered}).accepted


def test_seconds_limit_the_search() -> None:
    X, Y = data(30, 6, 1)
    above = descent(X, Fit(Y), 1.0)
    with clock.within(0.0):
        found = moment_bound(X, Fit(Y), 1.0, above, gap=0.0, steps=10**9)
    assert len(found.blocks) == 2


@pytest.mark.parametrize("beta", [None, 0.5])
def test_the_evidence_holds_in_other_units(beta: float | None) -> None:
    X, Y = data(18, 8, 1)
    size = 2.0**13
    options = {"activation": "relu", "architecture": "parallel", "depth": 2}
    values = []
    for factor in (1.0, size):
        problem = Problem(X * factor, Y, beta=beta and beta * factor, **options)
        found = solve(problem, gap=0.5, restarts=0)
        assert found.dual_method == "moment relaxation"
        assert verify(found.certificate).accepted
        values.append(found.dual * (1.0 if beta else factor))
    assert values[1] == pytest.approx(values[0], rel=2e-2)
