"""Both sides of a problem put together: the best network, the verdict and the certificate.

Nothing is computed here that a solver or training could change, so a stage that only assembles
depends on neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from zerogap.model.bounds import Bounds, PrimalBound, relative, verdict
from zerogap.model.errors import MethodError
from zerogap.model.network import Network
from zerogap.model.problem import Problem
from zerogap.solving.bidual import Bidual
from zerogap.solving.certificates import build


@dataclass(frozen=True, eq=False)
class Candidate:
    """A network that bounds P from above, and where it comes from."""

    network: Network
    method: str


def assemble(
    problem: Problem,
    dual: Bidual,
    candidates: list[Candidate],
    below: PrimalBound | None,
    tolerance: float = 1e-6,
    identity: dict[str, str] | None = None,
) -> Bounds:
    """Choose the best network and put both sides, the verdict and the certificate together.

    below: what is proved of the primal, by more than weak duality.
    """
    if not candidates:
        raise MethodError(
            "no network interpolates within reach: allow training (restarts > 0), or "
            "regularise (beta > 0)"
        )
    values = [candidate.network.objective(problem) for candidate in candidates]
    # Theory's networks come first: training that only ties with them to rounding is not better.
    best = next(i for i, v in enumerate(values) if v <= min(values) * (1 + 1e-9))
    network, primal = candidates[best].network, float(values[best])
    primal_lower = max(dual.lower, below.value if below else -np.inf)
    exact_primal = below.value if below and below.exact else None
    if exact_primal is None and relative(primal - dual.lower, primal) <= tolerance:
        exact_primal = dual.lower
    status = verdict(primal, dual.lower, primal_lower, dual.upper, tolerance)
    proof: dict[str, Any] | None = None
    # Elsewhere the dual bounds the primal as well as any theorem.
    differ = problem.regularizer == "weight_decay" and problem.depth > 2
    if differ and below is not None and dual.network is not None and status != "zero":
        proof = {**below.gap, "bidual": dual.network} if below.value > dual.lower else None
    certificate = build(
        problem,
        network,
        dual.evidence.record(),
        gap=proof,
        claimed={
            "primal": primal,
            "dual": dual.lower,
            "primal_lower": primal_lower if proof else None,
            "dual_upper": dual.upper if proof else None,
        },
        id=identity,
    )
    return Bounds(
        primal=primal,
        dual=dual.lower,
        primal_method=candidates[best].method,
        dual_method=dual.method,
        status=status,
        weights=network,
        certificate=certificate,
        exact_primal=exact_primal,
        exact_dual=dual.lower if dual.closed else None,
        primal_lower=primal_lower,
        dual_upper=dual.upper,
        methods=dual.methods,
        missing=_missing(problem, dual, primal, primal_lower) if status == "open" else "",
    )


def _missing(problem: Problem, dual: Bidual, primal: float, primal_lower: float) -> str:
    """What an open verdict lacks, in one line."""
    lacks = []
    if not np.isfinite(dual.upper):
        lacks.append("no network bounds the dual value from above")
    elif not dual.closed:
        width = relative(dual.upper - dual.lower, dual.upper)
        lacks.append(f"the dual value is known to {width:.1g} only")
    if problem.regularizer == "weight_decay" and problem.depth > 2:
        width = relative(primal - primal_lower, primal)
        alone = "" if primal_lower > dual.lower else ", from below by the dual alone"
        lacks.append(f"the optimum is known to {width:.1g} only{alone}")
    width = relative(primal - dual.lower, primal)
    return "; ".join(lacks) or f"the best network is {width:.1g} above the dual value"
