"""Hinge: max(0, 1 − yf), y = ±1.

It is the largest α(1 − yf) over 0 ≤ α ≤ 1; with Λ = yα, −ℓ*(−Λ) = α = yΛ there, −∞ elsewhere.
"""

from flint import arb, arb_mat

from zerogap.checker.balls import Array, inner, total
from zerogap.checker.losses.loss import Loss, pairs, require_labels, within


class Hinge(Loss, name="hinge"):
    def refuse(self, Y: Array) -> str | None:
        return require_labels(Y)

    def value(self, F: arb_mat, Y: arb_mat) -> arb:
        return total((1 - y * f).max(arb(0)) for f, y in pairs(F, Y))

    def dual(self, Lambda: arb_mat, theta: arb, Y: arb_mat) -> arb:
        within((y * x for x, y in pairs(Lambda, Y)), 0, 1)
        return theta * inner(Lambda, Y)
