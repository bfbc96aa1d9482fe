"""Two ReLU layers: V₂ = {φ(Xu) : ‖u‖ ≤ 1}, every face of the arrangement priced (theory §3)."""

from __future__ import annotations

from flint import arb

from zerogap.checker.balls import balls
from zerogap.checker.kinds.kind import Piece, kind
from zerogap.checker.pricing import faces_of, level


@kind("faces", "relu", range(2, 3))
def faces(piece: Piece) -> arb:
    """The largest level over the faces of X′, and what X′ costs."""
    near, cost = piece.nearby()
    return level(faces_of(near), balls(piece.multipliers)) + cost
