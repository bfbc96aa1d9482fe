"""Data near c aᵀ: V_L ⊂ ‖a‖ conv{0, c₊, c₋} at every depth, so two points decide (theory §6)."""

import numpy as np
from flint import arb

from zerogap.checker.balls import balls, frobenius
from zerogap.checker.kinds.kind import ANY_DEPTH, Piece, kind


@kind("rank-one", "relu", ANY_DEPTH)
def rank_one(piece: Piece) -> arb:
    """‖a‖ max(‖Λᵀc₊‖, ‖Λᵀc₋‖) + ‖Λ‖_F ‖X − c aᵀ‖_F."""
    c, a = piece.matrix("c"), piece.matrix("a")
    if c.shape != (len(piece.X), 1) or a.shape != (piece.X.shape[1], 1):
        piece.refuse(": c has one row per sample and a one per column of X")
    Lambda = balls(piece.multipliers)
    plus, minus = (frobenius(Lambda.transpose() * balls(np.maximum(side, 0))) for side in (c, -c))
    drift = frobenius(balls(piece.X) - balls(c) * balls(a).transpose())
    return frobenius(balls(a)) * plus.max(minus) + frobenius(Lambda) * drift
