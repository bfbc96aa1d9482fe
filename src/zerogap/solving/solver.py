"""Bracket the global optimum of a training problem: a network above, a certificate below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from zerogap.model.bounds import Bounds, relative, require_tolerance, verdict
from zerogap.model.errors import MethodError, ProblemError
from zerogap.model.problem import Problem
from zerogap.solving.certificates import build, require_provable
from zerogap.solving.constructions import Candidate, Theorem, constructions, primal_theorem
from zerogap.solving.dual import Bidual, Effort, bidual

# More training runs than this do not fit in memory.
MAX_RESTARTS = 4096

if TYPE_CHECKING:
    from zerogap.convex.search import Search


def solve(
    problem: Problem,
    *,
    tolerance: float = 1e-6,
    seed: int = 0,
    restarts: int = 16,
    effort: Effort | None = None,
    proof: Search | None = None,
) -> Bounds:
    """Bracket the optimum of `problem` and judge its gap.

    Upper bound: the best of the networks that theory constructs and, only where none of them is
    known to be optimal, of `restarts` training runs seeded by `seed` (0: no training). Lower
    bound: the dual, re-evaluated independently of the solver. tolerance: relative, of the verdict.
    effort: when to stop on problems too large for exact methods. proof: what the certificate
    says of the primal from below, by `search`, in the place of a theorem.
    Raises ProblemError on options out of range, and MethodError where no network was found.
    """
    require_tolerance(tolerance)
    for name, value, accepted in (
        ("seed", seed, range(-(2**63), 2**63)),
        ("restarts", restarts, range(MAX_RESTARTS + 1)),
    ):
        if type(value) is not int or value not in accepted:
            raise ProblemError(
                f"{name} is {value!r}; accepted is a whole number from {accepted[0]} to "
                f"{accepted[-1]}"
            )
    require_provable(problem)
    dual = bidual(problem, effort)
    theorem = primal_theorem(problem)
    candidates = constructions(problem, dual)
    lower = max(dual.lower, theorem.value if theorem else -np.inf)
    best = min((c.network.objective(problem) for c in candidates), default=np.inf)
    # Without any construction the gap is not a number, and training is needed all the more.
    if restarts > 0 and not relative(best - lower, best) <= tolerance:
        from zerogap.training import TrainingOptions, train

        trained = train([problem], [seed], TrainingOptions(restarts=restarts))[0]
        if np.isfinite(trained.value):
            candidates.append(Candidate(trained.network, "training"))
    return assemble(problem, dual, candidates, proof or theorem, tolerance)


def assemble(
    problem: Problem,
    dual: Bidual,
    candidates: list[Candidate],
    theorem: Theorem | Search | None,
    tolerance: float = 1e-6,
    identity: dict[str, str] | None = None,
    module: bool = True,
) -> Bounds:
    """Choose the best network and put both sides, the verdict and the certificate together.

    module: whether to wrap the network as a torch module (costs the import of torch).
    """
    if not candidates:
        raise MethodError("no network interpolates within reach: allow training (restarts > 0)")
    values = [candidate.network.objective(problem) for candidate in candidates]
    # Theory's networks come first: training that only ties with them to rounding is not better.
    best = next(i for i, v in enumerate(values) if v <= min(values) * (1 + 1e-9))
    network, primal = candidates[best].network, float(values[best])
    primal_lower = max(dual.lower, theorem.value if theorem else -np.inf)
    exact_primal = theorem.value if theorem and theorem.exact else None
    if exact_primal is None and relative(primal - dual.lower, primal) <= tolerance:
        exact_primal = dual.lower
    status = verdict(primal, dual.lower, primal_lower, dual.upper, tolerance)
    gap: dict[str, Any] | None = None
    if status == "positive" and theorem is not None and dual.network is not None:
        gap = {**theorem.gap, "bidual": dual.network}
    certificate = build(
        problem,
        network,
        dual.evidence,
        gap=gap,
        claimed={
            "primal": primal,
            "dual": dual.lower,
            "primal_lower": primal_lower if gap else None,
            "dual_upper": dual.upper if gap else None,
        },
        id=identity,
    )
    return Bounds(
        primal=primal,
        dual=dual.lower,
        primal_method=candidates[best].method,
        dual_method=dual.method,
        status=status,
        network=network.to_torch() if module else None,
        certificate=certificate,
        exact_primal=exact_primal,
        exact_dual=dual.lower if dual.closed else None,
        primal_lower=primal_lower,
        dual_upper=dual.upper,
    )
