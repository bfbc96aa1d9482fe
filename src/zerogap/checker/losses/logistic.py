"""Logistic: log(1 + exp(−m)), m = yf, y = ±1.

It is the largest H(α) − αm over 0 ≤ α ≤ 1, H(α) = −α log α − (1 − α) log(1 − α), at
α = 1/(1 + exp m); with Λ = yα, −ℓ*(−Λ) = H(yΛ) there, −∞ elsewhere.
"""

from flint import arb, arb_mat

from zerogap.checker.balls import Array, total
from zerogap.checker.losses.loss import Loss, entropy, pairs, require_labels, softplus, within


class Logistic(Loss, name="logistic"):
    def refuse(self, Y: Array) -> str | None:
        return require_labels(Y)

    def value(self, F: arb_mat, Y: arb_mat) -> arb:
        return total(softplus(-y * f) for f, y in pairs(F, Y))

    def dual(self, Lambda: arb_mat, theta: arb, Y: arb_mat) -> arb:
        shares = [y * x for x, y in pairs(Lambda, Y)]
        within(shares, 0, 1)
        return entropy(theta * x for x in shares) + entropy(1 - theta * x for x in shares)
