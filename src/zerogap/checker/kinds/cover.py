"""Vector multipliers at three layers, over a cover of the output directions (theory §4).

h(q) = c₃(Λq) is convex, even and homogeneous. For q = Σ a_i q_i, a ≥ 0, of unit length,

    h(q) ≤ Σ a_i h(q_i) = qᵀw ≤ ‖w‖  where q_iᵀw = h(q_i) for all i,

so c₃(Λ) = max h(q) is at most the largest ‖w‖ over cones of q's that cover all directions up to
sign. The h(q_i) are proved as scalar levels, by trees.
"""

from collections.abc import Iterator
from itertools import product

import numpy as np
from flint import arb, arb_mat, fmpq_mat

from zerogap.checker.balls import Array, Refused, balls, frobenius
from zerogap.checker.batches import largest_level
from zerogap.checker.budget import STEP, spend
from zerogap.checker.eigen import spectral_norm
from zerogap.checker.kinds.kind import Piece, kind
from zerogap.checker.kinds.tree import leaves_below, mu_rows
from zerogap.checker.limits import MAX_COVERED, MAX_LEAVES
from zerogap.checker.pricing import faces_of

Direction = tuple[int, ...]


@kind("cover", "relu", range(3, 4))
def cover(piece: Piece) -> arb:
    """The largest ‖w‖ over the cones, and what X′ costs."""
    k = piece.multipliers.shape[1]
    if not 2 <= k <= MAX_COVERED:
        piece.refuse(f": a cover is for 2 to {MAX_COVERED} outputs")
    near, cost = piece.nearby()
    splits = piece.matrix("splits")
    if splits.shape[1] != 4 or len(splits) > MAX_LEAVES:
        piece.refuse(f".splits: accepted are up to {MAX_LEAVES} rows of 4 numbers")
    heights = _Heights(piece, near)
    worst = arb(0)
    for cone, is_leaf in _cones(splits, k, piece.place):
        # Heights are found in the order of first use, which is that of the rows of μ.
        found = [heights[q] for q in cone]
        spend(20 * STEP, "the cones of outputs")
        if is_leaf:
            w = arb_mat([list(q) for q in cone]).solve(arb_mat(k, 1, found))
            worst = worst.max(frobenius(w))
    if heights.unused():
        piece.refuse(": mu has more rows than the cover")
    return worst + cost


class _Heights:
    """h(q) = c₃(Λq) from above, proved at first use and kept."""

    def __init__(self, piece: Piece, near: fmpq_mat) -> None:
        self._piece, self._rows, self._faces = piece, mu_rows(piece), faces_of(near)
        self._multipliers, self._stretch = balls(piece.multipliers), spectral_norm(arb_mat(near))
        self._known: dict[Direction, arb] = {}

    def __getitem__(self, q: Direction) -> arb:
        name = max(q, tuple(-x for x in q))  # h is even
        if name not in self._known:
            self._known[name] = self._prove(name)
        return self._known[name]

    def _prove(self, q: Direction) -> arb:
        """h(q) ≤ c₃(λ) + ‖Λq − λ‖ ‖X′‖₂ for the λ that the μ's were found for: Λq in float64."""
        spend(1500 * STEP, "the directions of a cover")
        vector = self._piece.multipliers @ np.array(q, dtype=float)
        exact = self._multipliers * arb_mat(len(q), 1, list(q))
        drift = frobenius(exact - balls(vector[:, None]))
        leaves = leaves_below(self._piece, vector, self._rows, self._piece.depth)
        return largest_level(self._faces, leaves) + drift * self._stretch

    def unused(self) -> bool:
        return next(self._rows, None) is not None


def _cones(splits: Array, k: int, place: str) -> Iterator[tuple[list[Direction], bool]]:
    """Every cone of the tree of bisections, depth first, and whether it is a leaf.

    It starts from the orthants with q₁ ≥ 0. A cone is the union of its halves, which share the ray
    p q_i + r q_j, p, r > 0. Rays are whole numbers, exact in float64.
    """
    waiting = iter(splits.tolist())
    first = (1, *[0] * (k - 1))
    stack = [
        [first, *[tuple(s * (i == j) for j in range(k)) for i, s in enumerate(signs, 1)]]
        for signs in product((1, -1), repeat=k - 1)
    ][::-1]
    while stack:
        cone = stack.pop()
        split = next(waiting, None)
        if split is None or not all(float(x).is_integer() and abs(x) < 2**53 for x in split):
            raise Refused(f"{place}.splits: a cone without its row of whole numbers")
        i, j, p, r = map(int, split)
        yield cone, i < 0
        if i < 0:
            continue
        if not (0 <= i < j < k and p > 0 and r > 0):
            raise Refused(f"{place}.splits has the row {split}; accepted is i < j, p > 0, r > 0")
        middle = tuple(p * a + r * b for a, b in zip(cone[i], cone[j], strict=True))
        if max(map(abs, middle)) > 2**53:
            raise Refused(f"{place}.splits: a direction is too large to be exact")
        stack += [[*cone[:e], middle, *cone[e + 1 :]] for e in (j, i)]
    if next(waiting, None) is not None:
        raise Refused(f"{place}.splits has more rows than the cover")
