"""½‖f − y‖²: ½‖F − Y‖², and −ℓ*(−Λ) = Λ·y − ½‖Λ‖²."""

from flint import arb, arb_mat

from zerogap.checker.balls import frobenius, inner
from zerogap.checker.losses.loss import Loss, Parabola


class Squared(Loss, name="squared"):
    def value(self, F: arb_mat, Y: arb_mat) -> arb:
        return frobenius(F - Y) ** 2 / 2

    def dual(self, Lambda: arb_mat, theta: arb, Y: arb_mat) -> arb:
        return theta * inner(Lambda, Y) - theta**2 * inner(Lambda, Lambda) / 2

    def along(self, Lambda: arb_mat, Y: arb_mat, spread: arb) -> Parabola:
        return Parabola(Lambda, Y, spread)
