"""Beyond enumeration: lower bounds from the moments of neurons, sharpened by branch and bound.

Every neuron of a two-layer network is z = (r, u, p, q) with p = φ(Xu), q = φ(−Xu): r ≥ 0 for the
branches of one output sign, r = w ∈ ℝᵏ for vector targets, ‖r‖ = ‖u‖, p − q = Xu, p, q ≥ 0 and
p∘q = 0. A network is a sum M = Σ z zᵀ with outputs M_pr at cost tr M_rr. The relaxation keeps what
is convex of this: M ⪰ 0, tr M_uu = tr M_rr, M non-negative on (p, q) with M_{p_i q_i} = 0, and for
one output ‖M_{u p_i}‖ ≤ M_{r p_i}, ‖M_{u q_i}‖ ≤ M_{r q_i}. Its multipliers prove

    c₀ − rᵀΛᵀp ≥ zᵀHz for all neurons with ‖r‖ = ‖u‖ = 1, so H ⪰ −δ gives c(Λ) ≤ c₀ + (2 + ‖X‖²)δ,

whatever produced them (Dür, Copositive programming, 2010, surveys such relaxations). Branch and
bound fixes signs of x_i·u: a block of neurons is split in two, in which p_i = 0 or q_i = 0.

Solved by ADMM between M ⪰ 0, the cones on T M Tᵀ (T adds the rows q), and the fit; the linear
system in M is diagonal in the eigenvectors of TᵀT. X is scaled by √(n/d)/‖X‖₂, which makes the
entries of u and of p about equally large and the iteration an order of magnitude faster.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from zerogap.convex.columns import dual_value, feasible
from zerogap.convex.lift import Block, Lift
from zerogap.model.bounds import relative
from zerogap.model.matrices import Array

# ADMM: over-relaxation, penalty at the start in units of a network's cost, iterations between
# looks at the bound. Residuals out of balance by more than _BALANCE move the penalty at first.
_RELAX, _PENALTY, _EVERY, _BALANCE, _SETTLED = 1.6, 3.0, 50, 5.0, 400
# A block is split when the bound gained less than this share of the gap in so many looks.
_GAIN, _PATIENCE = 0.03, 4


@dataclass(frozen=True, eq=False)
class Moments:
    """A lower bound, Λ scaled to the allowed τ, and the blocks that prove c₀ = `level`.

    scale: what X is multiplied by in p and q of the blocks.
    """

    lower: float
    multipliers: Array
    level: float
    scale: float
    blocks: tuple[Block, ...]


class _Part:
    """The iterates of one block: moments P, their image Z, their fit F, and scaled multipliers."""

    def __init__(self, lift: Lift, sign: int, sides: Array) -> None:
        size = lift.p.stop
        self.lift, self.sign, self.sides = lift, sign, sides
        self.P, self.U = np.zeros((2, size, size))
        self.Z, self.W = np.zeros((2, lift.q.stop, lift.q.stop))
        self.F, self.V = np.zeros((2, lift.n, lift.outputs))
        self.moved = self.missed = 0.0

    @property
    def side(self) -> int:
        """How the block's outputs count in the fit."""
        return self.sign or 1

    def step(self, cost: float) -> Array:
        """Update M, P and Z; returns what M and the multipliers propose for F."""
        lift, P, Z = self.lift, self.P, self.Z
        M = lift.solve(P - self.U + lift.down(Z - self.W), self.F - self.V, cost)
        image = lift.up(M)
        seen = _RELAX * M + (1 - _RELAX) * P + self.U
        values, vectors = np.linalg.eigh(seen)
        kept = values > 0
        self.P = (vectors[:, kept] * values[kept]) @ vectors[:, kept].T
        self.U = seen - self.P
        seen = _RELAX * image + (1 - _RELAX) * Z + self.W
        self.Z = lift.project(seen, self.sides)
        self.W = seen - self.Z
        self.missed = float(np.sum((M - self.P) ** 2) + np.sum((image - self.Z) ** 2))
        self.moved = float(np.sum((self.P - P + lift.down(self.Z - Z)) ** 2))
        return _RELAX * M[lift.p, : lift.outputs] + (1 - _RELAX) * self.F + self.V

    def rescale(self, factor: float) -> None:
        """Keep the multipliers when the penalty changes by a factor."""
        self.U, self.W, self.V = self.U / factor, self.W / factor, self.V / factor

    def split(self, i: int) -> list[_Part]:
        """The neurons with x_i·u ≥ 0 and those with x_i·u ≤ 0; both inherit the multipliers."""
        halves = []
        for side in (1, -1):
            sides = self.sides.copy()
            sides[i] = side
            half = _Part(self.lift, self.sign, sides)
            half.P, half.F, half.Z = self.P / 2, self.F / 2, self.lift.project(self.Z / 2, sides)
            half.U, half.W, half.V = self.U, self.W, self.V
            halves.append(half)
        return halves


def moment_bound(
    X: Array,
    Y: Array,
    tau: float | None,
    upper: float,
    *,
    gap: float = 1e-3,
    steps: int = 12_000,
    seconds: float | None = None,
) -> Moments:
    """A lower bound on the gauge D₁ of V₂, or on the regularised optimum at τ (theory §3).

    X: (n, d). Y: (n, k), not zero. upper: the value of a network. Stops at a relative `gap` to
    it, after so many steps of single blocks, or after so many seconds (which makes the result
    depend on the machine).
    """
    began = time.monotonic()
    stretch = float(np.linalg.norm(X, 2)) / np.sqrt(len(X) / X.shape[1])
    size = float(np.linalg.norm(Y))
    unit, value_unit = (1.0, size) if tau is None else (size, size**2)
    # A network's cost on X/stretch is the unit: multipliers λ̂ = Λ/τ̂ are of level 1.
    admm = _Admm(X / stretch, Y / size, (1.0 if tau is None else tau / size) / stretch, tau is None)
    upper /= value_unit
    best = Moments(0.0, np.zeros_like(Y), 0.0, 1 / stretch, ())
    values, taken = [0.0], 0
    while taken < steps:
        taken += len(admm.parts)
        admm.step()
        if admm.iteration % _EVERY:
            continue
        value, multipliers, factor, blocks = admm.bound()
        if value > best.lower:
            proved = tuple(block * (factor * stretch) for block in blocks)
            best = Moments(value, multipliers, factor * stretch, 1 / stretch, proved)
        late = seconds is not None and time.monotonic() - began > seconds
        if late or relative(upper - best.lower, upper) <= gap:
            break
        admm.balance()
        values.append(value)
        gained = value - max(values[:-_PATIENCE], default=-np.inf)
        if gained < _GAIN * (upper - best.lower):
            admm.split()
            values = []
    return Moments(
        best.lower * value_unit,
        best.multipliers * unit,
        best.level * unit,
        best.scale,
        tuple(block * unit for block in best.blocks),
    )


class _Admm:
    """The iteration on all blocks, for data in the units of `moment_bound` (τ̂: `tau`).

    Every step solves for each block's M, projects its copies P ⪰ 0 and Z in the cones, and shares
    what the outputs miss, ½‖f − Y‖² or f = Y (`exact`), evenly among the copies F of the blocks'
    outputs (Boyd et al., Distributed optimization … via ADMM, 2011, §3.4 and §7.3, sharing).
    """

    def __init__(self, X: Array, Y: Array, tau: float, exact: bool) -> None:
        (n, d), k = X.shape, Y.shape[1]
        self.Y, self.tau, self.exact = Y, tau, exact
        # ‖(r, u, p)‖² ≤ 2 + ‖X̂‖² for a neuron with ‖r‖ = ‖u‖ = 1.
        self.longest = 2 + n / d
        lift, signs = Lift(X, k), (1, -1) if k == 1 else (0,)
        self.parts = [_Part(lift, sign, np.zeros(n, dtype=np.int8)) for sign in signs]
        self.penalty, self.settled, self.iteration = _PENALTY, False, 0
        self.multipliers = np.zeros_like(Y)

    def step(self) -> None:
        """One step of every block; λ̂ follows from what the fit asks of the outputs."""
        self.iteration += 1
        parts, tau = self.parts, self.tau
        proposals = [part.step(1 / self.penalty) for part in parts]
        total = sum(p.side * proposed for p, proposed in zip(parts, proposals, strict=True))
        weight = 2 * self.penalty / len(parts)
        fit = self.Y if self.exact else (self.Y / tau + weight * total) / (1 / tau + weight)
        share = (fit - total) / len(parts)
        for part, proposed in zip(parts, proposals, strict=True):
            part.F = proposed + part.side * share
            part.V = proposed - part.F
        self.multipliers = weight * (fit - total)

    def bound(self) -> tuple[float, Array, float, list[Block]]:
        """(value, Λ, the factor of λ̂ in Λ, blocks for λ̂) of the best feasible multiple of λ̂.

        With the cones' multipliers made valid, H ⪰ −δ in every block, so c(λ̂) ≤ 1 + (2 + ‖X̂‖²)δ,
        whatever the iteration has reached.
        """
        blocks = [p.lift.block(p.sign, p.sides, -self.penalty * p.W) for p in self.parts]
        lift, unit = self.parts[0].lift, self.multipliers
        slack = max(lift.slack(unit, block) for block in blocks)
        c = (1 + self.longest * slack) * (1.0 if self.exact else self.tau)
        radius = None if self.exact else self.tau
        multipliers = feasible(unit * self.tau, self.Y, c, radius)
        factor = float(np.linalg.norm(multipliers) / (np.linalg.norm(unit) or 1.0))
        return dual_value(multipliers, self.Y, radius), multipliers, factor, blocks

    def balance(self) -> None:
        """Move the penalty, while it is not settled, so that residuals come into balance."""
        if self.settled:
            return
        factor = _balance(self.parts)
        self.penalty *= factor
        for part in self.parts:
            part.rescale(factor)
        self.settled = self.iteration >= _SETTLED

    def split(self) -> None:
        """Split the block and sample where x_i·u is, in the mean, most of both signs."""
        doubts = np.array([_doubt(part) for part in self.parts])
        worst, i = np.unravel_index(doubts.argmax(), doubts.shape)
        self.parts[worst : worst + 1] = self.parts[worst].split(int(i))
        self.settled = True


def _balance(parts: list[_Part]) -> float:
    """The change of penalty that brings primal and dual residuals, each relative, closer."""
    missed, moved = sum(p.missed for p in parts), sum(p.moved for p in parts)
    size = sum(float(np.sum(p.P**2)) for p in parts)
    dual = sum(float(np.sum(p.U**2) + np.sum(p.W**2)) for p in parts)
    if min(missed, moved, size, dual) <= 0:
        return 1.0
    ratio = float(np.sqrt((missed / size) / (moved / dual)))
    return float(np.clip(np.sqrt(ratio), 1 / 3, 3)) if max(ratio, 1 / ratio) > _BALANCE else 1.0


def _doubt(part: _Part) -> Array:
    """How much of either sign x_i·u is, for every sample: the lesser of M_r,p_i and M_r,q_i."""
    lift = part.lift
    heights = part.Z[: lift.outputs]
    return np.minimum(
        np.linalg.norm(heights[:, lift.p], axis=0), np.linalg.norm(heights[:, lift.q], axis=0)
    )
