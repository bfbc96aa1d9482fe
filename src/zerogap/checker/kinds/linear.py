"""Linear networks of any depth: V_L = {Xw : ‖w‖ ≤ 1}, so c = ‖XᵀΛ‖₂ (theory §2)."""

from flint import arb

from zerogap.checker.balls import balls, times
from zerogap.checker.eigen import spectral_norm
from zerogap.checker.kinds.kind import ANY_DEPTH, Piece, kind


@kind("linear", "linear", ANY_DEPTH)
def linear(piece: Piece) -> arb:
    """‖XᵀΛ‖₂."""
    return spectral_norm(times(balls(piece.X).transpose(), balls(piece.multipliers)))
