"""One direction of several outputs: Λ = λqᵀ has c_L(Λ) = ‖q‖ c_L(λ) (theory §4)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from zerogap.model.matrices import Array
from zerogap.solving.evidence.base import Proof, evidence_of


@dataclass(frozen=True, eq=False)
class Outputs(Proof, kind="outputs"):
    """The direction q (k, 1) and evidence for λ (n, 1)."""

    direction: Array
    inner: Proof

    @property
    def Lambda(self) -> Array:
        return self.inner.Lambda @ self.direction.T

    def __mul__(self, factor: float) -> Outputs:
        return replace(self, inner=self.inner * factor)

    def stretched(self, size: float) -> Outputs:
        return replace(self, inner=self.inner.stretched(size))

    @classmethod
    def of(cls, stored: dict[str, Any]) -> Outputs:
        inner = evidence_of(stored["inner"])
        assert isinstance(inner, Proof)
        return cls(stored["direction"], inner)
