"""One output in the plane at four layers, where path program and three layers differ (§5)."""

from __future__ import annotations

import numpy as np

from zerogap.convex.shared import DEPTH, Layered, shared_gauge
from zerogap.model.matrices import Array
from zerogap.solving.evidence import Shared, Tree
from zerogap.solving.methods import path
from zerogap.solving.methods.base import Given, Piece

NAME = "path program, one first layer"
MAX_SAMPLES = 8


def accepts(given: Given, tau: float | None) -> str | None:
    p = given.problem
    if p.depth != DEPTH or p.d != 2 or p.rank != 2 or p.n > MAX_SAMPLES:
        return f"it is for {DEPTH} layers and up to {MAX_SAMPLES} samples of rank two in the plane"
    return path.accepts(given, tau)


def solve(given: Given, tau: float | None) -> Piece:
    apart = path.solve(given, tau)
    if apart.relative_gap <= given.effort.relaxed or not isinstance(apart.evidence, Tree):
        return apart
    near = [_layered(branch) for branch in apart.branches]
    inner = apart.evidence.multipliers
    tolerance = max(given.effort.relaxed, 1e-5)
    found = shared_gauge(given.problem.X, given.fit, tau, inner, near, tolerance)
    if found is None:
        return apart

    def evidence(multipliers: Array) -> Shared:
        return Shared(multipliers, found.splits, found.mu, found.eta)

    return apart.joined(Piece.of(found, evidence, NAME))


def _layered(branch: tuple[Array, ...]) -> Layered:
    """With unit neurons up to the last hidden layer, which change nothing."""
    return Layered((*branch, *[np.ones((1, 1))] * (DEPTH - 1 - len(branch))))
