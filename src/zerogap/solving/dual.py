"""The dual value of any problem, bracketed: multipliers below, a parallel network above (§1).

The bidual of every network of depth L is the parallel network of depth L, so one routine serves
all architectures: it brackets the gauge D₁ (or, for beta > 0, the regularised optimum at an
allowed level τ) by the most exact method that accepts the problem.
"""

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from zerogap.model import clock
from zerogap.model.errors import MethodError, what_failed
from zerogap.model.network import Network, zero_network
from zerogap.model.problem import Problem
from zerogap.solving.bidual import Bidual
from zerogap.solving.cuts import least_over_gauges
from zerogap.solving.methods import FREE, METHODS
from zerogap.solving.methods.base import Effort, Given, Method, Piece

# ‖X‖₂ between this and its inverse is of order one: solvers with absolute tolerances are at home.
_ORDER_ONE = 100.0
USED = "used"
# Share of the time that is left for a method that others can take over from.
_SHARE = 0.5


def bidual(
    problem: Problem,
    effort: Effort | None = None,
    without: Collection[str] = (),
    start: Network | None = None,
) -> Bidual:
    """Bracket the dual value of a problem (theory §1 to §7).

    effort: how narrow is narrow enough. without: names of methods not to use. start: a network
    that may be near an optimum. Raises MethodError only if not even a weak bound can be computed.
    """
    return _bidual(Given(problem.reduced, effort or Effort(), start), without)


def _bidual(given: Given, without: Collection[str]) -> Bidual:
    problem, norm = given.problem, given.stretch
    if norm and not 1 / _ORDER_ONE <= norm <= _ORDER_ONE:
        return _rescaled(given, without, 2.0 ** round(np.log2(norm)))
    tried = _Tried(given, without)
    if problem.beta is None:
        # The bidual's network is one of the problem's, at this cost, or a parallel one.
        with clock.units(problem.total, attained=_own(problem)):
            piece = tried.at(None)
        return tried.bidual(piece, problem.total(piece.lower), problem.total(piece.upper))
    if problem.regularizer == "power" or problem.depth == 2:
        with clock.units(attained=_own(problem)):
            piece = tried.at(problem.beta * problem.depth / 2)
        return tried.bidual(piece, piece.lower, piece.upper)
    lower, upper, best, levels = least_over_gauges(given, tried.at)
    dual = tried.bidual(best, lower, upper)
    return replace(dual, evidence=levels, method=f"{best.method}, over levels")


def _own(problem: Problem) -> bool:
    """Whether the bidual's networks are networks of the problem, at the same cost (theory §1)."""
    return problem.depth == 2 or (
        problem.architecture == "parallel" and problem.regularizer == "power"
    )


def _rescaled(given: Given, without: Collection[str], size: float) -> Bidual:
    """The bracket of a problem by way of X / size, since solvers want data of order one.

    f(X) is homogeneous, so the gauge of X / size is `size` times that of X. With β > 0 the values
    stay, where β takes up the factor; without it Λ is divided by `size`, a power of two, so that
    c(Λ) stays. So does the output bias, and what it costs.
    """
    problem = given.problem
    degree = 1.0 if problem.regularizer == "power" else 2 / problem.depth
    beta = None if problem.beta is None else problem.beta * size**-degree
    factor = size**-degree if beta is None else 1.0
    with clock.units(lambda value: value * factor):
        smaller = replace(problem, X=problem.X / size, beta=beta)
        start = given.start
        if start is not None and given.free:  # else only directions matter
            start = start.on(1 / size, True)
        dual = _bidual(Given(smaller, given.effort, start, given.fit), without)
    evidence = dual.evidence.stretched(size)
    if beta is None:
        evidence = evidence * (1 / size)
    network = dual.network and dual.network.on(size, given.free)
    return replace(
        dual,
        lower=dual.lower * factor,
        upper=dual.upper * factor,
        evidence=evidence,
        network=network,
    )


class _Tried:
    """The methods on one problem, and what happened to each at any of the τ asked for."""

    def __init__(self, given: Given, without: Collection[str]) -> None:
        self.given, self.without = given, without
        self.methods: dict[str, str] = {}
        self.failures: list[str] = []

    def at(self, tau: float | None) -> Piece:
        """The bracket from the most exact method that applies; from the next where that fails.

        Where one ran out of its share of the time, the best of what it found and of the next.
        """
        best: Piece | None = None
        for method in METHODS:
            try:
                happened = self._refusal(method, tau)
                if happened is None:
                    piece, late = self._solved(method, tau)
                    if not np.isfinite(piece.lower):
                        raise MethodError(f"the {piece.method} found no bound")
                    self.methods[method.NAME] = USED
                    best = piece if best is None else best.joined(piece)
                    if not late or clock.late() or best.relative_gap <= self.given.effort.relaxed:
                        break
                    continue
            except Exception as error:  # solvers fail in their own ways; the last needs none
                happened = what_failed("dual", error)
                if happened not in self.failures:
                    self.failures.append(happened)
            if self.methods.get(method.NAME) != USED:
                self.methods[method.NAME] = happened
        if best is None:
            raise MethodError("no method bounds the dual value: " + "; ".join(self.failures))
        return best

    def _refusal(self, method: Method, tau: float | None) -> str | None:
        """Why a method is passed over at τ, None where it is not."""
        if method.NAME in self.without:
            return "the checker refused its certificate"
        if self.given.free and method not in FREE:
            return "it knows of no free biases of the first layer"
        return method.accepts(self.given, tau)

    def _solved(self, method: Method, tau: float | None) -> tuple[Piece, bool]:
        """A method's piece, and whether its time was up."""
        place = METHODS.index(method)
        # The last method takes no time.
        others = any(self._refusal(other, tau) is None for other in METHODS[place + 1 : -1])
        with clock.within(clock.left() * (_SHARE if others else 1.0)):
            piece = method.solve(self.given, tau)
            return piece, clock.late()

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
        return zero_network(problem, piece.bias)
    free = problem.first_bias == "free"
    return Network(tuple(branches), problem.activation, piece.bias).balanced(free)
