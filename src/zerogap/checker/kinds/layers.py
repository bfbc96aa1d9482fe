"""Proved upper bounds on levels of any depth by quadratic forms of branches (theory §9).

For u with ‖u‖ = 1 let τ = (1, u, p), p = φ(sXu), be the vector of a feature, with outputs p. The
vector of a branch one layer up, which mixes features with vectors τ_j and outputs v_j of the layer
below by weights a_j⁺, a_j⁻ ≥ 0 that add up to one, is

    τ = (τ⁺, τ⁻, σ),    τ^± = Σ_j a_j^± τ_j,  g^± = Σ_j a_j^± v_j,  σ = min(g⁺, g⁻),

and its outputs are v = φ(g⁺ − g⁻) = g⁺ − σ, while ω = φ(g⁻ − g⁺) = g⁻ − σ. Every V_L, L ≥ 3, is
made of such outputs. The forms y = Eτ (`Frame.signed`) are not negative: p, q = p − sXu, 1 and
‖sx_i‖ − p_i − q_i of a feature; of a branch v, ω, σ, and in τ⁺ and in τ⁻ the y of the layer below
but its outputs. A form F is valid up to η where τᵀFτ ≥ −η on all vectors of a layer. These are:

    yᵀSy, S ≥ 0 except where y_iy_j = 0 (p_iq_i and v_iω_i always): `pairs`;
    Σ_i y_i (a_i + B_i·u) + t(1 − ‖u‖²), a_i ≥ ‖B_i‖, of a feature: `cones`, `trace`;
    (τ⁺, τ⁻)ᵀ G (τ⁺, τ⁻), G = [[F⁺, C], [Cᵀ, F⁻]], where F^± are valid below (`below`), C is
    `cross`, and G ⪯ ε on the vectors whose two coordinates 1 add up to zero,

the third up to η⁺, η⁻ (the larger) and ε times the largest ‖τ_j‖²: with V = (τ_j, 0) or (0, τ_j) at
the probabilities a_j^±, E V = (τ⁺, τ⁻), E VᵀGV ≥ −max η, and E VᵀGV − (E V)ᵀG(E V) is the mean of
(V − E V)ᵀG(V − E V) ≤ ε‖V − E V‖², a difference of vectors with the same 1. Below a mixture a form
F may stand by itself, with forms F_c that are valid up to η_c where some signs, of x_i·u or of
g⁺_i − g⁻_i, are fixed (`cells`): it is valid up to the largest η_c + max(0, λ_max(F_c − F)) ‖τ‖².

At the top r is the direction of the output, r = ±1 for k = 1; else r with ‖r‖ = 1 stands beside τ,
has `cones` and `trace` like u, and costs 1 in ‖τ‖². With F valid up to η, and M the form of

    τᵀMτ = rᵀΛᵀv/s − c₀ + τᵀFτ,

rᵀΛᵀv/s ≤ c₀ + η + max(0, λ_max(M)) ‖τ‖². Lengths: ‖τ‖² ≤ 2 + s²‖X‖² of a feature, and a quarter
of s²‖X‖² more with every layer, as 2σ ≤ g⁺ + g⁻, a mean of outputs. A block of the top fixes signs
of some g⁺_i − g⁻_i, where v_i or ω_i vanishes. Any multipliers prove something.

Forms are computed in float64, from sX rounded once. No entry is a sum of products with more than a
few factors of the data, nor of more terms than are counted, so that it is off by at most γ_N times
the same expression in absolute values (Higham, see `moments`, as is underflow).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from flint import arb

from zerogap.checker.balls import Array, Refused, balls
from zerogap.checker.budget import STEP, hold, spend
from zerogap.checker.eigen import float_top_eigenvalue, spectral_norm
from zerogap.checker.kinds.kind import ANY_DEPTH, Piece, kind
from zerogap.checker.kinds.moments import (
    UNDERFLOW,
    UNIT,
    covered,
    covering,
    in_range,
    sides_of,
    stated,
)
from zerogap.checker.limits import MAX_EVIDENCE, MAX_ORDER
from zerogap.checker.reading import symmetric


@dataclass(frozen=True)
class Frame:
    """The vectors τ of one layer: `one` (o,) is their 1, `signed` (m, o) the forms y ≥ 0 on them,
    outputs first, then what is left where these vanish. `heads` (1 + h, o): 1 and a unit vector."""

    one: Array
    signed: Array
    heads: Array | None = None

    def above(self, n: int) -> Frame:
        """The frame of branches that mix what this one describes."""
        (m, order), S = self.signed.shape, self.signed
        plus, minus = (np.zeros((m, 2 * order + n)) for _ in range(2))
        plus[:, :order], minus[:, order : 2 * order] = S, S
        sigma = np.eye(n, 2 * order + n, 2 * order)
        signed = [plus[:n] - sigma, minus[:n] - sigma, sigma, plus[n:], minus[n:]]
        one = np.concatenate([self.one, self.one, np.zeros(n)])
        return Frame(one, np.vstack(signed))

    def beside(self, k: int) -> Frame:
        """The same with a unit vector of k coordinates at the end."""
        one = np.pad(self.one, (0, k))
        unit = np.eye(k, len(one), len(self.one))
        return Frame(one, np.pad(self.signed, ((0, 0), (0, k))), np.vstack([one, unit]))

    def reduced(self, G: Array, same: bool = False) -> Array:
        """G on the pairs of vectors whose 1 add up to zero, by leaving out the last coordinate.

        With all signs the `same`, of absolute values, what its terms add up to.
        """
        w, sign = np.concatenate([self.one, self.one]), 1 if same else -1
        j = int(np.flatnonzero(w)[-1])
        side = np.outer(w, G[j])
        return np.delete(
            np.delete(G + sign * (side + side.T) + G[j, j] * np.outer(w, w), j, 0), j, 1
        )


def features(X: Array) -> Frame:
    """The frame of features of data X (n, d)."""
    n, d = X.shape
    heads, p = np.eye(1 + d, 1 + d + n), np.eye(n, 1 + d + n, 1 + d)
    q = p.copy()
    q[:, 1 : 1 + d] = -X
    room = -p - q
    room[:, 0] = lengths(X)
    return Frame(heads[0], np.vstack([p, q, heads[:1], room]), heads)


def lengths(rows: Array) -> Array:
    """‖x_i‖, rounded up, and more than sX is off; squares that underflow are below 1e-150."""
    return np.sqrt((rows**2).sum(axis=1)) * (1 + (rows.shape[1] + 8) * 2 * UNIT) + 1e-150


@dataclass(frozen=True)
class Valid:
    """A form that is valid up to `defect`, what its entries' terms add up to, and their number."""

    form: Array
    sizes: Array
    terms: int
    defect: arb

    def top(self) -> arb:
        """An upper bound on λ_max of the exact form, 0 at least."""
        error = self.terms * UNIT / (1 - self.terms * UNIT) * float(self.sizes.sum(axis=1).max())
        # From the lower half: exactly symmetric. The last factor is for rounding in `sizes`.
        form = np.tril(self.form) + np.tril(self.form, -1).T
        found = float_top_eigenvalue(form, error * (1 + 1e-6) + UNDERFLOW)
        if not found < math.inf:  # nor NaN
            raise Refused("a form of layers overflows")
        return arb(found).max(arb(0))


@kind("layers", "relu", ANY_DEPTH[1:])
def layers(piece: Piece) -> arb:
    """An upper bound on c(Λ), from scale s, any c₀ = level, and blocks that cover all signs."""
    scale, start, parts = stated(piece)
    (n, d), k = piece.X.shape, piece.multipliers.shape[1]
    order = 1 + d + n
    for _ in range(piece.depth - 2):
        order = 2 * order + n
        if order + k > MAX_ORDER:
            piece.refuse(f": a branch has {order + k} coordinates or more; accepted is {MAX_ORDER}")
    signs, sides = covering(piece, parts, "the last layer")
    hold(100 * order**2, "the products of a branch")
    spend(len(parts) * (order + k) ** 2 * k / 20, "the fit of a block")
    X, multipliers = scale * piece.X, piece.multipliers / scale
    slower = in_range(piece, X, multipliers, np.array(start))
    spend(slower * len(parts) * (order + k) ** 3, "small numbers")
    stretch = (arb(scale) * spectral_norm(balls(piece.X))) ** 2
    frames, longest = [features(X)], [2 + stretch]
    for _ in range(piece.depth - 2):
        frames.append(frames[-1].above(n))
        longest.append(longest[-1] + stretch / 4)
    if k > 1:
        frames[-1], longest[-1] = frames[-1].beside(k), longest[-1] + 1
    worst = arb(0)
    for part, sign, chosen in zip(parts, signs, sides, strict=True):
        zero = np.flatnonzero(np.concatenate([chosen < 0, chosen > 0]))
        found, one, v = valid(part, frames, longest, zero), frames[-1].one, frames[-1].signed[:n]
        r = sign * one[None] if k == 1 else frames[-1].heads[1:]  # type: ignore[index]
        fit, sizes = v.T @ (multipliers / 2) @ r, np.abs(v).T @ np.abs(multipliers / 2) @ np.abs(r)
        least = start * np.outer(one, one)
        form, sizes = fit + fit.T - least, sizes + sizes.T + np.abs(least)
        whole = replace(found, form=found.form + form, sizes=found.sizes + sizes)
        worst = worst.max(found.defect + longest[-1] * whole.top())
    return (arb(start) + worst).max(arb(0))


def valid(piece: Piece, frames: list[Frame], longest: list[arb], zero: Array) -> Valid:
    """The form of a node of a block: its multipliers, moved to the nearest valid ones.

    frames, longest: of its layer, and of those below. zero: the y that vanish.
    """
    frame, heads, n = frames[-1], frames[-1].heads, len(piece.X)
    m, order = frame.signed.shape
    spend((m * m * order + m * order * order) / 80 + order**3 / 60 + 1000 * STEP, "a form")
    hold(8 * (6 * m * m + 4 * m * order + 20 * order * order), "a form")
    pairs = symmetric(piece.get("pairs"), m, f"{piece.place}.pairs")
    free = np.zeros((m, m), dtype=bool)
    free[zero] = free[:, zero] = True
    free[range(n), range(n, 2 * n)] = free[range(n, 2 * n), range(n)] = True
    pairs = np.where(free, pairs, np.maximum(pairs, 0))
    spend(in_range(piece, pairs) * m**3 / 8, "small numbers")
    form, sizes = _inside(frame.signed, pairs)
    if heads is not None:
        cones, trace = np.array(piece.matrix("cones")), piece.number("trace")
        if cones.shape != (len(heads), m):
            piece.refuse(f": cones are {cones.shape}; accepted are {(len(heads), m)}")
        spend(in_range(piece, cones, np.array(trace)) * m**3 / 8, "small numbers")
        bound = np.ones(m, dtype=bool)
        bound[zero] = False
        cones[0, bound] = np.maximum(cones[0], lengths(cones[1:].T))[bound]
        unit = heads.copy()
        unit[0] = 0
        sphere = np.outer(heads[0], heads[0]) - unit.T @ unit
        side, around = heads.T @ cones @ frame.signed, np.abs(heads.T @ cones)
        around = around @ np.abs(frame.signed)
        form += side + side.T + trace * sphere
        sizes += around + around.T + np.abs(trace * sphere)
    terms, defect = 2 * m + order + 32, arb(0)
    if len(frames) > 1:
        mixed = _mixed(piece, frames[:-1], longest[:-1])
        inner = 2 * len(frames[-2].one)
        form[:inner, :inner] += mixed.form
        sizes[:inner, :inner] += mixed.sizes
        terms, defect = terms + mixed.terms, mixed.defect
    return Valid(form, sizes, terms, defect)


def _mixed(piece: Piece, frames: list[Frame], longest: list[arb]) -> Valid:
    """The form G of what two nodes below prove, and of `cross`."""
    listed: Any = piece.get("below")
    if not isinstance(listed, list) or len(listed) != 2:
        piece.refuse(".below: accepted are two nodes")
    order = len(frames[-1].one)
    places = [f"{piece.place}.below[{i}]" for i in range(2)]
    parts = [replace(piece, fields=b, place=at) for b, at in zip(listed, places, strict=True)]
    plus, minus = (_below(part, frames, longest) for part in parts)
    cross = piece.matrix("cross")
    if cross.shape != (order, order):
        piece.refuse(f".cross has shape {cross.shape}; accepted is {(order, order)}")
    spend(in_range(piece, cross) * order**3 / 8, "small numbers")
    G = np.block([[plus.form, cross], [cross.T, minus.form]])
    sizes = np.block([[plus.sizes, np.abs(cross)], [np.abs(cross).T, minus.sizes]])
    spend(order**3 / 8, "a mixture")
    terms, defect = max(plus.terms, minus.terms) + 8, plus.defect.max(minus.defect)
    across = Valid(frames[-1].reduced(G), frames[-1].reduced(sizes, same=True), terms, defect)
    return Valid(G, sizes, terms, defect + longest[-1] * across.top())


def _below(piece: Piece, frames: list[Frame], longest: list[arb]) -> Valid:
    """The form of a node below a mixture: of its multipliers, or one beside those of its cells."""
    if not isinstance(piece.fields, dict) or "cells" not in piece.fields:
        return valid(piece, frames, longest, np.zeros(0, dtype=int))
    listed, order = piece.fields["cells"], len(frames[-1].one)
    if not isinstance(listed, list) or not 1 <= len(listed) <= MAX_EVIDENCE:
        piece.refuse(f".cells: accepted is a list of 1 to {MAX_EVIDENCE}")
    places = [f"{piece.place}.cells[{i}]" for i in range(len(listed))]
    cells = [replace(piece, fields=c, place=at) for c, at in zip(listed, places, strict=True)]
    sides = [sides_of(cell, len(piece.X)) for cell in cells]
    if not covered(sides):
        piece.refuse(".cells: some signs are in none")
    form = symmetric(piece.get("form"), order, f"{piece.place}.form")
    spend(len(cells) * in_range(piece, form) * order**3 / 8, "small numbers")
    size, defect = np.abs(form), arb(0)
    for cell, chosen in zip(cells, sides, strict=True):
        zero = np.flatnonzero(np.concatenate([chosen < 0, chosen > 0]))
        found = valid(cell, frames, longest, zero)
        spend(order**3 / 60, "a cell")
        above = Valid(found.form - form, found.sizes + size, found.terms + 1, arb(0))
        defect = defect.max(found.defect + longest[-1] * above.top())
    return Valid(form, size, 1, defect)


def _inside(E: Array, S: Array) -> tuple[Array, Array]:
    """EᵀSE, and the same in absolute values."""
    size = np.abs(E)
    return E.T @ (S @ E), size.T @ (np.abs(S) @ size)
