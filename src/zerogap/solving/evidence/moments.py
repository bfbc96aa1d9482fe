"""Two layers beyond enumeration: c(Λ) ≤ c₀ + (2 + s²‖X‖²)δ by moments of neurons (theory §3)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from zerogap.convex.blocks import Block
from zerogap.model.matrices import Array
from zerogap.solving.evidence.base import Proof


@dataclass(frozen=True, eq=False)
class Moments(Proof, kind="moments"):
    """Λ, c₀ (`level`), and for each block of signs the multipliers of its moments' cones.

    A neuron's moments are those of (r, u, p, q), p = φ(sXu), q = φ(−sXu), with s the `scale`. All
    but s is linear in Λ. On size·X, s/size leaves p and q as they are, and rᵀΛᵀp/s, which the
    blocks prove to be at most c₀, is size times as large.
    """

    scale: float
    level: float
    blocks: tuple[Block, ...]
    multipliers: Array

    def __mul__(self, factor: float) -> Moments:
        return replace(self._grown(factor), multipliers=self.multipliers * factor)

    def stretched(self, size: float) -> Moments:
        return replace(self._grown(size), scale=self.scale / size)

    def _grown(self, factor: float) -> Moments:
        blocks = tuple(block * factor for block in self.blocks)
        return replace(self, level=self.level * factor, blocks=blocks)

    def record(self) -> dict[str, Any]:
        return super().record() | {"blocks": [vars(block) for block in self.blocks]}

    @classmethod
    def of(cls, stored: dict[str, Any]) -> Moments:
        return cls(**stored | {"blocks": tuple(Block(**block) for block in stored["blocks"])})
