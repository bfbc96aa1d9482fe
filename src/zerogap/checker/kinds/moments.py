"""Proved upper bounds on two-layer levels c(Λ) by the moments of a neuron, over blocks of signs.

For u with ‖u‖ = 1 let p = φ(sXu), q = φ(−sXu), so that p − q = sXu, and r with ‖r‖ = 1 (r = 1, for
each sign σ of the output, if k = 1). Then ‖Λᵀφ(Xu)‖ is the largest σ rᵀΛᵀp/s. A block holds the u
with given signs of some x_i·u, where p_i = 0 or q_i = 0. With y = (p, q), multipliers

    pairs S (2n, 2n), S ≥ 0 except where y_i y_j = 0,
    cones a (k, 2n), B (d, 2n): a_i ≥ ‖B_i‖ if k = 1, else zero, except where y_i = 0,
    trace t,

make yᵀSy + 2 rᵀa y + 2 uᵀB y ≥ 0 and t(‖u‖² − ‖r‖²) = 0, hence with the matrix H of

    zᵀHz = c₀‖r‖² − σ rᵀΛᵀp/s − yᵀSy − 2 rᵀay − 2 uᵀBy + t(‖u‖² − ‖r‖²),    z = (r, u, p),

σ rᵀΛᵀp/s ≤ c₀ − λ_min(H)‖z‖², and ‖z‖² ≤ 2 + s²‖X‖₂². Any multipliers prove something.

Blocks of two outputs may have a `vertex` v each: they are those of one output, λ = Λv, with σ = 1.
h(r) = max rᵀΛᵀφ(Xu) over ‖u‖ = 1 is convex and homogeneous. If neighbours v, w of the polygon are
less than half a turn apart, and the line through them no nearer to zero than 1, every unit r
between them is αv + βw, α, β ≥ 0, α + β ≤ 1, so that h(r) ≤ max(h(v), h(w), 0).

−H is computed in float64, from sX and Λ/s rounded once, or Λv/s. No entry is a sum of products of
more than three factors, of sX, Λ/s, Λ and v, and the multipliers, nor of more than n terms twice
over and a few, so that it is off by at most γ_N, N = 2n + 16, times the same expression in
absolute values (Higham, Accuracy and Stability, §3.1: γ_N = Nu/(1 − Nu), in any order). What
underflows is off by 2⁻¹⁰⁷⁴ and is multiplied by less than n² times the square of the largest
number; with all of them below 2³⁰⁰ that is less than 2⁻³⁰⁰, which is charged as well. So is what is
lost of Λv before it is divided by s ≥ 10⁻¹⁰⁰.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from flint import arb

from zerogap.checker.balls import Array, balls
from zerogap.checker.budget import STEP, hold, spend
from zerogap.checker.eigen import float_top_eigenvalue, spectral_norm
from zerogap.checker.kinds.kind import Piece, kind
from zerogap.checker.limits import MAX_EVIDENCE, MAX_ORDER
from zerogap.checker.reading import symmetric

UNIT = 2.0**-53
LARGEST, UNDERFLOW = 2.0**300, 2.0**-300
# Of arithmetic with numbers below the second.
_SLOW = 10.0


@dataclass(frozen=True)
class Block:
    """The multipliers of one block, moved to the nearest valid ones."""

    sign: int
    pairs: Array
    cones: Array
    trace: float


def stated(piece: Piece) -> tuple[float, float, list[Piece]]:
    """The scale, the level to begin at, and the blocks."""
    scale, start, listed = piece.number("scale"), piece.number("level"), piece.get("blocks")
    if not 1e-100 <= scale <= 1e100:
        piece.refuse(f".scale is {scale}; accepted is a positive number, 1e-100 to 1e100")
    if not isinstance(listed, list) or not 1 <= len(listed) <= MAX_EVIDENCE:
        piece.refuse(f".blocks: accepted is a list of 1 to {MAX_EVIDENCE}")
    places = [f"{piece.place}.blocks[{i}]" for i in range(len(listed))]
    parts = [replace(piece, fields=b, place=at) for b, at in zip(listed, places, strict=True)]
    return scale, start, parts


def covering(
    piece: Piece, parts: list[Piece], what: str, accepted: tuple[int, ...] = ()
) -> tuple[list[int], list[Array]]:
    """The blocks' signs, by default those of all outputs, and sides: all there are of `what`."""
    n, k = piece.multipliers.shape
    accepted = accepted or ((1, -1) if k == 1 else (0,))
    signs = [sign_of(part, accepted) for part in parts]
    sides = [sides_of(part, n) for part in parts]
    for sign in accepted:
        if not covered([s for s, own in zip(sides, signs, strict=True) if own == sign]):
            piece.refuse(f".blocks: some signs of {what} are in no block of sign {sign}")
    return signs, sides


@kind("moments", "relu", range(2, 3))
def moments(piece: Piece) -> arb:
    """An upper bound on c(Λ), from scale s > 0, any c₀ = level, and blocks that cover all signs."""
    scale, start, parts = stated(piece)
    n, d, k = *piece.X.shape, piece.multipliers.shape[1]
    order = n + d + k
    if order > MAX_ORDER:
        piece.refuse(f": n + d + k is {order}; accepted is up to {MAX_ORDER}")
    hold(8 * (4 * (2 * n) ** 2 + 8 * order**2), "a block")
    X, worst = scale * piece.X, 0.0
    work = order**3 / 60 + n * n * d / 30 + 500 * n
    for part, sign, chosen, Lambda, sizes in _whole(piece, parts):
        spend(work, "a block")
        block = _block(part, sign, chosen)
        numbers = np.array([block.trace, start])
        spend(work * in_range(part, X, sizes / scale, block.pairs, block.cones, numbers), "a block")
        form, error = _form(X, Lambda / scale, sizes / scale, start, block)
        top = float_top_eigenvalue(form, error)
        if not top < math.inf:  # nor NaN
            part.refuse(": the form overflows")
        worst = max(worst, top)
    longest = 2 + (arb(scale) * spectral_norm(balls(piece.X))) ** 2
    return (arb(start) + longest * arb(worst)).max(arb(0))


def in_range(piece: Piece, *numbers: Array) -> float:
    """Refuse what is too large; how much longer arithmetic with the small ones takes, as a share.

    Products below 2⁻¹⁰²² are rounded by a slow path of the processor.
    """
    slower = 0.0
    for A in numbers:
        sizes = np.abs(A)
        if not sizes.max(initial=0) <= LARGEST:
            piece.refuse(f": numbers are up to {sizes.max():.2g}; accepted is 2^300")
        if np.any((sizes > 0) & (sizes < UNDERFLOW)):
            slower = _SLOW
    return slower


def _whole(piece: Piece, parts: list[Piece]) -> Iterator[tuple[Piece, int, Array, Array, Array]]:
    """The blocks with their signs, sides, multipliers Λ or Λv, and what these add up from.

    Of every vertex, and without any, they must be all there are.
    """
    Lambda = piece.multipliers
    if not any(isinstance(part.fields, dict) and "vertex" in part.fields for part in parts):
        for part, sign, sides in zip(parts, *covering(piece, parts, "X u"), strict=True):
            yield part, sign, sides, Lambda, np.abs(Lambda)
        return
    vertices = [_vertex(part) for part in parts]
    _surround(piece, set(vertices))
    for vertex in dict.fromkeys(vertices):
        own = [part for part, other in zip(parts, vertices, strict=True) if other == vertex]
        v = np.array(vertex)[:, None]
        scalar, sizes = replace(piece, multipliers=Lambda @ v), np.abs(Lambda) @ np.abs(v)
        what = f"X u at vertex {vertex}"
        for part, sign, sides in zip(own, *covering(scalar, own, what, (1,)), strict=True):
            part = replace(part, multipliers=scalar.multipliers)
            yield part, sign, sides, part.multipliers, sizes


def _vertex(piece: Piece) -> tuple[float, float]:
    vertex = piece.matrix("vertex")
    if piece.multipliers.shape[1] != 2 or vertex.shape != (2, 1):
        piece.refuse(".vertex: accepted is one column of two numbers, for two outputs")
    return float(vertex[0, 0]), float(vertex[1, 0])


def _surround(piece: Piece, vertices: set[tuple[float, float]]) -> None:
    """Refuse vertices whose polygon does not hold the unit disk, in rationals."""
    spend(20 * STEP * len(vertices), "a polygon")
    ordered = sorted(vertices, key=lambda v: math.atan2(v[1], v[0]))
    points = [(Fraction(x), Fraction(y)) for x, y in ordered]
    for (a, b), (x, y) in zip(points, points[1:] + points[:1], strict=True):
        area = a * y - b * x
        if not (area > 0 and area**2 >= (x - a) ** 2 + (y - b) ** 2):
            piece.refuse(
                ".blocks: accepted are vertices of a polygon around the unit disk, at different "
                "angles, with no side nearer to zero than 1"
            )


def sign_of(piece: Piece, accepted: tuple[int, ...]) -> int:
    sign: Any = piece.get("sign")
    if type(sign) is not int or sign not in accepted:
        piece.refuse(f".sign is {sign!r}")
    return int(sign)


def sides_of(piece: Piece, n: int) -> Array:
    sides = piece.matrix("sides")
    if sides.shape != (n, 1) or not np.isin(sides, (-1, 0, 1)).all():
        piece.refuse(".sides: accepted is −1, 0 or 1 for each sample")
    return sides[:, 0]


def _block(piece: Piece, sign: int, sides: Array) -> Block:
    """A block of a certificate, its multipliers moved to the nearest valid ones."""
    n, d, k = *piece.X.shape, piece.multipliers.shape[1]
    pairs = symmetric(piece.get("pairs"), 2 * n, f"{piece.place}.pairs")
    cones = np.array(piece.matrix("cones"))
    if cones.shape != (k + d, 2 * n):
        piece.refuse(f": cones are {cones.shape} for {n} samples")
    zero = np.concatenate([sides < 0, sides > 0])
    i = np.arange(n)
    beside = pairs[i, n + i]
    kept = pairs[zero]
    np.maximum(pairs, 0, out=pairs)
    pairs[zero], pairs[:, zero] = kept, kept.T
    pairs[i, n + i] = pairs[n + i, i] = beside
    if k == 1:
        # Rounded up; squares that underflow are of lengths below 1e-150.
        lengths = np.sqrt((cones[1:] ** 2).sum(axis=0)) * (1 + (d + 8) * 2 * UNIT) + 1e-150
        cones[0, ~zero] = np.maximum(cones[0], lengths)[~zero]
    else:
        cones[:, ~zero] = 0
    return Block(sign=sign, pairs=pairs, cones=cones, trace=piece.number("trace"))


def covered(sides: list[Array]) -> bool:
    """Whether every sign vector in {−1, 1}ⁿ agrees with one of the blocks' sides."""
    if not sides:
        return False
    spend(10 * STEP + 0.2 * sum(side.size for side in sides), "the blocks' sides")
    table = np.array(sides)

    def holds(rows: Array, settled: Array) -> bool:
        """The same of the blocks in `rows` and the signs that are not settled."""
        left = table[rows][:, ~settled]
        if not len(rows) or not left.any(axis=1).all():
            return len(rows) > 0
        split = np.flatnonzero(np.all(left != 0, axis=0))
        if not len(split):
            return False
        i = np.flatnonzero(~settled)[split[0]]
        halves = [rows[table[rows, i] == value] for value in (1, -1)]
        if not all(map(len, halves)):
            return False
        settled = settled | (np.arange(len(settled)) == i)
        return all(holds(half, settled) for half in halves)

    spend(0.2 * len(table) * table.size, "the blocks' sides")
    return holds(np.arange(len(table)), np.zeros(table.shape[1], dtype=bool))


def _form(
    X: Array, multipliers: Array, added: Array, c0: float, block: Block
) -> tuple[Array, float]:
    """−H of one block, in the order r, u, p, and by how much it is off at most, in ‖·‖₂.

    added: |Λ|, or |Λ||v|.
    """
    form = _entries(X, multipliers, c0, block)
    absolute = replace(
        block, pairs=np.abs(block.pairs), cones=np.abs(block.cones), trace=abs(block.trace)
    )
    sizes = _entries(np.abs(X), added, abs(c0), absolute, same=True)
    terms = 2 * len(X) + 16
    # ‖E‖₂ is at most the largest row sum of |E|. The last factor is for rounding in `sizes`.
    largest = float(sizes.sum(axis=1).max())
    relative = terms * UNIT / (1 - terms * UNIT) * largest
    return form, relative * (1 + 1e-6) + UNDERFLOW


def _entries(X: Array, multipliers: Array, c0: float, block: Block, same: bool = False) -> Array:
    """−H; with all signs the `same`, of absolute values, what its terms add up to."""
    (n, d), k, minus = X.shape, multipliers.shape[1], 1 if same else -1
    A, C, D = block.pairs[:n, :n], block.pairs[:n, n:], block.pairs[n:, n:]
    at_p, at_q = block.cones[:, :n], block.cones[:, n:]
    r, u, p = slice(k), slice(k, k + d), slice(k + d, None)
    sign = abs(block.sign or 1) if same else block.sign or 1
    M = np.zeros((k + d + n, k + d + n))
    M[r, r] = (block.trace + minus * c0) * np.eye(k)
    M[u, r] = minus * (at_q[:k] @ X).T
    M[p, r] = (sign / 2 * multipliers.T + at_p[:k] + at_q[:k]).T
    beside = at_q[k:] @ X
    M[u, u] = X.T @ (D @ X) + minus * (beside + beside.T) + minus * block.trace * np.eye(d)
    M[p, u] = (at_p[k:] + at_q[k:]).T + minus * (C @ X + D @ X)
    M[p, p] = A + C + C.T + D
    # From the lower half: exactly symmetric.
    return np.tril(M) + np.tril(M, -1).T
