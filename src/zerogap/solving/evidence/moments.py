"""Two layers beyond enumeration: c(Λ) ≤ c₀ + (2 + s²‖X‖²)δ by moments of neurons (theory §3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from zerogap.convex.blocks import Block
from zerogap.solving.evidence.blocks import Blocks


@dataclass(frozen=True, eq=False)
class Moments(Blocks, kind="moments"):
    """Λ, c₀ (`level`), and for each block of signs the multipliers of its moments' cones.

    A neuron's moments are those of (r, u, p, q), p = φ(sXu), q = φ(−sXu), with s the `scale`. All
    but s is linear in Λ. On size·X, s/size leaves p and q as they are, and rᵀΛᵀp/s, which the
    blocks prove to be at most c₀, is size times as large. Vertices stay what they are.
    """

    blocks: tuple[Block, ...]

    def record(self) -> dict[str, Any]:
        fields = [vars(block).items() for block in self.blocks]
        stated = [{name: x for name, x in each if x is not None} for each in fields]
        return super().record() | {"blocks": stated}

    @classmethod
    def of(cls, stored: dict[str, Any]) -> Moments:
        return cls(**stored | {"blocks": tuple(Block(**block) for block in stored["blocks"])})
