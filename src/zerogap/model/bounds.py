"""What is answered: a bracket of one problem, with its network and its certificate."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from zerogap.model.errors import ProblemError

if TYPE_CHECKING:
    import torch

    from zerogap.checker.check import Verdict
    from zerogap.model.network import Network


@dataclass(frozen=True, eq=False)
class Bounds:
    """A bracket of one problem: a network above, a dual certificate below (total values).

    primal: the objective of `weights`, an upper bound on the optimum P; network: they as a torch
    module, which loads torch when it is asked for.
    dual: the largest proved lower bound on the dual value; exact_primal, exact_dual: the optima
    themselves where a closed form or a solved convex program gives them, else None.
    primal_lower: the largest proved lower bound on P (never below `dual`); dual_upper: the
    smallest proved upper bound on the dual value, from a parallel network.
    status: "zero" if the relative gap is at most the tolerance, "positive" if primal_lower
    exceeds dual_upper by more than the tolerance (relative), else "open".
    certificate: a JSON-ready object that `zerogap.verify` re-proves without any solver.
    methods: what happened to each method that was asked for the dual, from the most exact on:
    "used", or in one line why it was passed over.
    missing: what an open verdict lacks, in one line; empty where it is not open.
    verdict: what the checker says of the certificate; None where it was not asked.
    """

    primal: float
    dual: float
    primal_method: str
    dual_method: str
    status: str
    weights: Network = field(repr=False)
    certificate: dict[str, Any] = field(repr=False)
    exact_primal: float | None = None
    exact_dual: float | None = None
    primal_lower: float = -math.inf
    dual_upper: float = math.inf
    methods: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    missing: str = ""
    verdict: Verdict | None = field(default=None, repr=False)

    @cached_property
    def network(self) -> torch.nn.Module:
        """The network as a torch module."""
        from zerogap.model.module import as_module

        return as_module(self.weights, inputs(self.certificate))

    @property
    def certified(self) -> bool:
        """Whether the checker accepted the certificate."""
        return self.verdict is not None and self.verdict.accepted

    @property
    def gap(self) -> float:
        """primal − dual."""
        return self.primal - self.dual

    @property
    def relative_gap(self) -> float:
        """(primal − dual) / primal; zero when both are zero."""
        return relative(self.gap, self.primal)


@dataclass(frozen=True, eq=False)
class PrimalBound:
    """A proved lower bound P ≥ value (total), by a theorem or by a search over networks.

    kind: "theorem", with its name as evidence, or "search" or "kernel", with arrays. exact: the
    value is P.
    """

    value: float
    kind: str
    evidence: Any
    exact: bool = False

    @property
    def gap(self) -> dict[str, Any]:
        """What a certificate says of it."""
        return {self.kind: self.evidence}


def inputs(certificate: dict[str, Any]) -> int:
    """How many columns the data of a certificate has."""
    return int(certificate["problem"]["X"]["shape"][1])


def relative(difference: float, scale: float) -> float:
    """difference / |scale|, with 0/0 = 0."""
    return difference / abs(scale) if scale != 0 else (0.0 if difference == 0 else math.inf)


def verdict(
    primal: float, dual: float, primal_lower: float, dual_upper: float, tolerance: float
) -> str:
    """The verdict of one problem: "zero", "positive" or "open" (theory §1).

    A stuck training run only raises `primal`, so it can never make a gap "positive".
    """
    if relative(primal - dual, primal) <= tolerance:
        return "zero"
    if primal_lower - dual_upper > tolerance * abs(primal):
        return "positive"
    return "open"


def require_tolerance(tolerance: Any) -> None:
    """Raise ProblemError unless a verdict's tolerance is a number in (0, 1)."""
    if not isinstance(tolerance, float | int) or not 0 < tolerance < 1:
        raise ProblemError(f"tolerance is {tolerance!r}; accepted is a number in (0, 1)")
