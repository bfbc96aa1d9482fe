"""Bracket the global optimum of a training problem: a network above, a certificate below."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from zerogap.model import clock
from zerogap.model.bounds import Bounds, PrimalBound, relative, require_tolerance
from zerogap.model.clock import Progress
from zerogap.model.errors import ProblemError
from zerogap.model.network import Network
from zerogap.model.problem import Problem
from zerogap.solving.bidual import Bidual
from zerogap.solving.bracket import Candidate, assemble
from zerogap.solving.certificates import require_provable
from zerogap.solving.constructions import constructions, known_of
from zerogap.solving.methods.base import Effort
from zerogap.solving.proving import PRIMAL_SHARE, fitting, proved, require_seconds
from zerogap.training import TrainingOptions, train

_TRAINED = "training"
# Targets in all up to which networks are trained from random starts: if there is another, and at
# all, since the Jacobians of all restarts must fit in memory.
_SMALL, _LARGE = 100, 1_000
# More training runs than this do not fit in memory.
MAX_RESTARTS = 4096


def solve(
    problem: Problem,
    *,
    tolerance: float = 1e-6,
    gap: float | None = None,
    seconds: float | None = None,
    progress: Callable[[Progress], Any] | None = None,
    seed: int = 0,
    restarts: int = 16,
    start: Network | None = None,
    proof: PrimalBound | None = None,
) -> Bounds:
    """Bracket the optimum of `problem` and judge its gap.

    Upper bound: the best of the networks that theory constructs and, only where none of them is
    known to be optimal, of `restarts` training runs seeded by `seed` (0: no training). Lower
    bound: the dual, which the checker proves again before it is returned (`Bounds.verdict`).

    tolerance: relative, of the verdict; exact methods go a little beyond. gap: a relative gap that
    is narrow enough; by default methods that cannot close it stop at 1e-3. seconds: for all of it,
    the checker included; by default all that is needed, so that results are the same on every
    machine. progress: told of the bracket so far. start: a network to begin with and to be no worse
    than. proof: what the certificate says of the primal
    from below, by `search`, in the place of a theorem.

    Raises ProblemError on options out of range, DataError if `start` does not fit, and MethodError
    where no network was found.
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
    require_seconds(seconds)
    require_provable(problem)
    effort = Effort.of(tolerance, gap)
    candidates: list[Candidate] = []
    if start is not None:
        start = fitting(problem, start)
        if problem.beta is not None:
            candidates.append(Candidate(start, "given"))

    def finish(dual: Bidual) -> Bounds:
        candidates.extend(constructions(problem, dual))
        lower = max(dual.lower, theorem.value if theorem else -np.inf)
        best = min((c.network.objective(problem) for c in candidates), default=np.inf)
        # Without any construction the gap is not a number, and training is needed all the more. Two
        # layers have been trained, by more than gradients, where they have not been solved; random
        # starts of networks for many targets take minutes.
        closed = relative(best - lower, best) <= max(tolerance, gap or 0.0)
        again = any(candidate.method == _TRAINED for candidate in candidates)
        small = problem.Y.size <= _SMALL and not (again or clock.late())
        wanted = problem.depth > 2 and small if candidates else problem.Y.size <= _LARGE
        if restarts > 0 and wanted and not closed and problem.reduced.plain:
            found = train([problem.reduced], [seed], TrainingOptions(restarts=restarts))[0]
            if np.isfinite(found.value):
                candidates.append(Candidate(found.network, _TRAINED))
        return assemble(problem, dual, candidates, theorem, tolerance)

    with clock.watched(progress), clock.within(seconds):
        with clock.within(PRIMAL_SHARE * clock.left()):
            theory = known_of(problem)
        candidates.extend(theory.candidates)
        theorem = proof or theory.bound
        return proved(problem, effort, tolerance, start, finish)


def solve_path(
    problem: Problem, betas: Sequence[float | None], *, seconds: float | None = None, **options: Any
) -> Iterator[Bounds]:
    """The brackets at several beta, each from the network of the one before.

    betas: best in falling order, since networks grow. seconds: for all of them. options: of
    `solve`.
    """
    require_seconds(seconds)
    end = None if seconds is None else clock.now() + seconds
    for i, beta in enumerate(betas):
        # The least is for the first network at all.
        share = end and max(1e-3, end - clock.now()) / (len(betas) - i)
        bounds = solve(replace(problem, beta=beta), seconds=share, **options)
        options["start"] = bounds.weights
        yield bounds
