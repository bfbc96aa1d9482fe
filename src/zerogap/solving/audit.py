"""How far a trained network provably is from the global optimum of its own training problem."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from zerogap.checker.check import Verdict
from zerogap.model import clock
from zerogap.model.bounds import Bounds, inputs, relative
from zerogap.model.clock import Progress
from zerogap.model.errors import DataError
from zerogap.model.network import Network
from zerogap.model.problem import Problem
from zerogap.solving.bidual import Bidual
from zerogap.solving.bracket import Candidate, assemble
from zerogap.solving.certificates import require_provable
from zerogap.solving.constructions import constructions, known_of
from zerogap.solving.methods.base import Effort
from zerogap.solving.proving import PRIMAL_SHARE, fitting, proved, require_seconds

if TYPE_CHECKING:
    import torch

# Of the verdict.
_TOLERANCE = 1e-6
# A relative gap below which there is nothing to be gained.
_SETTLED = 1e-3


@dataclass(frozen=True, eq=False)
class Audit:
    """How far a network is from the best, the proof, and what the checker says of it.

    objective: loss + penalty of the network; lower: a proved lower bound on the optimum, of any
    width. best: the lowest objective of a network that is known, that of `weights`: the network's
    own, or one that was found on the way. width: neurons in the network's first hidden layer.
    rounding: how far the rounding of the type that it was trained in, such as float32, can move
    the loss at most, in any order of summation. notes: what else is to be said, a sentence each.
    before: what turns data into the inputs of `weights`, a torch module.
    """

    objective: float
    loss: float
    penalty: float
    lower: float
    lower_method: str
    best: float
    best_method: str
    width: int
    weights: Network = field(repr=False)
    certificate: dict[str, Any] = field(repr=False)
    verdict: Verdict = field(repr=False)
    rounding: float | None = None
    notes: tuple[str, ...] = ()
    before: Any = field(default=None, repr=False)

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

    @cached_property
    def better(self) -> torch.nn.Module:
        """The best network that is known, as a torch module in float64, on the same inputs."""
        from torch import nn

        from zerogap.model.module import as_module, in_float64

        module = as_module(self.weights, inputs(self.certificate))
        if self.before is not None:
            module = nn.Sequential(self.before, module)
            module.register_forward_pre_hook(in_float64)
        return module

    def __str__(self) -> str:
        return "\n".join(words(self))


def words(audit: Audit) -> list[str]:
    """The answer in the words a person uses, a line each."""
    said = [f"objective    {audit.objective:.9g}"]
    said[0] += f"   (loss {audit.loss:.6g} + penalty {audit.penalty:.6g})"
    if audit.rounding is not None:
        said[0] += f", to {audit.rounding:.1g} in its own rounding"
    said.append(f"optimum      at least {audit.lower:.9g}   ({audit.lower_method})")
    better = audit.best < audit.objective * (1 - 1e-9)
    if better:
        less = _percent(audit.objective - audit.best, audit.objective)
        size = f"{_carriers(audit.weights)} neurons, {audit.best_method}"
        said.append(f"better       {audit.best:.9g}   ({size}): {less} lower than yours")
    above = _percent(audit.gap, audit.lower)
    said.append(f"your network is at most {above} above the best network of any width")
    if better:
        certain = _percent(audit.objective - audit.best, audit.lower)
        unknown = _percent(audit.best - audit.lower, audit.lower)
        said.append(f"of which {certain} is the network's for certain, and {unknown} is not known")
    said.append(f"to try       {_advice(audit)}")
    said += [f"note         {note}" for note in audit.notes]
    why = "yes" if audit.certified else f"no: {audit.verdict.reason}"
    said.append(f"certified    {why}")
    return said


def _percent(part: float, whole: float) -> str:
    share = 100 * relative(max(part, 0.0), whole)
    return f"{share:.2g} %" if share < 100 else f"{share:.0f} %"


def _advice(audit: Audit) -> str:
    """What would help most."""
    own, unknown = audit.objective - audit.best, audit.best - audit.lower
    if audit.relative_gap <= _SETTLED:
        return "nothing: it is the best there is"
    if own <= unknown:
        return "more seconds, which may prove more; the network may be the best there is"
    if _carriers(audit.weights) > audit.width:
        return (
            f"a wider network ({_carriers(audit.weights)} neurons instead of {audit.width}), or "
            "start from the better one (`Audit.better`)"
        )
    return "more epochs or another start: a better one is no wider (`Audit.better`)"


def _carriers(network: Network) -> int:
    """How many neurons of the first layer carry 99 % of the products of their norms."""
    sizes = np.concatenate([
        np.linalg.norm(first, axis=0) * np.linalg.norm(second, axis=1)
        for first, second, *_ in network.branches
    ])  # fmt: skip
    shares = np.cumsum(np.sort(sizes)[::-1])
    return int(np.searchsorted(shares, 0.99 * shares[-1]) + 1) if shares[-1] > 0 else 0


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
    given = Candidate(network, "given")
    known: list[Candidate] = [given]

    def finish(dual: Bidual) -> Bounds:
        known.extend(constructions(problem, dual))
        return assemble(problem, dual, [given], theory.bound, _TOLERANCE)

    with clock.watched(progress), clock.within(seconds):
        with clock.within(PRIMAL_SHARE * clock.left()):
            theory = known_of(problem)
        known.extend(theory.candidates)
        bounds = proved(problem, effort, _TOLERANCE, network, finish)
    best = min(known, key=lambda candidate: candidate.network.objective(problem))
    assert bounds.verdict is not None
    loss = problem.fit.loss.value(network.outputs(problem.X), problem.Y)
    return Audit(
        objective=bounds.primal,
        loss=loss,
        penalty=bounds.primal - loss,
        lower=max(bounds.dual, bounds.primal_lower),
        lower_method=bounds.dual_method,
        best=best.network.objective(problem),
        best_method=best.method,
        width=network.width,
        weights=best.network,
        certificate=bounds.certificate,
        verdict=bounds.verdict,
    )
