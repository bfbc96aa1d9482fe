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

from zerogap.checker.balls import Array, Refused, down, inner, total
from zerogap.checker.budget import STEP, spend

# Every loss by its name; a class with a name registers itself.
LOSSES: dict[str, type[Loss]] = {}
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
        """The multiples of Λ, with `spread` ‖Λᵀ1‖²/ρ for what a decayed output bias takes off."""
        return Ray(self, Lambda, Y, spread)


class Ray:
    """θ ↦ dual(θΛ) − ½θ²·spread, 0 ≤ θ ≤ 1: a lower bound for any θ."""

    def __init__(self, loss: Loss, Lambda: arb_mat, Y: arb_mat, spread: arb) -> None:
        self._loss, self._Lambda, self._Y, self._spread = loss, Lambda, Y, spread

    def at(self, theta: arb) -> arb:
        """Its value at one θ."""
        return self._loss.dual(self._Lambda, theta, self._Y) - theta**2 * self._spread / 2

    def against(self, price: arb) -> tuple[arb, arb]:
        """θ and a value, where this less θ·price is large; that proves nothing.

        What is written is the best multiple of Λ already.
        """
        return arb(1), self._whole

    def best(self, most: arb) -> arb:
        """A value with θ ≤ most."""
        theta, value = self.against(arb(0))
        return value if theta <= most else self.at(arb(max(0.0, down(most))))

    @cached_property
    def _whole(self) -> arb:
        return self.at(arb(1))


class Parabola(Ray):
    """That of squares, θ⟨Λ, Y⟩ − ½θ²‖Λ‖² − ½θ²·spread, for any θ ≥ 0."""

    def __init__(self, Lambda: arb_mat, Y: arb_mat, spread: arb) -> None:
        self._product, self._square = inner(Lambda, Y), inner(Lambda, Lambda) + spread

    def at(self, theta: arb) -> arb:
        return theta * self._product - theta**2 * self._square / 2

    def against(self, price: arb) -> tuple[arb, arb]:
        above = self._product - price
        theta = (above / self._square).mid() if above > 0 else arb(0)
        return theta, self.at(theta)


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
