"""Lower bounds on the dual value from multipliers Λ with proved levels c_L(Λ) (theory §1)."""

import heapq
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from flint import arb

from zerogap.checker import kinds
from zerogap.checker.balls import Refused, balls, down, frobenius, inner, root, up
from zerogap.checker.budget import STEP, spend
from zerogap.checker.limits import MAX_EVIDENCE, MAX_INTERVALS, NORMS_LOSS
from zerogap.checker.reading import get
from zerogap.checker.statement import Statement


@dataclass(frozen=True)
class Multipliers:
    """Λ with what the dual needs of it: tr(ΛᵀY), ‖Λ‖_F and an upper bound on c_L(Λ)."""

    product: arb
    norm: arb
    level: arb


def dual(statement: Statement, evidence: Any) -> arb:
    """A lower bound on the dual value of the problem."""
    s = statement
    if s.beta is None:
        Lambda = _multipliers(s, evidence, "lower")
        numerator = Lambda.product - s.epsilon * Lambda.norm
        return s.scaled_total(numerator / Lambda.level) if numerator > 0 else arb(0)
    if s.depth == 2 or (s.power and s.architecture == "parallel"):
        return _penalised(_multipliers(s, evidence, "lower"), s.beta * s.depth / 2)
    if get(evidence, "kind", "lower") != "levels":
        raise Refused("lower: weight decay with beta at depth 3 or more takes kind 'levels'")
    items = get(evidence, "evidence", "lower")
    if not isinstance(items, list) or not 1 <= len(items) <= MAX_EVIDENCE:
        raise Refused(f"lower.evidence: accepted are 1 to {MAX_EVIDENCE} pieces")
    proved = [_multipliers(s, item, f"lower.evidence[{i}]") for i, item in enumerate(items)]
    return _LayerNorms(s, s.beta, proved).least()


def _multipliers(statement: Statement, evidence: Any, place: str) -> Multipliers:
    Lambda, level = kinds.prove(statement, evidence, statement.Y.shape[1], place)
    return Multipliers(
        product=inner(Lambda, balls(statement.Y)),
        norm=frobenius(Lambda),
        # Any larger level is a level too; this one may be divided by.
        level=level.max(arb(2.0**-1000)),
    )


def _penalised(Lambda: Multipliers, allowed: arb) -> arb:
    """max_θ −½θ²‖Λ‖² + θ tr(ΛᵀY) s.t. θ c(Λ) ≤ allowed; any feasible θ is a lower bound."""
    if not Lambda.product > 0:
        return arb(0)
    theta = (Lambda.product / Lambda.norm**2).mid()
    if not theta * Lambda.level <= allowed:
        theta = (allowed / Lambda.level).lower()
    return theta * Lambda.product - (theta * Lambda.norm) ** 2 / 2


class _LayerNorms:
    """min_{t ≥ 0} of F(t) = β(L−2)/2 t² + D_β(t), D_β(t) the best Λ's value at t^{L−2} c(Λ) ≤ β.

    t stands for the geometric mean of the layers' norms: no network costs less than the minimum.
    """

    def __init__(self, statement: Statement, beta: arb, proved: list[Multipliers]) -> None:
        self._beta, self._power, self._proved = beta, statement.depth - 2, proved
        # The zero network's value, which P does not exceed.
        Y = balls(statement.Y)
        self._ceiling = inner(Y, Y) / 2
        self._floats = np.array(
            [[float(x) for x in (Lambda.product, Lambda.norm, Lambda.level)] for Lambda in proved]
        ).T

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
        return max((_penalised(Lambda, allowed) for Lambda in self._promising(t)), key=down)

    def _promising(self, t: float) -> list[Multipliers]:
        """The two Λ that look best at t; the choice proves nothing and costs nothing if wrong."""
        products, norms, levels = self._floats
        best = products / np.maximum(norms, 1e-300) ** 2
        theta = np.minimum(best, float(self._beta / arb(t) ** self._power) / levels)
        order = np.argsort(theta * products - (theta * norms) ** 2 / 2, kind="stable")
        return [self._proved[i] for i in order[-2:]]

    def _on(self, a: float, b: float) -> float:
        """A lower bound on F over [a, b]: D_β does not increase, so its value at b serves."""
        best = down(self._square(arb(a)) + self._dual_at(b))
        for Lambda in self._promising((a + b) / 2) if a > 0 else []:
            value = self._mean_value(Lambda, arb(a), arb(b))
            if value.is_finite():  # not where the interval is too wide to divide by its powers
                best = max(best, down(value))
        return best

    def _mean_value(self, Lambda: Multipliers, a: arb, b: arb) -> arb:
        """F ≥ G(t) for all t in [a, b], to second order in b − a.

        One Λ at its largest feasible scale θ = β/(c t^{L−2}) gives G(t) = β(L−2)/2 t² + p t^{2−L}
        − q/2 t^{4−2L}, p = β tr(ΛᵀY)/c, √q = β‖Λ‖/c, and G(t) ∈ G(m) + G′([a, b]) (t − m).
        """
        beta, power = self._beta, self._power
        middle = (a + b) / 2
        t = arb(middle, (b - a) / 2)
        p = beta / Lambda.level * Lambda.product
        q = (beta / Lambda.level * Lambda.norm) ** 2
        value = self._square(middle) + p / middle**power - q / 2 / middle ** (2 * power)
        slope = power * (beta * t - p / t ** (power + 1) + q / t ** (2 * power + 1))
        return value + slope * (t - middle)
