"""ReLU networks of any depth on any data: V_L ⊂ {v ≥ 0 : ‖v‖ ≤ ‖X‖₂}, V_L itself if XXᵀ = I (§7).

So c ≤ ‖X‖₂ max{‖Λᵀv‖ : v ≥ 0, ‖v‖ ≤ 1}, a copositive problem.
"""

from flint import arb, arb_mat

from zerogap.checker.balls import balls, frobenius, root, times
from zerogap.checker.eigen import spectral_norm, top_eigenvalue
from zerogap.checker.kinds.kind import ANY_DEPTH, Piece, kind
from zerogap.checker.limits import MAX_SUPPORT
from zerogap.checker.pricing import level, supports

# Samples up to which a matrix of that order is factorised.
_MANY = 800


@kind("whitened", "relu", ANY_DEPTH)
def whitened(piece: Piece) -> arb:
    """By all supports of v, or by a split: ΛΛᵀ + S with S ≥ 0 entrywise bounds the form on v ≥ 0.

    The S that cancels the negative entries is exact for one-hot and for scalar targets, where λᵀv
    is largest along the positive entries of λ, or of −λ. Of many samples ‖Λ‖₂ bounds it for any v.
    """
    stretch, Lambda = spectral_norm(balls(piece.X)), balls(piece.multipliers)
    n = len(piece.X)
    if n <= MAX_SUPPORT:
        return stretch * level(supports(n), Lambda)
    if Lambda.ncols() == 1:
        return stretch * _one_sided(Lambda).max(_one_sided(-Lambda))
    if n > _MANY and piece.fields.get("split") is None:
        return stretch * spectral_norm(Lambda)
    form = times(Lambda, Lambda.transpose())
    if piece.fields.get("split") is None:
        form = arb_mat(n, n, [x.max(arb(0)) for x in form.entries()])
    else:
        S = piece.matrix("split")
        if S.shape != (n, n) or S.min() < 0:
            piece.refuse(".split: accepted is a square non-negative matrix")
        form += (balls(S) + balls(S.T)) * arb(0.5)
    return stretch * root(top_eigenvalue(form))


def _one_sided(Lambda: arb_mat) -> arb:
    """‖λ₊‖."""
    return frobenius(arb_mat(Lambda.nrows(), 1, [x.max(arb(0)) for x in Lambda.entries()]))
