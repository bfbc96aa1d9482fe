"""Lower bounds on the dual value from multipliers Λ with proved levels c_L(Λ) (theory §1)."""

from dataclasses import dataclass
from typing import Any

from flint import arb, arb_mat

from zerogap.checker import kinds
from zerogap.checker.balls import Refused, balls, frobenius, inner
from zerogap.checker.budget import STEP, spend
from zerogap.checker.limits import CUT_LOSS, MAX_CUTS, MAX_EVIDENCE
from zerogap.checker.losses import Ray
from zerogap.checker.reading import get
from zerogap.checker.statement import Statement

# (c, g): outputs of gauge γ have a loss of at least g − cγ.
Cut = tuple[arb, arb]


@dataclass(frozen=True)
class Multipliers:
    """The dual on the ray of Λ, and an upper bound on c_L(Λ)."""

    ray: Ray
    level: arb

    def cut(self, gamma: arb) -> Cut:
        """That of the multiple of Λ which is best at γ."""
        theta, value = self.ray.against(self.level * gamma)
        return (theta * self.level).upper(), value.lower()


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
    return _searched(s.beta, s.depth, proved)


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


def _searched(beta: arb, depth: int, proved: list[Multipliers]) -> arb:
    """A lower bound on the dual value: where it is least so far, the best cut there is added."""
    cuts = [found.cut(arb(0)) for found in proved]
    for _ in range(MAX_CUTS):
        spend(10 * STEP * (len(proved) + len(cuts)), "the search over gauges")
        bound, gamma = least(beta, depth, cuts)
        c, g = max((found.cut(gamma) for found in proved), key=lambda cut: cut[1] - cut[0] * gamma)
        if not _cost(beta, depth, gamma) + g - c * gamma > bound * (1 + CUT_LOSS):
            break
        cuts.append((c, g))
    return bound


def least(beta: arb, depth: int, cuts: list[Cut]) -> tuple[arb, arb]:
    """A lower bound on min over γ ≥ 0 of β(L/2)γ^{2/L} + max(0, g_i − c_i γ), and about its γ.

    Between the corners of the maximum, a sum of lines and a concave function is least at an end.
    cuts: exact (c_i, g_i), c_i > 0 where g_i > 0.
    """
    hull = [(arb(0), arb(0))]
    corners: list[arb] = []  # where each cut meets the one before it, proved to decrease
    for c, g in sorted(cuts, key=lambda cut: (cut[0], -cut[1])):
        if not g > hull[-1][1]:  # more is asked for no more
            continue
        while corners and not _corner(hull[-1], (c, g)) < corners[-1]:
            hull.pop()
            corners.pop()
        corners.append(_corner(hull[-1], (c, g)))
        hull.append((c, g))
    bound, least_at = hull[-1][1], arb(0)
    for gamma, (c, g) in zip(corners, hull[1:], strict=True):
        value = _cost(beta, depth, gamma) + g - c * gamma
        if not value > bound:
            bound, least_at = value.min(bound), gamma.mid()
    return bound, least_at


def _corner(one: Cut, other: Cut) -> arb:
    """The γ where two cuts meet."""
    return (other[1] - one[1]) / (other[0] - one[0])


def _cost(beta: arb, depth: int, gamma: arb) -> arb:
    """The least weight decay of outputs of gauge γ, times β."""
    return beta * depth / 2 * gamma ** (arb(2) / depth)
