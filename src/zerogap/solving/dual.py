"""The dual value of any problem, bracketed: multipliers below, a parallel network above (§1).

The bidual of every network of depth L is the parallel network of depth L, so one routine serves
all architectures: it brackets the gauge D₁ (or, for beta > 0, the regularised optimum at an
allowed level τ) by the most exact method that accepts the problem.
"""

from dataclasses import replace

import numpy as np

from zerogap.model.errors import MethodError, what_failed
from zerogap.model.network import Network
from zerogap.model.problem import Problem
from zerogap.solving.bidual import Bidual
from zerogap.solving.methods import METHODS
from zerogap.solving.methods.base import Effort, Given, Piece
from zerogap.solving.norms import least_over_norms

# ‖X‖₂ between this and its inverse is of order one: solvers with absolute tolerances are at home.
_ORDER_ONE = 100.0
_USED = "used"


def bidual(problem: Problem, effort: Effort | None = None) -> Bidual:
    """Bracket the dual value of a problem (theory §1 to §7).

    Raises MethodError only if not even a weak bound can be computed.
    """
    effort = effort or Effort()
    norm = float(np.linalg.norm(problem.X, 2))
    if not 1 / _ORDER_ONE <= norm <= _ORDER_ONE:
        return _rescaled(problem, effort, 2.0 ** round(np.log2(norm)))
    tried = _Tried(Given(problem, effort))
    if problem.beta is None:
        piece = tried.at(None)
        return tried.bidual(piece, problem.total(piece.lower), problem.total(piece.upper))
    if problem.regularizer == "power" or problem.depth == 2:
        piece = tried.at(problem.beta * problem.depth / 2)
        return tried.bidual(piece, piece.lower, piece.upper)
    lower, upper, best, levels = least_over_norms(problem, tried.at)
    dual = tried.bidual(best, lower, upper)
    return replace(dual, evidence=levels, method=f"{best.method}, over levels")


def _rescaled(problem: Problem, effort: Effort, size: float) -> Bidual:
    """The bracket of a problem by way of X / size, since solvers want data of order one.

    f(X) is homogeneous, so the gauge of X / size is `size` times that of X. With β > 0 the values
    stay, where β takes up the factor; without it Λ is divided by `size`, a power of two, so that
    c(Λ) stays.
    """
    degree = 1.0 if problem.regularizer == "power" else 2 / problem.depth
    beta = None if problem.beta is None else problem.beta * size**-degree
    dual = bidual(replace(problem, X=problem.X / size, beta=beta), effort)
    evidence, factor = dual.evidence.stretched(size), 1.0
    if beta is None:
        evidence, factor = evidence * (1 / size), size**-degree
    network = dual.network and dual.network.scaled(size ** (-1 / problem.depth))
    return replace(
        dual,
        lower=dual.lower * factor,
        upper=dual.upper * factor,
        evidence=evidence,
        network=network,
    )


class _Tried:
    """The methods on one problem, and what happened to each at any of the τ asked for."""

    def __init__(self, given: Given) -> None:
        self.given = given
        self.methods: dict[str, str] = {}
        self.failures: list[str] = []

    def at(self, tau: float | None) -> Piece:
        """The bracket from the most exact method that applies; from the next where that fails."""
        for method in METHODS:
            try:
                happened = method.accepts(self.given, tau)
                if happened is None:
                    piece = method.solve(self.given, tau)
                    if not np.isfinite(piece.lower):
                        raise MethodError(f"the {piece.method} found no bound")
                    self.methods[method.NAME] = _USED
                    return piece
            except Exception as error:  # solvers fail in their own ways; the last needs none
                happened = what_failed("dual", error)
                if happened not in self.failures:
                    self.failures.append(happened)
            if self.methods.get(method.NAME) != _USED:
                self.methods[method.NAME] = happened
        raise MethodError("no method bounds the dual value: " + "; ".join(self.failures))

    def bidual(self, piece: Piece, lower: float, upper: float) -> Bidual:
        """The bidual with these total values, and the piece's network."""
        network = _network(self.given.problem, piece)
        methods, failures = tuple(self.methods.items()), tuple(self.failures)
        return Bidual(lower, upper, piece.evidence, network, piece.method, methods, failures)


def _network(problem: Problem, piece: Piece) -> Network | None:
    """The piece's parallel network at the problem's depth, layers balanced."""
    if not np.isfinite(piece.upper):
        return None
    branches = []
    for inner, w in zip(piece.branches, piece.weights, strict=True):
        # A non-negative output passes unchanged through further unit neurons.
        pad = [np.ones((1, 1))] * (problem.depth - 1 - len(inner))
        branches.append((*inner, *pad, w[None, :]))
    if not branches:
        shapes = [(problem.d, 1), *[(1, 1)] * (problem.depth - 2), (1, problem.k)]
        branches = [tuple(np.zeros(shape) for shape in shapes)]
    return Network(tuple(branches), problem.activation).balanced()
