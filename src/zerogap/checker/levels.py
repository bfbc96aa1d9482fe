"""Lower bounds on the dual value from multipliers Λ with proved levels c_L(Λ) (theory §1)."""

import heapq
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from flint import arb, arb_mat

from zerogap.checker import kinds
from zerogap.checker.balls import Refused, balls, down, frobenius, inner, root, up
from zerogap.checker.budget import STEP, spend
from zerogap.checker.limits import MAX_EVIDENCE, MAX_INTERVALS, NORMS_LOSS
from zerogap.checker.losses import Ray
from zerogap.checker.reading import get
from zerogap.checker.statement import Statement


@dataclass(frozen=True)
class Multipliers:
    """The dual on the ray of Λ, and an upper bound on c_L(Λ)."""

    ray: Ray
    level: arb


def dual(statement: Statement, evidence: Any) -> arb:
    """A lower bound on the dual value of the problem."""
    s = statement
    if s.beta is None:
        Lambda, level = _proved(s, evidence, "lower")
        numerator = inner(Lambda, balls(s.Y)) - s.epsilon * frobenius(Lambda)
        return s.scaled_total(numerator / level) if numerator > 0 else arb(0)
    if s.depth == 2 or (s.power and s.architecture == "parallel"):
        found = _multipliers(s, evidence, "lower")
        return found.ray.best(s.beta * s.depth / 2 / found.level)
    if get(evidence, "kind", "lower") != "levels":
        raise Refused("lower: weight decay with beta at depth 3 or more takes kind 'levels'")
    items = get(evidence, "evidence", "lower")
    if not isinstance(items, list) or not 1 <= len(items) <= MAX_EVIDENCE:
        raise Refused(f"lower.evidence: accepted are 1 to {MAX_EVIDENCE} pieces")
    proved = [_multipliers(s, item, f"lower.evidence[{i}]") for i, item in enumerate(items)]
    return _LayerNorms(s, s.beta, proved).least()


def _proved(statement: Statement, evidence: Any, place: str) -> tuple[arb_mat, arb]:
    """Λ and a level, which may be divided by: any larger one is a level too."""
    Lambda, level = kinds.prove(statement, evidence, statement.Y.shape[1], place)
    if statement.bias[1] == "free" and not all(x == 0 for x in _sums(Lambda).entries()):
        raise Refused(f"{place}: Λᵀ1 is not zero, as a free bias of the outputs asks")
    return Lambda, level.max(arb(2.0**-1000))


def _multipliers(statement: Statement, evidence: Any, place: str) -> Multipliers:
    Lambda, level = _proved(statement, evidence, place)
    spread = arb(0)
    if statement.rho is not None and statement.rho > 0:
        sums = _sums(Lambda)
        spread = inner(sums, sums) / statement.rho
    return Multipliers(statement.loss.along(Lambda, balls(statement.Y), spread), level)


def _sums(Lambda: arb_mat) -> arb_mat:
    """Λᵀ1, as a row."""
    return arb_mat(1, Lambda.nrows(), [1] * Lambda.nrows()) * Lambda


class _LayerNorms:
    """min_{t ≥ 0} of F(t) = β(L−2)/2 t² + D_β(t), D_β(t) the best Λ's value at t^{L−2} c(Λ) ≤ β.

    t stands for the geometric mean of the layers' norms: no network costs less than the minimum.
    """

    def __init__(self, statement: Statement, beta: arb, proved: list[Multipliers]) -> None:
        self._beta, self._power, self._proved = beta, statement.depth - 2, proved
        # The zero network's value, which P does not exceed.
        Y = balls(statement.Y)
        self._ceiling = statement.loss.value(arb_mat(Y.nrows(), Y.ncols()), Y)

    def least(self) -> arb:
        """A lower bound, by branch and bound over t.

        Up to `end` the worst interval is halved until it cannot be improved further. Beyond, the
        first term of F alone exceeds the ceiling.
        """
        end = up(root(2 * self._ceiling / (self._beta * self._power)))
        if not end > 0:
            return arb(0)
        heap = [(self._on(0.0, end), 0.0, end)]
        reachable = math.inf
        for _ in range(MAX_INTERVALS):
            spend(200 * STEP, "the search over layer norms")
            least, a, b = heap[0]
            middle = (a + b) / 2
            reachable = min(reachable, down(self._square(arb(middle)) + self._dual_at(middle)))
            if least >= reachable - NORMS_LOSS * abs(reachable) or not a < middle < b:
                break
            heapq.heapreplace(heap, (self._on(a, middle), a, middle))
            heapq.heappush(heap, (self._on(middle, b), middle, b))
        return arb(min(heap[0][0], down(self._ceiling)))

    def _square(self, t: arb) -> arb:
        return self._beta * self._power / 2 * t**2

    def _dual_at(self, t: float) -> arb:
        """A lower bound on D_β(t)."""
        allowed = self._beta / arb(t) ** self._power
        return max(
            (found.ray.best(allowed / found.level) for found in self._promising(t)), key=down
        )

    def _promising(self, t: float) -> list[Multipliers]:
        """The Λ's that look best at t; the choice proves nothing and costs nothing if wrong."""
        allowed = float(self._beta / arb(t) ** self._power)
        values = [found.ray.estimate(allowed / float(found.level)) for found in self._proved]
        tried = self._proved[0].ray.tried
        return [self._proved[i] for i in np.argsort(values, kind="stable")[-tried:]]

    def _on(self, a: float, b: float) -> float:
        """A lower bound on F over [a, b]: D_β does not increase, so its value at b serves."""
        best = down(self._square(arb(a)) + self._dual_at(b))
        for found in self._promising((a + b) / 2) if a > 0 else []:
            # One Λ at its largest feasible scale θ = β/(c t^{L−2}).
            value = found.ray.over(self._beta, self._power, self._beta / found.level, a, b)
            # Not where the interval is too wide to divide by its powers.
            if value is not None and value.is_finite():
                best = max(best, down(value))
        return best
