"""Positive gaps: what is proved below the primal, and a parallel network above the dual."""

from typing import Any

import numpy as np
from flint import arb

from zerogap.checker.balls import Refused, balls, frobenius, up
from zerogap.checker.kernel import kernel_primal
from zerogap.checker.reading import branches_of, get, matrix
from zerogap.checker.search import scaled_primal
from zerogap.checker.statement import Statement
from zerogap.checker.theorems import THEOREMS
from zerogap.checker.upper import fitted, scaled_value


def gap(statement: Statement, block: Any, primal: arb) -> tuple[arb, arb]:
    """(a lower bound on the primal, an upper bound on the dual value).

    primal: what a network attains, for theorems that need only argue about better ones.
    """
    s = statement
    if not isinstance(block, dict):
        raise Refused(f"gap is {block!r}; accepted is null or an object")
    if s.power or s.depth < 3:
        raise Refused("gap: primal bounds are for weight decay and depth 3 or more")
    if "kernel" in block:
        lower = _kernel(s, block["kernel"])
    else:
        lower = _search(s, block["search"]) if "search" in block else _theorem(s, block, primal)
    branches = branches_of(get(block, "bidual", "gap"), "gap.bidual")
    F, value = fitted(s, branches, "parallel", "gap.bidual"), s.scaled_total(scaled_value(branches))
    if s.beta is None:
        error = frobenius(F - balls(s.Y))
        if not error <= s.epsilon:
            raise Refused(f"gap.bidual: ‖f(X) − Y‖ is {up(error)!r}, more than epsilon")
        return lower, value
    # At any β the dual value is at most ℓ(f) + β (L/2) γ^{2/L}, γ the gauge of f(X), which is at
    # most the scaled value of a parallel f.
    return lower, s.loss.value(F, balls(s.Y)) + s.beta * value


def _theorem(statement: Statement, block: Any, primal: arb) -> arb:
    name = get(block, "theorem", "gap")
    theorem = THEOREMS.get(name) if isinstance(name, str) else None
    if theorem is None or not theorem.covers(statement):
        raise Refused(f"gap.theorem {name!r} does not cover this problem")
    return theorem.lower(statement, primal)


def _kernel(statement: Statement, block: Any) -> arb:
    s = statement
    if s.activation != "linear" or s.beta is None or s.loss.name != "squared":
        raise Refused("gap.kernel is for linear networks with beta and the squared loss")
    parts = (
        matrix(get(block, key, "gap.kernel"), f"gap.kernel.{key}") for key in ("splits", "leaves")
    )
    return kernel_primal(s.X, s.Y, s.depth, s.beta, *parts)


def _search(statement: Statement, block: Any) -> arb:
    s = statement
    if (s.activation, s.architecture, s.depth, s.beta) != ("relu", "standard", 3, None):
        raise Refused("gap.search is for interpolation by standard ReLU networks of depth 3")
    parts = (
        matrix(get(block, key, "gap.search"), f"gap.search.{key}")
        for key in ("data", "splits", "leaves")
    )
    kept = np.arange(len(s.X))
    if "samples" in block:
        # A network that fits all samples fits some of them.
        kept = matrix(block["samples"], "gap.search.samples").ravel()
        if not np.isin(kept, np.arange(len(s.X))).all() or not (np.diff(kept) > 0).all():
            raise Refused(
                f"gap.search.samples: accepted are numbers from 0 to {len(s.X) - 1} that increase"
            )
        kept = kept.astype(int)
    return s.scaled_total(scaled_primal(s.X[kept], s.Y[kept], s.epsilon, *parts))
