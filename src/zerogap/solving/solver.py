"""Bracket the global optimum of a training problem: a network above, a certificate below."""

from dataclasses import replace

import numpy as np

from zerogap.checker.check import verify
from zerogap.model.bounds import Bounds, PrimalBound, relative, require_tolerance
from zerogap.model.errors import ProblemError
from zerogap.model.problem import Problem
from zerogap.solving.bracket import Candidate, assemble
from zerogap.solving.certificates import require_provable
from zerogap.solving.constructions import constructions, primal_theorem
from zerogap.solving.dual import bidual
from zerogap.solving.methods.base import Effort

# More training runs than this do not fit in memory.
MAX_RESTARTS = 4096


def solve(
    problem: Problem,
    *,
    tolerance: float = 1e-6,
    seed: int = 0,
    restarts: int = 16,
    effort: Effort | None = None,
    proof: PrimalBound | None = None,
) -> Bounds:
    """Bracket the optimum of `problem` and judge its gap.

    Upper bound: the best of the networks that theory constructs and, only where none of them is
    known to be optimal, of `restarts` training runs seeded by `seed` (0: no training). Lower
    bound: the dual, which the checker proves again before it is returned (`Bounds.verdict`).
    tolerance: relative, of the verdict.
    effort: when to stop on problems too large for exact methods; with `seconds` no training follows
    where a network is at hand. proof: what the certificate says of the primal from below, by
    `search`, in the place of a theorem.
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
    # Without any construction the gap is not a number, and training is needed all the more. It
    # takes as long as it takes: where seconds count, only for want of any network.
    wanted = not candidates or effort is None or effort.seconds is None
    if restarts > 0 and wanted and not relative(best - lower, best) <= tolerance:
        # Only here, since it loads torch.
        from zerogap.training import TrainingOptions, train

        trained = train([problem], [seed], TrainingOptions(restarts=restarts))[0]
        if np.isfinite(trained.value):
            candidates.append(Candidate(trained.network, "training"))
    bounds = assemble(problem, dual, candidates, proof or theorem, tolerance)
    return replace(bounds, verdict=verify(bounds.certificate, tolerance))
