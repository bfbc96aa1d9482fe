"""How far a trained network provably is from the global optimum of its own training problem."""

from dataclasses import dataclass
from typing import Any

from zerogap.checker.check import Verdict, verify
from zerogap.model.bounds import relative
from zerogap.model.errors import DataError
from zerogap.model.network import Network
from zerogap.model.problem import Problem
from zerogap.solving.bracket import Candidate, assemble
from zerogap.solving.constructions import constructions, primal_theorem
from zerogap.solving.dual import bidual
from zerogap.solving.methods.base import Effort


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
    certificate: dict[str, Any]
    verdict: Verdict

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


def audit(problem: Problem, network: Network, effort: Effort | None = None) -> Audit:
    """Bound the optimum of `problem` (beta > 0) from below and compare a trained network with it.

    For standard ReLU networks of depth 3 or more the bound is the parallel network's, which may
    be below the standard optimum (theory §1). Raises DataError if the network does not fit.
    """
    if problem.beta is None:
        raise DataError("an audit needs beta: a trained network only fits its targets")
    _require_fit(problem, network)
    dual = bidual(problem, effort)
    theorem = primal_theorem(problem)
    bounds = assemble(problem, dual, [Candidate(network, "given")], theorem, module=False)
    known = [(c.network.objective(problem), c.method) for c in constructions(problem, dual)]
    best, method = min([(bounds.primal, "given"), *known], key=lambda pair: pair[0])
    lower = max(bounds.dual, bounds.primal_lower)
    certificate = bounds.certificate
    checked = verify(certificate)
    return Audit(bounds.primal, lower, bounds.dual_method, best, method, certificate, checked)


def _require_fit(problem: Problem, network: Network) -> None:
    if network.depth != problem.depth:
        raise DataError(f"the network has {network.depth} layers; the problem {problem.depth}")
    if problem.architecture == "standard" and len(network.branches) > 1:
        raise DataError(
            f"the network has {len(network.branches)} branches; a standard network has one "
            "(--architecture parallel)"
        )
    for j, branch in enumerate(network.branches):
        sizes = [problem.d, *[W.shape[1] for W in branch[:-1]], problem.k]
        for layer, W in enumerate(branch):
            if W.shape != (sizes[layer], sizes[layer + 1]):
                raise DataError(
                    f"layer {layer + 1} of branch {j} has shape {W.shape}; accepted is "
                    f"({sizes[layer]}, {sizes[layer + 1]}), inputs by outputs"
                )
        if problem.architecture == "parallel" and branch[-1].shape[0] != 1:
            raise DataError(
                f"branch {j} ends in {branch[-1].shape[0]} neurons; a branch of a parallel "
                "network ends in one"
            )
