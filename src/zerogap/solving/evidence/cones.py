"""Two layers: c(Λ) by subdividing the sphere of u (theory §3)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from zerogap.model.matrices import Array
from zerogap.solving.evidence.base import Proof


@dataclass(frozen=True, eq=False)
class Cones(Proof, kind="cones"):
    """Λ (n, k), and factors A (n, r), B (r, d) with X ≈ A B where X is not of full rank."""

    X: tuple[Array, Array] | None
    multipliers: Array

    def stretched(self, size: float) -> Cones:
        return replace(self, X=self.X and (self.X[0] * size, self.X[1]))

    @classmethod
    def of(cls, stored: dict[str, object]) -> Cones:
        factors = stored.get("X")
        return cls(factors and tuple(factors), stored["multipliers"])  # type: ignore[arg-type]
