"""The conjugate of a loss as data, and all that column generation asks of it (theory §10)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zerogap.model.matrices import Array

# Multipliers that must sum to zero are whole multiples of the largest times this, so that 64-bit
# integers hold any sum of ten thousand of them and a certificate's sums are zero exactly.
_GRID = 2.0**-48
# Rounds of alternating projections before what is left is put where there is room.
_ROUNDS = 30
# Newton steps of a proximal point, the share of the way to the boundary that one may go, and where
# they end.
_NEWTON, _STEP, _SMALL = 60, 0.95, 1e-15
# Halvings of an interval of multiples.
_HALVINGS = 60
_NOTHING = 1e-300
# So that rounding takes no multiple out of the domain.
_WITHIN = 1 - 2.0**-50


@dataclass(frozen=True, eq=False)
class Conjugate:
    """−Σ ℓ_i*(−Λ_i), concave in Λ (n, k), for the losses ℓ_i of the samples.

    ⟨linear, Λ⟩ − ½ square ‖Λ‖² + constant + Σ h(shift + sign·Λ) over all pairs (sign, shift) of
    `entropies`, h(π) = −π log π, where lower ≤ Λ ≤ upper and, if `balanced`, rows sum to zero. Zero
    is always allowed.
    """

    linear: Array
    square: float
    lower: Array
    upper: Array
    entropies: tuple[tuple[Array, Array], ...] = ()
    constant: float = 0.0
    balanced: bool = False

    def value(self, multipliers: Array) -> float:
        """Its value at multipliers that `inside` allows; −∞ beyond the bounds."""
        if not ((self.lower <= multipliers) & (multipliers <= self.upper)).all():
            return -np.inf
        value = float(np.sum(multipliers * self.linear))
        if self.square:
            value -= 0.5 * self.square * float(np.sum(multipliers**2))
        for sign, shift in self.entropies:
            share = shift + sign * multipliers
            value -= float(np.sum(share * np.log(np.maximum(share, _NOTHING))))
        return value + self.constant

    def multiple(self, multipliers: Array, most: float, more: float = 0.0) -> float:
        """The θ in [0, most] of the largest value(θΛ) − ½ more θ²."""
        with np.errstate(divide="ignore", invalid="ignore"):
            ends = np.where(multipliers > 0, self.upper, self.lower) / multipliers
        end = float(np.where(multipliers != 0, ends, np.inf).min(initial=np.inf))
        most = min(most, end * _WITHIN)
        inner = float(np.sum(multipliers * self.linear))
        square = self.square * float(np.sum(multipliers**2)) + more
        if not self.entropies:
            ideal = inner / square if square > 0 else (np.inf if inner > 0 else 0.0)
            return max(0.0, min(ideal, most))

        if not multipliers.any():
            return 0.0

        def rises(theta: float) -> bool:
            slope = inner - theta * square
            for sign, shift in self.entropies:
                share = np.maximum(shift + theta * sign * multipliers, _NOTHING)
                slope -= float(np.sum(sign * multipliers * (1 + np.log(share))))
            return slope > 0

        low, high = 0.0, most
        if rises(high):
            return high
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            low, high = (middle, high) if rises(middle) else (low, middle)
        return low

    def prox(self, Z: Array, step: float | Array, start: Array | None = None) -> Array:
        """The Λ that maximises value(Λ) − ⟨Z, Λ⟩ − ½ step ‖Λ‖², step > 0, one or (n, 1).

        −Λ is the gradient of the losses at the proximal point F = Z + step Λ of Z, that of least
        Σ ℓ_i(F_i) + ‖F − Z‖²/(2 step).
        """
        pull, curvature = self.linear - Z, self.square + step
        if not self.entropies:
            return np.clip(pull / curvature, self.lower, self.upper)
        middle = self._middle
        Lambda = middle if start is None else 0.999 * start + 0.001 * middle
        for _ in range(_NEWTON):
            slope, bend = pull - curvature * Lambda, np.full_like(Lambda, curvature)
            for sign, shift in self.entropies:
                share = shift + sign * Lambda
                slope = slope - sign * (1 + np.log(share))
                bend += 1 / share
            if self.balanced:
                slope -= (slope / bend).sum(1, keepdims=True) / (1 / bend).sum(1, keepdims=True)
            change = slope / bend
            room = np.ones(len(Lambda))
            for sign, shift in self.entropies:
                share, fall = shift + sign * Lambda, -sign * change
                with np.errstate(divide="ignore", invalid="ignore"):
                    ends = np.where(fall > 0, share / fall, np.inf)
                room = np.minimum(room, _STEP * ends.min(axis=1))
            Lambda = Lambda + room[:, None] * change
            if float(np.abs(change).max()) <= _SMALL * (1 + float(np.abs(Lambda).max())):
                break
        return Lambda

    @property
    def _middle(self) -> Array:
        """Multipliers in the interior of the domain, where there are entropies."""
        middle = (self.lower + self.upper) / 2
        return middle - middle.mean(1, keepdims=True) if self.balanced else middle

    def inside(self, multipliers: Array, centred: bool) -> Array:
        """Multipliers near Λ in the domain, and with columns that sum to zero if `centred`.

        Sums are zero exactly, as those of the float64 numbers.
        """
        Lambda = np.clip(multipliers, self.lower, self.upper)
        if not (self.balanced or centred) or not Lambda.any():
            return Lambda
        largest = float(np.abs(Lambda).max())
        for _ in range(_ROUNDS):
            before = Lambda
            if self.balanced:
                Lambda = Lambda - Lambda.mean(1, keepdims=True)
            if centred:
                Lambda = Lambda - Lambda.mean(0)
            Lambda = np.clip(Lambda, self.lower, self.upper)
            if np.abs(Lambda - before).max() <= _GRID * largest:
                break
        unit = 2.0 ** np.frexp(largest)[1] * _GRID
        # Towards zero, which stays inside.
        whole = np.trunc(Lambda / unit).astype(np.int64)
        low, high = (
            np.trunc(np.clip(end / unit, -(2.0**52), 2.0**52)).astype(np.int64)
            for end in (self.lower, self.upper)
        )
        if self.balanced:
            for row, a, b in zip(whole, low, high, strict=True):
                _level(row, a, b)
        if centred and self.balanced:
            left = whole.sum(axis=0)
            room = np.minimum(whole - low - left, high - whole + left).min(axis=1)
            if room.max() < 0:
                return np.zeros_like(multipliers)
            whole[room.argmax()] -= left
        elif centred:
            for column, a, b in zip(whole.T, low.T, high.T, strict=True):
                _level(column, a, b)
        return whole * unit


def _level(numbers: Array, low: Array, high: Array) -> None:
    """Move whole numbers within their bounds, in place, so that they sum to zero."""
    left = int(numbers.sum())
    room = numbers - low if left > 0 else high - numbers
    for i in np.argsort(-room, kind="stable"):
        if not left:
            break
        move = min(abs(left), int(room[i])) * (1 if left > 0 else -1)
        numbers[i] -= move
        left -= move
