"""What evidence by moments shares: multipliers for blocks of signs, and how they scale."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

from zerogap.model.matrices import Array
from zerogap.solving.evidence.base import Proof


@dataclass(frozen=True, eq=False)
class Blocks(Proof):
    """Λ, c₀ (`level`), and the multipliers of every block, on s·X with s the `scale`.

    All but s is linear in Λ. On size·X, s/size leaves the moments as they are, and the level is
    size times as large.
    """

    scale: float
    level: float
    blocks: tuple[Any, ...]
    multipliers: Array

    def __mul__(self, factor: float) -> Self:
        return replace(self._grown(factor), multipliers=self.multipliers * factor)

    def stretched(self, size: float) -> Self:
        return replace(self._grown(size), scale=self.scale / size)

    def _grown(self, factor: float) -> Self:
        blocks = tuple(block * factor for block in self.blocks)
        return replace(self, level=self.level * factor, blocks=blocks)
