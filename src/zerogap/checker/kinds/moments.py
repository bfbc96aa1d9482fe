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
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
from flint import arb, arb_mat

from zerogap.checker.balls import Array, balls, diagonal, root, total
from zerogap.checker.budget import STEP, spend
from zerogap.checker.eigen import spectral_norm, top_eigenvalue
from zerogap.checker.kinds.kind import Piece, kind
from zerogap.checker.limits import MAX_EVIDENCE, MAX_ORDER


@dataclass(frozen=True)
class Block:
    """The multipliers of one block, with the signs allowed to them checked."""

    sign: int
    sides: Array
    pairs: Array
    cones: arb_mat
    trace: float


@kind("moments", "relu", range(2, 3))
def moments(piece: Piece) -> arb:
    """An upper bound on c(Λ), from scale s > 0, any c₀ = level, and blocks that cover all signs."""
    scale, start, listed = piece.number("scale"), piece.number("level"), piece.get("blocks")
    if not scale > 0:
        piece.refuse(f".scale is {scale}; accepted is a positive number")
    if not isinstance(listed, list) or not 1 <= len(listed) <= MAX_EVIDENCE:
        piece.refuse(f".blocks: accepted is a list of 1 to {MAX_EVIDENCE}")
    n, d, k = *piece.X.shape, piece.multipliers.shape[1]
    if n + d + k > MAX_ORDER:
        piece.refuse(f": n + d + k is {n + d + k}; accepted is up to {MAX_ORDER}")
    places = [f"{piece.place}.blocks[{i}]" for i in range(len(listed))]
    blocks = [
        _block(replace(piece, fields=b, place=at)) for b, at in zip(listed, places, strict=True)
    ]
    for sign in (1, -1) if k == 1 else (0,):
        if not covered([block.sides for block in blocks if block.sign == sign]):
            piece.refuse(f".blocks: some signs of X u are in no block of sign {sign}")
    s, c0 = arb(scale), arb(start)
    X, Lambda = balls(piece.X) * s, balls(piece.multipliers) * (1 / s)
    worst = arb(0)
    for block in blocks:
        spend(n * (5 * n * d + STEP * (n + d + k)) + STEP * (n + d + k) ** 2, "a block")
        worst = worst.max(top_eigenvalue(_form(X, Lambda, c0, block)))
    return (c0 + (2 + spectral_norm(X) ** 2) * worst).max(arb(0))


def _block(piece: Piece) -> Block:
    """A block of a certificate, its multipliers moved to the nearest valid ones."""
    n, d, k = *piece.X.shape, piece.multipliers.shape[1]
    sign, sides, pairs, cones = piece.get("sign"), *map(piece.matrix, ("sides", "pairs", "cones"))
    if sides.shape != (n, 1) or not np.isin(sides, (-1, 0, 1)).all():
        piece.refuse(".sides: accepted is −1, 0 or 1 for each sample")
    if pairs.shape != (2 * n, 2 * n) or cones.shape != (k + d, 2 * n):
        piece.refuse(f": pairs are {pairs.shape} and cones {cones.shape} for {n} samples")
    if type(sign) is not int or sign not in ((1, -1) if k == 1 else (0,)):
        piece.refuse(f".sign is {sign!r}")
    chosen = sides[:, 0]
    zero = np.concatenate([chosen < 0, chosen > 0])
    free = np.logical_or.outer(zero, zero)
    i = np.arange(n)
    free[i, n + i] = free[n + i, i] = True
    valid = np.where(free, pairs, np.maximum(pairs, 0))
    if k > 1:
        cones = np.where(zero, cones, 0)
    raised = balls(cones)
    if k == 1:
        for j in np.flatnonzero(~zero).tolist():
            lengths = root(total(raised[1 + row, j] ** 2 for row in range(d)))
            raised[0, j] = raised[0, j].max(lengths)
    return Block(
        sign=sign,
        sides=chosen,
        pairs=np.triu(valid) + np.triu(valid, 1).T,
        cones=raised,
        trace=piece.number("trace"),
    )


def covered(sides: list[Array]) -> bool:
    """Whether every sign vector in {−1, 1}ⁿ agrees with one of the blocks' sides."""
    if any(not side.any() for side in sides):
        return True
    if not sides:
        return False
    split = np.flatnonzero(np.all(np.array(sides) != 0, axis=0))
    if not len(split):
        return False
    halves = []
    for value in (1, -1):
        half = [side.copy() for side in sides if side[split[0]] == value]
        for side in half:
            side[split[0]] = 0
        halves.append(covered(half))
    return all(halves)


def _form(X: arb_mat, multipliers: arb_mat, c0: arb, block: Block) -> arb_mat:
    """−H of one block, in the order r, u, p; X and Λ scaled."""
    n, d, k = X.nrows(), X.ncols(), multipliers.ncols()
    A, C, D = (balls(S) for S in (block.pairs[:n, :n], block.pairs[:n, n:], block.pairs[n:, n:]))
    a_p, a_q = _part(block.cones, 0, k, 0, n), _part(block.cones, 0, k, n, 2 * n)
    B_p, B_q = _part(block.cones, k, k + d, 0, n), _part(block.cones, k, k + d, n, 2 * n)
    t = arb(block.trace)
    uu = X.transpose() * D * X - B_q * X - (B_q * X).transpose() - diagonal([t] * d)
    ru = -1 * (a_q * X)
    rp = (arb(block.sign or 1) / 2) * multipliers.transpose() + a_p + a_q
    up = B_p + B_q - (C * X + D * X).transpose()
    pp = A + C + C.transpose() + D
    rr = diagonal([t - c0] * k)
    rows = [
        *_beside(rr, ru, rp),
        *_beside(ru.transpose(), uu, up),
        *_beside(rp.transpose(), up.transpose(), pp),
    ]
    return arb_mat(rows)


def _part(M: arb_mat, top: int, bottom: int, left: int, right: int) -> arb_mat:
    return arb_mat([row[left:right] for row in M.tolist()[top:bottom]])


def _beside(*matrices: arb_mat) -> list[list[arb]]:
    return [list(chain(*rows)) for rows in zip(*(M.tolist() for M in matrices), strict=True)]
