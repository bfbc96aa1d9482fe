"""Proved upper bounds on many scalar two-layer levels at once, in float64 with its errors charged.

For scalars the form of a face is νᵀDKDν (pricing.py), and the signs to test are those of h = KDν.
With u = 2⁻⁵³, ν is divided by the sum s of its absolute entries, so Σ|x_i| ≤ 1 + (n+1)u for the
floats x, and ν_i = s x_i(1 + δ), |δ| ≤ 4u: the norm of a row (2u), its product with Λ_i and the
division round. |K_ij| ≤ 1, and its floats are off by at most 4u. So

    |hᵢ/s − fl(KDx)ᵢ| ≤ nu + 8u and |νᵀDKDν/s² − fl(xᵀDKDx)| ≤ 2nu + 12u,

both up to a factor 1 + 10⁻¹³ for products of errors, since an inner product of n terms in any
order, fused or not, is off by γ_n = nu/(1 − nu) of the sum of its absolute terms (Higham, Accuracy
and Stability, §3.1). Charged is (4n + 64)u. Underflow is far below, by the range asked for.
"""

import numpy as np
from flint import arb

from zerogap.checker.balls import Array, Refused, balls, root
from zerogap.checker.budget import STEP, hold, spend
from zerogap.checker.pricing import Faces, level

# Relative error that is not worth a refinement (verdicts are read at 1e-6); vectors that are
# re-priced in balls before the float64 bound is taken as it stands.
_NEGLIGIBLE = 1e-11
_MAX_REFINED = 200


def largest_level(faces: Faces, vectors: Array) -> arb:
    """An upper bound on max c(ν) over the rows ν of a (m, n) batch.

    Where the errors charged matter to the largest levels, these are priced again in balls.
    """
    m, n = vectors.shape
    if not len(faces.signs) or not vectors.any():
        return arb(0)
    spend(len(faces.signs) * (10 * STEP + m * n * (n + 10) / 25), f"{m} vectors on all faces")
    hold(8 * n * m * 6, f"{m} vectors")
    norms = np.array([float(s) for s in faces.norms])
    for name, values in (("multipliers", vectors), ("data", norms)):
        sizes = np.abs(values[values != 0])
        if len(sizes) and not 1e-100 <= sizes.min() <= sizes.max() <= 1e100:
            raise Refused(f"the {name} leave the range 1e-100 to 1e100")
    W = np.unique(vectors, axis=0).T
    weighted = norms[:, None] * W
    sizes = np.abs(weighted).sum(axis=0)
    top, error = float_tops(faces, weighted / np.where(sizes > 0, sizes, 1))
    bounds = sizes * np.sqrt(top + error)
    best = arb(0)
    for count, j in enumerate(np.argsort(-bounds, kind="stable")):
        bound = arb(sizes[j]) * root(arb(top[j]) + arb(error))
        # The list is sorted by rounded values; one rounding more covers the rest of it.
        cover = bound * (1 + arb(2.0**-40))
        if cover <= best:
            break
        if error <= _NEGLIGIBLE * top[j] or count == _MAX_REFINED:
            return best.max(cover)
        refined = level(faces, balls(W[:, [j]]))
        best = best.max(refined)
    return best


def float_tops(faces: Faces, unit: Array) -> tuple[Array, float]:
    """max xᵀDKDx over the faces that count, for each column x of `unit` (n, m), and its error."""
    if not faces.rounding <= 2.0**-51:
        raise Refused("the arrangement is too degenerate for the working precision")
    error = (4 * len(unit) + 64) * 2.0**-53
    top = np.zeros(unit.shape[1])
    for signs, flat in zip(faces.signs, faces.flat, strict=True):
        on, off = signs > 0, signs != 0
        h = faces.floats[flat][:, on] @ unit[on]
        value = (unit[on] * h[on]).sum(axis=0)
        signed = signs[off, None] * h[off]
        # A face whose h is proved to have two wrong signs, one for each of ±h, does not count.
        outside = (signed.min(axis=0) < -error) & (signed.max(axis=0) > error)
        np.maximum(top, np.where(outside, 0, value), out=top)
    return top, error
