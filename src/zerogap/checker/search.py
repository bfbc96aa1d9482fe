"""A lower bound on the primal by search over the weights, with no theory of the data.

A three-layer standard ReLU network meets its first layer only through the Gram matrix G = AAᵀ of
A = φ(XW₁), whatever its width. All G lie in the cone of symmetric matrices with non-negative
entries; a tree of bisections splits it into simplicial cones, and every leaf brings multipliers
that bound P₁ for all G inside. Proof and format: docs/certificates.md.
"""

from collections.abc import Iterator
from itertools import product

import numpy as np
from flint import arb, arb_mat

from zerogap.checker.balls import Array, Refused, balls, frobenius, inner
from zerogap.checker.budget import STEP, spend
from zerogap.checker.eigen import positive_definite
from zerogap.checker.limits import MAX_BISECTIONS, MAX_SAMPLES, MAX_SEARCHED


def scaled_primal(
    X: Array, Y: Array, epsilon: arb, data: Array, splits: Array, leaves: Array
) -> arb:
    """A lower bound on P₁ of three-layer standard ReLU networks with ‖f(X) − Y‖_F ≤ ε.

    data: (n, n), H₀ ≻ XXᵀ. splits: one row (i, j) per cone, depth first: bisect the edge from ray
    i to ray j, i < j, the half with ray i first; (−1, −1) is a leaf. leaves: one row per leaf, the
    lower triangles of M and H by rows, then Λ (n, k) by rows.

    A leaf proves P₁ ≥ tr(ΛᵀY) − ε‖Λ‖_F for the G in its cone if φ(z)ᵀMφ(z) ≤ zᵀH₀⁻¹z and
    ‖Λᵀφ(z)‖² ≤ zᵀH⁻¹z for all z, and each ray R has ⟨M, R⟩ > 0 and R ≺ ⟨M, R⟩ H.
    """
    n, k = Y.shape
    if n > MAX_SAMPLES or len(splits) > MAX_SEARCHED:
        raise Refused(f"gap.search: accepted are {MAX_SAMPLES} samples and {MAX_SEARCHED} cones")
    pairs = [(i, j) for i in range(n) for j in range(i + 1)]
    size = len(pairs)
    if data.shape != (n, n) or splits.shape[1] != 2 or leaves.shape[1] != 2 * size + n * k:
        raise Refused("gap.search: data, splits or leaves do not have the shape of the problem")
    ground = _symmetric([arb(float(data[pair])) for pair in pairs], pairs)
    if not positive_definite(ground - balls(X) * balls(X).transpose()):
        raise Refused("gap.search.data is not proved to exceed X Xᵀ")
    reach, targets = ground.inv(), balls(Y)
    # Rays are counted in units of the samples' norms, so that cones are well shaped.
    norms = [arb(x) for x in np.linalg.norm(X, axis=1).tolist()]
    units = [norms[i] * norms[j] for i, j in pairs]
    rows = iter(leaves.tolist())
    bounds: list[arb] = []
    for cone in _leaves(splits, size):
        spend(60 * STEP * n**2, "the leaves of the search")
        row = next(rows, None)
        if row is None:
            raise Refused("gap.search.leaves has fewer rows than the tree has leaves")
        entries = [arb(x) for x in row]
        M, H = _symmetric(entries[:size], pairs), _symmetric(entries[size : 2 * size], pairs)
        Lambda = arb_mat(n, k, entries[2 * size :])
        weights = [[arb(x) * unit for x, unit in zip(ray, units, strict=True)] for ray in cone]
        fault = _fault(reach, M, H, Lambda, [_symmetric(ray, pairs) for ray in weights])
        if fault:
            raise Refused(f"gap.search.leaves[{len(bounds)}]: {fault}")
        bounds.append(inner(Lambda, targets) - epsilon * frobenius(Lambda))
    if next(rows, None) is not None:
        raise Refused("gap.search.leaves has more rows than the tree has leaves")
    # Every G lies in some leaf's cone, so the worst of the leaves bounds them all.
    return min(bounds, key=lambda bound: bound.lower()).lower()


def _leaves(splits: Array, size: int) -> Iterator[list[tuple[float, ...]]]:
    """The rays of every leaf of the tree of bisections, depth first; they cover all x ≥ 0.

    Half the sum of two rays lies on their edge, so a cone is the union of its two halves.
    """
    waiting = iter(splits.tolist())
    stack = [(0, [tuple(float(a == b) for b in range(size)) for a in range(size)])]
    while stack:
        depth, rays = stack.pop()
        split = next(waiting, None)
        if split is None:
            raise Refused("gap.search.splits: a cone is neither split nor a leaf")
        if split == [-1, -1]:
            yield rays
            continue
        i, j = map(int, split)
        if split != [i, j] or not 0 <= i < j < size or depth == MAX_BISECTIONS:
            raise Refused(
                f"gap.search.splits has the row {split}; accepted are two rays i < j, at most "
                f"{MAX_BISECTIONS} times"
            )
        middle = tuple((a + b) / 2 for a, b in zip(rays[i], rays[j], strict=True))
        stack += [(depth + 1, [*rays[:e], middle, *rays[e + 1 :]]) for e in (i, j)]
    if next(waiting, None) is not None:
        raise Refused("gap.search.splits has more rows than the tree")


def _fault(reach: arb_mat, M: arb_mat, H: arb_mat, Lambda: arb_mat, rays: list[arb_mat]) -> str:
    """What a leaf fails to prove, or nothing."""
    if not _bounded(M, reach):
        return "M is not proved to be at most 1 on the hidden neurons"
    for ray in rays:
        scale = inner(M, ray)
        if not scale > 0 or not positive_definite(scale * H - ray):
            return "H is not proved to exceed every Gram matrix of the cone"
    if not positive_definite(H) or not _bounded(Lambda * Lambda.transpose(), H.inv()):
        return "Λ is not proved to be at most 1 on the second layer"
    return ""


def _bounded(M: arb_mat, Q: arb_mat) -> bool:
    """Whether φ(z)ᵀMφ(z) ≤ zᵀQz for all z, Q ⪰ 0.

    Where z has the signs σ, the difference is |z|ᵀC|z| with C_ij = σ_iσ_j Q_ij − M_ij, M only for
    positive z_i, z_j. It is non-negative if C is positive definite, or C without its positive
    off-diagonal entries, which is all there is to check for two samples.
    """
    n = Q.nrows()
    for signs in product((1, -1), repeat=n):
        C = arb_mat(n, n)
        below = arb_mat(n, n)
        for i, j in product(range(n), repeat=2):
            both = signs[i] > 0 and signs[j] > 0
            C[i, j] = signs[i] * signs[j] * Q[i, j] - (M[i, j] if both else 0)
            below[i, j] = C[i, j] if i == j else C[i, j].min(arb(0))
        if not positive_definite(below) and not positive_definite(C):
            return False
    return True


def _symmetric(entries: list[arb], pairs: list[tuple[int, int]]) -> arb_mat:
    """The symmetric matrix of a lower triangle."""
    n = pairs[-1][0] + 1
    A = arb_mat(n, n)
    for (i, j), entry in zip(pairs, entries, strict=True):
        A[i, j] = A[j, i] = entry
    return A
