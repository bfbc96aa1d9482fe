"""One output and four layers: c_L(λ) by trees on regions of first layers (theory §5)."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from zerogap.model.matrices import Array
from zerogap.solving.evidence.base import Proof


@dataclass(frozen=True, eq=False)
class Shared(Proof, kind="shared"):
    """λ (n, 1), the splits (a, b, h) of Gram matrices, the μ's and η's of the regions.

    A leaf is linear in λ and the μ's, its square is bounded in proportion to the η's, and Gram
    matrices grow with the square of X.
    """

    multipliers: Array
    splits: Array
    mu: Array
    eta: Array

    def __mul__(self, factor: float) -> Self:
        return replace(
            self,
            multipliers=self.multipliers * factor,
            mu=self.mu * factor,
            eta=self.eta * factor**2,
        )

    def stretched(self, size: float) -> Self:
        scale = np.append(np.ones(self.splits.shape[1] - 1), size**2)
        return replace(self, splits=self.splits * scale)
