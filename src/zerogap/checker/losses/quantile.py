"""Quantiles: max(q r, (q − 1) r), r = y − f.

It is the largest Λr over q − 1 ≤ Λ ≤ q, hence −ℓ*(−Λ) = Λy there, −∞ elsewhere.
"""

from flint import arb, arb_mat

from zerogap.checker.balls import inner, total
from zerogap.checker.losses.loss import Loss, pairs, within


class Quantile(Loss, name="quantile"):
    between = (0.0, 1.0)

    def value(self, F: arb_mat, Y: arb_mat) -> arb:
        q = self.parameter
        return total((q * (y - f)).max((q - 1) * (y - f)) for f, y in pairs(F, Y))

    def dual(self, Lambda: arb_mat, theta: arb, Y: arb_mat) -> arb:
        within(Lambda.entries(), self.parameter - 1, self.parameter)
        return theta * inner(Lambda, Y)
