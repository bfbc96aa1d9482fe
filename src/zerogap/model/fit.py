"""What is minimised besides norms: a loss of the outputs against targets, the output bias in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from zerogap.model.losses import Conjugate, Loss, Squared
from zerogap.model.matrices import Array

# Multipliers below this share of the largest may as well be zero where signs matter.
_TINY = 2.0**-32


@dataclass(frozen=True, eq=False)
class Fit:
    """min over b of Σ ℓ(F_i + b, Y_i) + ½ρ‖b‖² for outputs F (n, k) (theory §10).

    rho: ρ, what the output bias b (k,) costs, 0 where it is free; None: there is none, b = 0.
    The dual loses ‖Λᵀ1‖²/(2ρ), and has Λᵀ1 = 0 where b is free.
    """

    Y: Array
    loss: Loss = field(default_factory=Squared)
    rho: float | None = None

    @property
    def plain(self) -> bool:
        """Whether this is ½‖F − Y‖², and no more."""
        return self.rho is None and isinstance(self.loss, Squared)

    @property
    def no_bias(self) -> Array | None:
        """An output bias of zero, None where there is none."""
        return None if self.rho is None else np.zeros(self.Y.shape[1])

    def targets(self, bias: Array | None) -> Array:
        """Y − b."""
        return self.Y if bias is None else self.Y - bias

    @cached_property
    def conjugate(self) -> Conjugate:
        """The dual without the bias's part."""
        return self.loss.conjugate(self.Y)

    def value(self, F: Array, bias: Array | None = None) -> float:
        """Σ ℓ(F_i + b, Y_i) + ½ρ‖b‖², at b = 0 without a bias."""
        if bias is None:
            return self.loss.value(F, self.Y)
        return self.loss.value(F + bias, self.Y) + 0.5 * (self.rho or 0.0) * float(bias @ bias)

    @property
    def squares(self) -> bool:
        """Whether the loss is the squared one, with or without a bias."""
        return isinstance(self.loss, Squared)

    def centred(self, A: Array) -> Array:
        """TA (n, m): squares at their best bias are ½‖T(F − Y)‖², T² = I − 11ᵀ/(n + ρ)."""
        if self.rho is None:
            return A
        share = (1 - np.sqrt(self.rho / (len(A) + self.rho))) / len(A)
        return A - share * A.sum(axis=0)

    def best_bias(self, F: Array) -> Array | None:
        """The best bias of squares for outputs F, None where there is none."""
        return None if self.rho is None else (self.Y - F).sum(axis=0) / (len(F) + self.rho)

    def dual(self, multipliers: Array) -> float:
        """A lower bound on the loss of F less ⟨Λ, F⟩, of Λ that `inside` allows."""
        return self.conjugate.value(multipliers) - 0.5 * self._spread(multipliers)

    def best_multiple(self, multipliers: Array, most: float) -> Array:
        """θΛ of the largest dual value with 0 ≤ θ ≤ most."""
        more = self._spread(multipliers)
        return multipliers * self.conjugate.multiple(multipliers, most, more)

    def along(self, multipliers: Array) -> Callable[[float], tuple[float, float]]:
        """price ↦ θ and the dual value of θΛ, where this less θ·price is large.

        The largest of squares; other losses at θ = 1: what is solved for is the best multiple.
        """
        if not self.squares:
            value = self.dual(multipliers)
            return lambda price: (1.0, value)
        inner = float(np.sum(multipliers * self.Y))
        square = float(np.sum(multipliers**2)) + self._spread(multipliers)

        def parabola(price: float) -> tuple[float, float]:
            theta = (inner - price) / square if inner > price and square > 0 else 0.0
            return theta, theta * inner - 0.5 * theta**2 * square

        return parabola

    def inside(self, multipliers: Array, signs: Array | None = None) -> Array:
        """The domain's multipliers near Λ; sums that must be zero are so exactly.

        signs (n, k): those that the entries have or are zero. Entries that are tiny become so.
        """
        if self.plain:
            return multipliers
        conjugate, centred = self.conjugate, self.rho == 0
        if signs is not None:
            if centred:
                tiny = np.abs(multipliers) <= _TINY * np.abs(multipliers).max(initial=0)
                signs = np.where(tiny, 0, signs)
            low, high = np.where(signs < 0, -np.inf, 0), np.where(signs > 0, np.inf, 0)
            low, high = np.maximum(low, conjugate.lower), np.minimum(high, conjugate.upper)
            conjugate = replace(conjugate, lower=low, upper=high)
        return conjugate.inside(multipliers, centred)

    def descent(self, F: Array, step: float) -> tuple[float, Array]:
        """The loss of F and its gradient −Λ; of its Moreau envelope where it is not smooth."""
        if self.loss.smooth:
            return self.loss.descent(F, self.Y)
        Lambda = self.conjugate.prox(F, step)
        least = float(np.sum(F * Lambda)) + 0.5 * step * float(np.sum(Lambda**2))
        return self.conjugate.value(Lambda) - least, -Lambda

    def _spread(self, multipliers: Array) -> float:
        """‖Λᵀ1‖²/ρ."""
        return float(np.sum(multipliers.sum(axis=0) ** 2)) / self.rho if self.rho else 0.0

    def in_units(self, exact: bool) -> tuple[Fit, float, float, float]:
        """A fit of order one and s, t, st: this fit of sF is st times it, Λ is t times as large.

        exact: of interpolation, F = Y, which only asks for targets of order one.
        """
        loss, size, slope, energy = self.loss.units(self.Y)
        if exact:
            slope, energy = 1.0, size
        Y = self.Y if size == 1 else self.Y / size
        rho = self.rho and self.rho * size / slope
        return replace(self, Y=Y, loss=loss, rho=rho), size, slope, energy
