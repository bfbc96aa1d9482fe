"""Rank-one data X = c aᵀ: c_L(Λ) = ‖a‖ max(‖Λᵀc₊‖, ‖Λᵀc₋‖) at every depth (theory §6)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from zerogap.model.matrices import Array
from zerogap.solving.evidence.base import Proof


@dataclass(frozen=True, eq=False)
class RankOne(Proof, kind="rank-one"):
    """Λ with the factors c (n, 1) and a (d, 1) of X."""

    c: Array
    a: Array
    multipliers: Array

    def stretched(self, size: float) -> RankOne:
        return replace(self, a=self.a * size)
