"""Cross-entropy of a softmax: s log Σ_k exp f_k − y·f, for y ≥ 0 with sum s > 0.

s log Σ exp f_k is the largest π·f + Σ π_k log(s/π_k) over π ≥ 0 with sum s (Gibbs). With Λ = y − π,
−ℓ*(−Λ) = Σ π_k log(s/π_k) if π = y − Λ ≥ 0 and Λ sums to zero, −∞ elsewhere.
"""

from flint import arb, arb_mat

from zerogap.checker.balls import Array, Refused, total
from zerogap.checker.budget import STEP, spend
from zerogap.checker.losses.loss import Loss, entropy, pairs


class CrossEntropy(Loss, name="cross-entropy"):
    def refuse(self, Y: Array) -> str | None:
        good = Y.shape[1] > 1 and not (Y < 0).any() and Y.any(axis=1).all()
        return None if good else "accepted are two or more columns, non-negative rows, none zero"

    def value(self, F: arb_mat, Y: arb_mat) -> arb:
        spend(20 * STEP * F.nrows() * F.ncols(), "a loss")
        value = arb(0)
        for f, y in zip(F.tolist(), Y.tolist(), strict=True):
            top = arb(max(map(float, f)))
            logarithm = top + total((x - top).exp() for x in f).log()
            value += total(y) * logarithm - total(a * b for a, b in zip(y, f, strict=True))
        return value

    def dual(self, Lambda: arb_mat, theta: arb, Y: arb_mat) -> arb:
        if not all(total(row) == 0 for row in Lambda.tolist()):
            raise Refused("lower: a row of multipliers does not sum to zero, as this loss asks")
        sums = [total(row) for row in Y.tolist()]
        shares = (y - theta * x for x, y in pairs(Lambda, Y))
        return entropy(shares) - entropy(sums)
