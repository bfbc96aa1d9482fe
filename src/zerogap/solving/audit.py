"""How far a trained network provably is from the global optimum of its own training problem."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from zerogap.checker.check import Verdict
from zerogap.model import clock
from zerogap.model.bounds import Bounds, relative
from zerogap.model.clock import Progress
from zerogap.model.errors import DataError
from zerogap.model.network import Network
from zerogap.model.problem import Problem
from zerogap.solving.bidual import Bidual
from zerogap.solving.bracket import Candidate, assemble
from zerogap.solving.certificates import require_provable
from zerogap.solving.constructions import constructions, primal_theorem
from zerogap.solving.methods.base import Effort
from zerogap.solving.proving import fitting, proved, require_seconds

# Of the verdict.
_TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class Audit:
    """objective of the network, a lower bound on the optimum, the certificate of both, and what the
    checker says of it.

    best: the lowest objective of a network that this package builds, or the network's own.
    """

    objective: float
    lower: float
    lower_method: str
    best: float
    best_method: str
    certificate: dict[str, Any] = field(repr=False)
    verdict: Verdict = field(repr=False)

    @property
    def certified(self) -> bool:
        """Whether the checker accepted the certificate."""
        return self.verdict.accepted

    @property
    def gap(self) -> float:
        """How far above the optimum the network is at most."""
        return self.objective - self.lower

    @property
    def relative_gap(self) -> float:
        """gap / objective."""
        return relative(self.gap, self.objective)


def audit(
    problem: Problem,
    network: Network,
    *,
    gap: float | None = None,
    seconds: float | None = None,
    progress: Callable[[Progress], Any] | None = None,
) -> Audit:
    """Bound the optimum of `problem` (beta > 0) from below and compare a trained network with it.

    gap, seconds, progress: as in `solve`. For standard ReLU networks of depth 3 or more the bound
    is the parallel network's, which may be below the standard optimum (theory §1). Raises
    DataError if the network does not fit.
    """
    if problem.beta is None:
        raise DataError("an audit needs beta: a trained network only fits its targets")
    network = fitting(problem, network)
    require_seconds(seconds)
    require_provable(problem)
    effort = Effort.of(_TOLERANCE, gap)
    theorem = primal_theorem(problem)
    given = Candidate(network, "given")
    known: list[Candidate] = [given]

    def finish(dual: Bidual) -> Bounds:
        known.extend(constructions(problem, dual))
        return assemble(problem, dual, [given], theorem, _TOLERANCE)

    with clock.watched(progress), clock.within(seconds):
        bounds = proved(problem, effort, _TOLERANCE, network, finish)
    best = min(known, key=lambda candidate: candidate.network.objective(problem))
    assert bounds.verdict is not None
    return Audit(
        objective=bounds.primal,
        lower=max(bounds.dual, bounds.primal_lower),
        lower_method=bounds.dual_method,
        best=best.network.objective(problem),
        best_method=best.method,
        certificate=bounds.certificate,
        verdict=bounds.verdict,
    )
