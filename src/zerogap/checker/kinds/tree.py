"""Scalar multipliers of three or more ReLU layers by the path relaxation (theory §5).

V_L ⊂ φ(conv(±V_{L−1}^path)). For z in that hull, P = {ν > 0}, N = {ν < 0}, and any 0 ≤ μ ≤ ν⁻:

    νᵀφ(z) = Σ_P ν_i φ(z_i) − Σ_N |ν_i| φ(z_i) ≤ max_{S ⊆ P} (ν_S − μ)ᵀz,

because the first sum is Σ_S ν_i z_i at S = {i ∈ P : z_i > 0}, and |ν_i| φ(z_i) ≥ μ_i z_i. So
c±_L(ν) is at most the largest c±_{L−1}(ν_S − μ) over both signs of ν and all S; c±₂ is priced by
faces.
"""

from collections.abc import Iterator

import numpy as np
from flint import arb

from zerogap.checker.balls import Array
from zerogap.checker.batches import largest_level
from zerogap.checker.budget import STEP, spend
from zerogap.checker.kinds.kind import ANY_DEPTH, Piece, kind
from zerogap.checker.limits import MAX_LEAVES
from zerogap.checker.pricing import faces_of


@kind("tree", "relu", ANY_DEPTH[1:])
def tree(piece: Piece) -> arb:
    """The largest level of the leaves, and what X′ costs."""
    if piece.multipliers.shape[1] != 1:
        piece.refuse(": a tree is for scalar multipliers; wrap it in kind 'outputs'")
    near, cost = piece.nearby()
    rows = mu_rows(piece)
    leaves = leaves_below(piece, piece.multipliers[:, 0], rows, piece.depth)
    if next(rows, None) is not None:
        piece.refuse(".mu has more rows than the tree")
    return largest_level(faces_of(near), leaves) + cost


def mu_rows(piece: Piece) -> Iterator[Array]:
    """The rows of `mu`, one μ each, in the order in which trees take them."""
    rows = piece.matrix("mu")
    if rows.shape[1] != len(piece.X) or len(rows) > MAX_LEAVES:
        piece.refuse(f".mu: accepted are up to {MAX_LEAVES} rows, one entry per sample")
    return iter(rows)


def leaves_below(piece: Piece, vector: Array, rows: Iterator[Array], depth: int) -> Array:
    """The leaves of the tree below a vector ν, one a row; takes the μ's it needs from `rows`."""
    leaves: list[Array] = []
    stack = [(depth, children(vector))]
    while stack:
        depth, nodes = stack[-1]
        step = next(nodes, None)
        if step is None:
            stack.pop()
            continue
        spend(6 * STEP, "the tree")
        child = below(piece, *step, rows)
        if depth == 3:
            leaves.append(child)
        else:
            stack.append((depth - 1, children(child)))
    return np.array(leaves)


def below(piece: Piece, w: Array, chosen: Array, room: Array, rows: Iterator[Array]) -> Array:
    """The child w_S − μ, with the next μ of `rows`."""
    mu = next(rows, None)
    if mu is None:
        piece.refuse(".mu has fewer rows than the tree")
    # The nearest μ in the box: a solver's last bit may stick out.
    child = -np.minimum(np.maximum(mu, 0), room)
    child[chosen] = w[chosen]
    return child


def children(nu: Array) -> Iterator[tuple[Array, Array, Array]]:
    """w = ±ν, the indices in S ⊆ {w > 0}, and the room w⁻ of μ, for both signs and every S."""
    for w in (nu, -nu):
        on, room = np.flatnonzero(w > 0), np.maximum(-w, 0)
        for mask in range(2 ** len(on)):
            yield w, on[[bool(mask >> i & 1) for i in range(len(on))]], room
