"""What a loss has to prove: its value from above and its conjugate from below, in balls (§10).

For every f, ℓ(f) ≥ −Λ·f − ℓ*(−Λ), so that a loss of outputs F is at least dual(Λ) − ⟨Λ, F⟩.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from functools import cached_property
from typing import ClassVar

import numpy as np
from flint import arb, arb_mat

from zerogap.checker.balls import Array, Refused, down, inner, root, total, up
from zerogap.checker.budget import STEP, spend

# Every loss by its name; a class with a name registers itself.
LOSSES: dict[str, type[Loss]] = {}
# Multiples of Λ at which its dual is tabulated: densely where it is curved, near zero and one.
_TABLE = np.concatenate([[0.0], np.geomspace(0.01, 0.5, 20), 1 - np.geomspace(0.47, 1e-3, 27), [1]])
# Operations of an exponential or a logarithm.
_SERIES = 10 * STEP


class Loss(ABC):
    """Σ ℓ(F_i, Y_i) over rows of outputs F and targets Y, with its conjugate."""

    name: ClassVar[str]
    # What a parameter must lie between, None where there is none.
    between: ClassVar[tuple[float, float] | None] = None

    def __init__(self, parameter: float | None) -> None:
        if self.between is None:
            if parameter is not None:
                raise Refused(f"problem.loss: {self.name} has no parameter")
        elif parameter is None or not self.between[0] < parameter < self.between[1]:
            raise Refused(f"problem.loss.parameter is {parameter}; accepted is {self.between}")
        self.parameter = arb(0) if parameter is None else arb(parameter)

    def __init_subclass__(cls, name: str) -> None:
        cls.name, LOSSES[name] = name, cls

    def __str__(self) -> str:
        return self.name if self.between is None else f"{self.name}:{float(self.parameter)!r}"

    def refuse(self, Y: Array) -> str | None:
        """What is wrong with targets (n, k), None where nothing is."""
        return None

    @abstractmethod
    def value(self, F: arb_mat, Y: arb_mat) -> arb:
        """Σ ℓ(F_i, Y_i)."""

    @abstractmethod
    def dual(self, Lambda: arb_mat, theta: arb, Y: arb_mat) -> arb:
        """−Σ ℓ_i*(−θΛ_i) for 0 ≤ θ ≤ 1; refuses Λ for which it is −∞."""

    def along(self, Lambda: arb_mat, Y: arb_mat, spread: arb) -> Ray:
        """The dual on the ray of Λ, less half of `spread` times the square of θ."""
        return Ray(self, Lambda, Y, spread)


class Ray:
    """θ ↦ dual(θΛ) − ½θ²·spread, concave and zero or more at θ = 0: a lower bound for any θ."""

    # How many of those that look best are tried: estimates are rough.
    tried = 6

    def __init__(self, loss: Loss, Lambda: arb_mat, Y: arb_mat, spread: arb) -> None:
        self._loss, self._Lambda, self._Y, self._spread = loss, Lambda, Y, spread
        self._known: dict[float, arb] = {}

    def at(self, theta: arb) -> arb:
        """Its value at one θ in [0, 1]."""
        return self._loss.dual(self._Lambda, theta, self._Y) - theta**2 * self._spread / 2

    def best(self, most: arb) -> arb:
        """A value with θ ≤ most: at θ = 1 if that is allowed, else as near to it as is.

        What is written is the best multiple of Λ already.
        """
        return self.at(arb(1) if most >= 1 else arb(max(0.0, down(most))))

    def estimate(self, most: float) -> float:
        """About what `best` is, for a choice that proves nothing: by chords."""
        return float(np.interp(min(1.0, most), _TABLE, self._table))

    @cached_property
    def _table(self) -> list[float]:
        return [float(self._kept(float(theta))) for theta in _TABLE]

    def over(self, beta: arb, power: int, reach: arb, a: float, b: float) -> arb | None:
        """A lower bound on ½β·power·t² + the value at θ = reach/t^power over t in [a, b].

        For these θ the value is above a chord A + Bθ. With the chord the sum increases in t if
        B ≤ 0; else it is convex, and above its tangents. None where θ may exceed 1.
        """
        if not reach / arb(a) ** power <= 1:
            return None
        low, high = down(reach / arb(b) ** power), up(reach / arb(a) ** power)
        if not 0 < low < high <= 1:
            return None
        ends = [(arb(theta), self._kept(theta)) for theta in (low, high)]
        B = ((ends[1][1] - ends[0][1]) / (ends[1][0] - ends[0][0])).mid()
        A = (ends[0][1] - B * ends[0][0]).min(ends[1][1] - B * ends[1][0])
        m = arb(a)
        if B > 0:  # about where the sum is least; any point would do
            m = arb(min(max(float((B * reach / beta) ** (arb(1) / (power + 2))), a), b))
        value = beta * power / 2 * m**2 + A + B * reach / m**power
        if not B > 0:
            return value
        slope = power * (beta * m - B * reach / m ** (power + 1))
        return value + (slope * (a - m)).min(slope * (b - m))

    def _kept(self, theta: float) -> arb:
        """Values met before: neighbouring intervals share ends."""
        if theta not in self._known:
            self._known[theta] = self.at(arb(theta))
        return self._known[theta]


class Parabola(Ray):
    """That of squares, θ⟨Λ, Y⟩ − ½θ²‖Λ‖² − ½θ²·spread, for any θ ≥ 0."""

    tried = 2

    def __init__(self, Lambda: arb_mat, Y: arb_mat, spread: arb) -> None:
        self.product, self.norm = inner(Lambda, Y), root(inner(Lambda, Lambda) + spread)

    def at(self, theta: arb) -> arb:
        return theta * self.product - (theta * self.norm) ** 2 / 2

    def best(self, most: arb) -> arb:
        if not self.product > 0:
            return arb(0)
        theta = (self.product / self.norm**2).mid()
        return self.at(theta if theta <= most else most.lower())

    def estimate(self, most: float) -> float:
        product, norm = float(self.product), float(self.norm)
        square = max(norm, 1e-300) * max(norm, 1e-300)
        theta = min(product / square, most) if square > 0 else most
        return theta * product - theta * norm * (theta * norm) / 2

    def over(self, beta: arb, power: int, reach: arb, a: float, b: float) -> arb | None:
        """To second order in b − a: the sum is G(t) = ½β·power·t² + p/t^power − ½q/t^{2 power}.

        p = reach·⟨Λ, Y⟩, √q = reach·norm, and G(t) ∈ G(m) + G′([a, b]) (t − m).
        """
        middle = (arb(a) + arb(b)) / 2
        t = arb(middle, (arb(b) - arb(a)) / 2)
        p = reach * self.product
        q = (reach * self.norm) ** 2
        value = beta * power / 2 * middle**2 + p / middle**power - q / 2 / middle ** (2 * power)
        slope = power * (beta * t - p / t ** (power + 1) + q / t ** (2 * power + 1))
        return value + slope * (t - middle)


def pairs(A: arb_mat, B: arb_mat) -> Iterable[tuple[arb, arb]]:
    """The entries of two matrices of one shape, side by side."""
    spend(4 * STEP * A.nrows() * A.ncols(), "a loss")
    return zip(A.entries(), B.entries(), strict=True)


def within(numbers: Iterable[arb], low: arb | float, high: arb | float) -> None:
    """Refuse numbers that are not proved to lie in [low, high]."""
    for x in numbers:
        if not low <= x <= high:
            raise Refused(f"lower: a multiplier, {float(x)!r}, is outside the loss's domain")


def entropy(shares: Iterable[arb]) -> arb:
    """Σ −π log π of numbers π ≥ 0."""

    def term(share: arb) -> arb:
        spend(_SERIES, "an entropy")
        if share == 0:
            return arb(0)
        if not share > 0:
            raise Refused(f"lower: a share, {float(share)!r}, is not proved to be positive")
        return -share * share.log()

    return total(map(term, shares))


def softplus(x: arb) -> arb:
    """log(1 + exp x)."""
    spend(2 * _SERIES, "a loss")
    return x + (-x).exp().log1p() if x > 0 else x.exp().log1p()


def require_labels(Y: Array) -> str | None:
    """Why targets are not the labels −1 and 1, None where they are."""
    return None if np.isin(Y, (-1.0, 1.0)).all() else "accepted are the labels -1 and 1"
