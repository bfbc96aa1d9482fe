"""What every loss is: values, gradients, and its conjugate as data (theory §10)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import numpy as np

from zerogap.model.errors import ProblemError
from zerogap.model.losses.conjugate import Conjugate
from zerogap.model.matrices import Array

# Every loss by its name; a class with a name registers itself.
LOSSES: dict[str, type[Loss]] = {}


@dataclass(frozen=True)
class Loss(ABC):
    """Convex losses ℓ(F_i, Y_i) of outputs and targets, rows of F and Y (…, n, k).

    A loss with a parameter says what it is without one, and between which numbers it must lie.
    """

    parameter: float | None = None

    name: ClassVar[str]
    default: ClassVar[float | None] = None
    between: ClassVar[tuple[float, float]] = (-np.inf, np.inf)
    smooth: ClassVar[bool] = True

    def __init_subclass__(cls, name: str) -> None:
        cls.name, LOSSES[name] = name, cls

    def __str__(self) -> str:
        return self.name if self.parameter is None else f"{self.name}:{self.parameter!r}"

    def refuse(self, Y: Array) -> str | None:
        """What is wrong with targets (n, k), and what is accepted; None where nothing is."""
        return None

    def endless(self, Y: Array) -> str | None:
        """Why no constant outputs are best for targets (n, k), None where some are."""
        return None

    @abstractmethod
    def terms(self, F: Array, Y: Array) -> Array:
        """Numbers (…, n, k) or (…, n), the sum of which is the loss."""

    @abstractmethod
    def gradient(self, F: Array, Y: Array) -> Array:
        """The gradient by F, or a subgradient where there is none, of the shape of F."""

    @abstractmethod
    def conjugate(self, Y: Array) -> Conjugate:
        """Λ ↦ −Σ ℓ_i*(−Λ_i)."""

    def value(self, F: Array, Y: Array) -> float:
        """Σ ℓ(F_i, Y_i)."""
        return float(np.sum(self.terms(F, Y)))

    def descent(self, F: Array, Y: Array) -> tuple[float, Array]:
        """Value and gradient, for descent."""
        return self.value(F, Y), self.gradient(F, Y)

    def units(self, Y: Array) -> tuple[Loss, float, float, float]:
        """A loss ℓ′ and s, t, st with ℓ(sF, sY) = st ℓ′(F, Y), for targets of order one.

        Y is what has the length s if s is not 1; multipliers are t times as large.
        """
        return self, 1.0, 1.0, 1.0


def require_labels(Y: Array) -> str | None:
    """Why targets are not the labels −1 and 1, None where they are."""
    wrong = np.argwhere(np.abs(Y) != 1)
    if not len(wrong):
        return None
    row, column = wrong[0]
    return f"Y[{row}, {column}] is {Y[row, column]:g}; accepted are the labels -1 and 1"


@cache
def loss_of(text: str) -> Loss:
    """The loss of a name such as "logistic" or "huber:0.5". Raises ProblemError."""
    name, colon, number = text.partition(":")
    kind = LOSSES.get(name)
    if kind is None:
        raise ProblemError(f"loss is {text!r}; accepted is one of {', '.join(LOSSES)}")
    if kind.default is None:
        if colon:
            raise ProblemError(f"loss is {text!r}; {name} takes no parameter")
        return kind()
    try:
        parameter = float(number) if colon else kind.default
    except ValueError:
        parameter = np.nan
    low, high = kind.between
    if not low < parameter < high:
        raise ProblemError(
            f"loss is {text!r}; accepted is {name}, or {name}:number with a number between "
            f"{low:g} and {high:g}"
        )
    return kind(parameter)
