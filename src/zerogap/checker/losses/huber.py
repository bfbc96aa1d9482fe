"""Huber: ½r² for |r| ≤ δ, δ|r| − ½δ² beyond, r = y − f.

It is the largest Λr − ½Λ² over |Λ| ≤ δ, hence convex with −ℓ*(−Λ) = Λy − ½Λ² there, −∞ elsewhere.
"""

from flint import arb, arb_mat

from zerogap.checker.balls import inner, total
from zerogap.checker.losses.loss import Loss, pairs, within


class Huber(Loss, name="huber"):
    between = (0.0, float("inf"))

    def value(self, F: arb_mat, Y: arb_mat) -> arb:
        def term(far: arb) -> arb:
            near = far.min(self.parameter)
            return near * (far - near / 2)

        return total(term(abs(f - y)) for f, y in pairs(F, Y))

    def dual(self, Lambda: arb_mat, theta: arb, Y: arb_mat) -> arb:
        within(Lambda.entries(), -self.parameter, self.parameter)
        return theta * inner(Lambda, Y) - theta**2 * inner(Lambda, Lambda) / 2
