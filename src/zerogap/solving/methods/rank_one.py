"""Rank-one data: D₁ = (‖y₊‖ + ‖y₋‖)/‖a‖ at every depth; for τ > 0 over two atoms (theory §6)."""

from functools import partial

import numpy as np

from zerogap.convex.columns import gauge
from zerogap.solving.evidence import RankOne
from zerogap.solving.methods.base import Given, Piece

NAME = "rank-one data"


def accepts(given: Given, tau: float | None) -> str | None:
    if given.problem.activation != "relu":
        return "the network is linear"
    if tau is None and not given.fit.plain:
        return "it has no output bias"
    return "X is not of rank one" if given.rank_one is None else None


def solve(given: Given, tau: float | None) -> Piece:
    data = given.rank_one
    assert data is not None
    a = data.a[:, None]
    evidence = partial(RankOne, data.c[:, None], a)
    if tau is not None:
        found = gauge(given.features, given.fit, tau)
        return Piece.of(found, evidence, "column generation")
    sides = [(sign, y) for sign, y in ((1.0, data.plus), (-1.0, data.minus)) if np.linalg.norm(y)]
    multipliers = data.multipliers()
    c = max(float(np.linalg.norm(multipliers.T @ np.maximum(s * data.c, 0))) for s in (1, -1))
    lower, multipliers = given.best_multiple(multipliers, c, tau)
    branches, weights = tuple((sign * a,) for sign, _ in sides), [y for _, y in sides]
    return Piece(lower, data.dual(), evidence(multipliers), branches, weights, "closed form")
