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

from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from flint import arb, arb_mat

from zerogap.checker.balls import (
    Array,
    Refused,
    balls,
    diagonal,
    spectral_norm,
    top_eigenvalue,
    total,
)
from zerogap.checker.reading import get, matrix, number

# Samples and features together: the eigenvalue proofs cost their cube, seconds at this size.
MAX_ORDER = 400


@dataclass(frozen=True)
class Block:
    """The multipliers of one block, with the signs allowed to them checked."""

    sign: int
    sides: Array
    pairs: Array
    cones: arb_mat
    trace: float


def block_of(value: Any, place: str, n: int, d: int, k: int) -> Block:
    """A block of a certificate, its multipliers moved to the nearest valid ones."""
    if k + d + n > MAX_ORDER:
        raise Refused(
            f"{place}: {n} samples, {d} features and {k} outputs are more than {MAX_ORDER} together"
        )
    sign = get(value, "sign", place)
    sides, pairs, cones = (
        matrix(get(value, key, place), f"{place}.{key}") for key in ("sides", "pairs", "cones")
    )
    if sides.shape != (n, 1) or not np.isin(sides, (-1, 0, 1)).all():
        raise Refused(f"{place}.sides: accepted is −1, 0 or 1 for each sample")
    if pairs.shape != (2 * n, 2 * n) or cones.shape != (k + d, 2 * n):
        raise Refused(f"{place}: pairs are {pairs.shape} and cones {cones.shape} for {n} samples")
    if type(sign) is not int or sign not in ((1, -1) if k == 1 else (0,)):
        raise Refused(f"{place}.sign is {sign!r}")
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
            lengths = total(raised[1 + row, j] ** 2 for row in range(d)).sqrt()
            raised[0, j] = raised[0, j].max(lengths)
    return Block(
        sign=sign,
        sides=chosen,
        pairs=np.triu(valid) + np.triu(valid, 1).T,
        cones=raised,
        trace=number(get(value, "trace", place), f"{place}.trace"),
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


def moment_level(
    X: arb_mat, multipliers: arb_mat, scale: float, start: float, blocks: list[Block]
) -> arb:
    """An upper bound on c(Λ), from scale s > 0 and any c₀ = start."""
    if not scale > 0:
        raise Refused(f"moments: scale is {scale}; accepted is a positive number")
    s, c0 = arb(scale), arb(start)
    worst = arb(0)
    for block in blocks:
        worst = worst.max(top_eigenvalue(_form(X * s, multipliers * (1 / s), c0, block)))
    return (c0 + (2 + spectral_norm(X * s) ** 2) * worst).max(arb(0))


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
