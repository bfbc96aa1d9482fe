"""Weight decay with β > 0 at three or more layers: one piece of evidence for many Λ (theory §1).

Every Λ bounds the loss from below at all gauges at once; the checker minimises over these.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from zerogap.solving.evidence.base import Evidence, evidence_of


@dataclass(frozen=True, eq=False)
class Levels(Evidence, kind="levels"):
    """Evidence for each Λ."""

    evidence: tuple[Evidence, ...]

    def __mul__(self, factor: float) -> Levels:
        return Levels(tuple(piece * factor for piece in self.evidence))

    def stretched(self, size: float) -> Levels:
        return Levels(tuple(piece.stretched(size) for piece in self.evidence))

    @classmethod
    def of(cls, stored: dict[str, Any]) -> Levels:
        return cls(tuple(map(evidence_of, stored["evidence"])))
