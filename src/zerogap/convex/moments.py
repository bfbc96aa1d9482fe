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
system in M is diagonal in the eigenvectors of TᵀT. It starts at a network's own moments, where only
multipliers are left to be found. X is scaled to about √(n/d) in norm, by a power of two, so that
entries of u and of p are about equally large and the iteration an order of magnitude faster.
Large problems are iterated in float32; what is reported is computed in float64.
"""

import sys
from dataclasses import dataclass, replace

import numpy as np

from zerogap.checker.limits import MAX_NUMBERS
from zerogap.convex.blocks import Block, level
from zerogap.convex.columns import Gauge, dual_value, feasible
from zerogap.convex.lift import Lift
from zerogap.model import clock
from zerogap.model.bounds import relative
from zerogap.model.fit import Fit
from zerogap.model.matrices import Array

# ADMM: over-relaxation, penalty at the start in units of a network's cost, iterations between
# looks at the bound, and at the first of which the penalty is adapted.
_RELAX, _PENALTY, _EVERY, _ADAPTED = 1.6, 5.0, 50, (25, 50, 100, 200, 400, 800)
# Beyond this order of M, and where no gap below this is asked for, float32 iterates serve.
_LARGE, _COARSE = 128, 1e-5
# Without a limit of time: steps of single blocks, and about how many operations they may take.
_STEPS, _OPERATIONS = 12_000, 2.5e12
# A block is split when the bound gained less than this share of the gap in so many looks.
_GAIN, _PATIENCE = 0.03, 4
# Multipliers that are kept: from these shares of the largest on, the first that costs less than
# this share of the gap.
_KEPT, _COST = (1e-2, 1e-3, 1e-4, 1e-5), 0.01


@dataclass(frozen=True, eq=False)
class Moments:
    """A lower bound by Λ, and the blocks that prove its level c₀ + …, `level` being c₀.

    scale: what X is multiplied by in p and q of the blocks.
    """

    lower: float
    multipliers: Array
    level: float
    scale: float
    blocks: tuple[Block, ...]


class _Part:
    """The state of one block: what the projections onto M ⪰ 0 (P), cones (Z) and fit (F) see.

    The projection of a state is the iterate, and what it takes away the multiplier.
    """

    def __init__(self, lift: Lift, sign: int, sides: Array) -> None:
        size, full = lift.p.stop, lift.q.stop
        self.lift, self.sign, self.sides = lift, sign, sides
        self.P = np.zeros((size, size), lift.dtype)
        self.Z = np.zeros((full, full), lift.dtype)
        self.F = np.zeros((lift.n, lift.outputs), lift.dtype)

    @property
    def side(self) -> int:
        """How the block's outputs count in the fit."""
        return self.sign or 1

    def start(self, U: Array, weights: Array) -> None:
        """Begin at the moments of neurons of the block's sign."""
        if self.sign:
            chosen = self.sign * weights[:, 0] > 0
            U, weights = U[:, chosen], weights[chosen]
        if len(weights):
            lift = self.lift
            self.Z = lift.neurons(U, weights)
            self.P = self.Z[: lift.p.stop, : lift.p.stop].copy()
            self.F = self.P[lift.p, : lift.outputs].copy()

    def step(self, cost: float, F: Array) -> None:
        """Solve for M at the reflected states (Douglas–Rachford); F: the projection of self.F."""
        lift = self.lift
        P, Z = self.projected()
        fit = 2 * F - self.F
        M = lift.solve(2 * P - self.P + lift.down(2 * Z - self.Z), fit, cost)
        self.P += _RELAX * (M - P)
        self.Z += _RELAX * (lift.up(M) - Z)
        self.F += _RELAX * (M[lift.p, : lift.outputs] - F)

    def projected(self) -> tuple[Array, Array]:
        """The iterates of M ⪰ 0 and of its image in the cones."""
        values, vectors = np.linalg.eigh(self.P)
        kept = values > 0
        P = (vectors[:, kept] * values[kept]) @ vectors[:, kept].T
        return P, self.lift.project(self.Z, self.sides)

    def block(self, penalty: float) -> Block:
        """The multipliers of the cones, made valid."""
        lift = self.lift
        return lift.block(
            self.sign, self.sides, penalty * (lift.project(self.Z, self.sides) - self.Z)
        )

    def rescale(self, factor: float, P: Array, Z: Array, F: Array) -> None:
        """Keep the iterates P, Z, F and the multipliers when the penalty grows by `factor`."""
        self.P, self.Z, self.F = (
            kept + (state - kept) / self.lift.dtype(factor)
            for state, kept in ((self.P, P), (self.Z, Z), (self.F, F))
        )

    def split(self, i: int, F: Array) -> "list[_Part]":
        """The neurons with x_i·u ≥ 0 and those with x_i·u ≤ 0; both inherit the multipliers."""
        halves = []
        P, Z = self.projected()
        for side in (1, -1):
            sides = self.sides.copy()
            sides[i] = side
            half = _Part(self.lift, self.sign, sides)
            half.P, half.F = self.P - P / 2, self.F - F / 2
            half.Z = self.Z - Z + self.lift.project(Z / 2, sides)
            halves.append(half)
        return halves


def moment_bound(
    X: Array,
    fit: Fit,
    tau: float | None,
    above: Gauge,
    *,
    gap: float = 1e-3,
    steps: int | None = None,
) -> Moments:
    """A lower bound on the gauge D₁ of V₂, or on the regularised optimum at τ (theory §3).

    X: (n, d). fit: its targets not zero. above: a network, where the iteration starts. Stops at a
    relative `gap` to its value, when the time is up, or after so many steps of single blocks:
    where time has no limit, by default as many as take some minutes.
    """
    (n, d), k = X.shape, fit.Y.shape[1]
    stretch = 2.0 ** round(np.log2(float(np.linalg.norm(X, 2)) / np.sqrt(n / d)))
    asked = fit
    fit, size, unit, value_unit = fit.in_units(tau is None)
    order = n + d + k
    if steps is None:
        fixed = min(_STEPS, int(_OPERATIONS / order**3))
        steps = fixed if clock.left() == np.inf else sys.maxsize
    dtype = np.float32 if order > _LARGE and gap >= _COARSE else np.float64
    # A network's cost on X/stretch is the unit: multipliers λ̂ = Λ/τ̂ are of level 1.
    allowed = (1.0 if tau is None else tau / unit) / stretch
    admm = _Admm(X / stretch, fit, allowed, tau is None, dtype)
    if len(above.weights):
        bias = None if above.bias is None else above.bias / size
        admm.start(above.atoms.U, above.weights * stretch / size, bias)
    upper = above.upper / value_unit
    best, values, taken = None, [0.0], 0
    while taken < steps:
        taken += len(admm.parts)
        admm.step()
        late = clock.late()
        if admm.iteration in _ADAPTED:
            admm.balance()
        if admm.iteration % _EVERY and not late:
            continue
        proof = admm.proof()
        if best is None or proof.value > best.value:
            best = proof
        clock.tell(best.value * value_unit, above.upper)
        if late or relative(upper - best.value, upper) <= gap:
            break
        values.append(proof.value)
        gained = proof.value - max(values[:-_PATIENCE], default=-np.inf)
        if gained < _GAIN * (upper - best.value):
            admm.split()
            values = []
    best = admm.compact(best or admm.proof(), stretch * unit, upper)
    scale = stretch * unit * best.factor
    return Moments(
        max(0.0, best.value) * value_unit,
        asked.inside(best.multipliers * (best.factor * unit)),
        best.start * scale,
        1 / stretch,
        tuple(block * scale for block in best.blocks),
    )


@dataclass(frozen=True, eq=False)
class _Proof:
    """What blocks prove of λ̂: the value of its best feasible multiple, Λ̂ = `factor` λ̂.

    start: c₀ (see blocks.py), of λ̂.
    """

    value: float
    factor: float
    start: float
    multipliers: Array
    blocks: list[Block]


class _Admm:
    """The iteration on all blocks, for data in the units of `moment_bound` (τ̂: `tau`).

    Every step solves for each block's M, projects its copies P ⪰ 0 and Z in the cones, and shares
    what the outputs miss, by the fit or f = Y (`exact`), evenly among the copies F of the blocks'
    outputs (Boyd et al., Distributed optimization … via ADMM, 2011, §3.4 and §7.3, sharing). An
    output bias has a copy as well.
    """

    def __init__(
        self, X: Array, fit: Fit, tau: float, exact: bool, dtype: type[np.floating]
    ) -> None:
        k = fit.Y.shape[1]
        self.X, self.fit, self.tau, self.exact = X, fit, tau, exact
        lift, signs = Lift(X, k, dtype), (1, -1) if k == 1 else (0,)
        self.parts = [_Part(lift, sign, np.zeros(len(X), dtype=np.int8)) for sign in signs]
        self.penalty, self.iteration = _PENALTY, 0
        self.multipliers = np.zeros_like(fit.Y)
        self.bias = None if fit.rho is None else np.zeros_like(fit.Y)

    def start(self, U: Array, weights: Array, bias: Array | None) -> None:
        """Begin at the moments of a network, and at what its losses say of λ̂."""
        for part in self.parts:
            part.start(U, weights)
        outputs = np.maximum(self.X @ U, 0) @ weights
        if bias is not None:
            self.bias = np.tile(bias, (len(self.X), 1))
            outputs = outputs + bias
        if not self.exact:
            residual = -self.fit.loss.gradient(outputs, self.fit.Y)
            for part in self.parts:
                part.F -= (part.side / (2 * self.penalty * self.tau) * residual).astype(
                    part.F.dtype
                )
            if self.bias is not None:
                self.bias = self.bias - residual / (2 * self.penalty * self.tau)

    def step(self) -> None:
        """One step of every block; λ̂ follows from what the fit asks of the outputs."""
        self.iteration += 1
        projections, bias = self._shared()
        for part, F in zip(self.parts, projections, strict=True):
            part.step(1 / self.penalty, F)
        if self.bias is not None:
            cost = (self.fit.rho or 0.0) / (2 * self.penalty * self.tau)
            best = (2 * bias - self.bias).sum(axis=0) / (len(bias) + cost)
            self.bias += _RELAX * (best - bias)

    def _shared(self) -> tuple[list[Array], Array]:
        """The projections of the blocks' F, whose sum is what fits best, and of the bias's."""
        parts, beside = self.parts, np.zeros(1) if self.bias is None else self.bias
        count = len(parts) + (self.bias is not None)
        total = np.sum([part.side * part.F.astype(float) for part in parts], axis=0) + beside
        weight = 2 * self.penalty / count
        fitted = self._fitted(total, weight)
        share = (fitted - total) / count
        self.multipliers = weight * (fitted - total)
        projections = [part.F + (part.side * share).astype(part.F.dtype) for part in parts]
        return projections, beside + share

    def _fitted(self, total: Array, weight: float) -> Array:
        """The outputs of least loss/τ̂ + ½ weight ‖f − total‖²."""
        Y, tau = self.fit.Y, self.tau
        if self.exact:
            return Y
        if self.fit.plain:
            return (Y / tau + weight * total) / (1 / tau + weight)
        step = 1 / (weight * tau)
        return total + step * self.fit.conjugate.prox(total, step)

    def proof(self) -> _Proof:
        """What the multipliers prove as they are, made valid."""
        unit = self.multipliers
        if not self.fit.plain:
            unit = self.fit.inside(unit * self.tau) / self.tau
        return self._proof(unit, [part.block(self.penalty) for part in self.parts])

    def _proof(self, unit: Array, blocks: list[Block], most: float = np.inf) -> _Proof:
        """Of the best multiple of λ̂, at most so large."""
        c, start = level(self.X, unit, blocks)
        radius = None if self.exact else self.tau
        scaled = feasible(unit * self.tau, self.fit, c * (radius or 1.0), radius)
        factor = float(np.linalg.norm(scaled) / (np.linalg.norm(unit) or 1.0))
        if factor > most:
            scaled, factor = unit * most, most
        return _Proof(dual_value(scaled, self.fit, radius), factor, start, unit, blocks)

    def compact(self, proof: _Proof, scale: float, upper: float) -> _Proof:
        """The proof with fewer multipliers, in float32 once multiplied by scale · factor."""
        largest = max(float(np.abs(block.pairs).max()) for block in proof.blocks)
        room = _COST * max(0.0, upper - proof.value)
        units, large = scale * proof.factor, 4 * len(self.X) ** 2 > MAX_NUMBERS
        for share in _KEPT if units > 0 else ():
            least = units * share * largest
            blocks = [(block * units).compact(least) * (1 / units) for block in proof.blocks]
            # The multiple of λ̂ is kept, so that float32 numbers stay what they are; of squares the
            # checker finds the best one.
            most = np.inf if self.fit.plain else proof.factor
            fewer = self._proof(proof.multipliers, blocks, most)
            if fewer.value >= proof.value - room or (large and share == _KEPT[-1]):
                return replace(fewer, factor=proof.factor)
        return proof

    def balance(self) -> None:
        """Move the penalty so that iterates and multipliers are about equally large."""
        iterates, kept, left = [part.projected() for part in self.parts], 0.0, 0.0
        for part, (P, Z) in zip(self.parts, iterates, strict=True):
            kept += _square(P) + _square(Z)
            left += _square(part.P - P) + _square(part.Z - Z)
        factor = float(np.clip(np.sqrt(left / kept), 1 / 3, 3)) if min(kept, left) > 0 else 1.0
        projections, bias = self._shared()
        for part, (P, Z), F in zip(self.parts, iterates, projections, strict=True):
            part.rescale(factor, P, Z, F)
        if self.bias is not None:
            self.bias = bias + (self.bias - bias) / factor
        self.penalty *= factor

    def split(self) -> None:
        """Split the block and sample where x_i·u is, in the mean, most of both signs."""
        doubts = np.array([_doubt(part) for part in self.parts])
        worst, i = np.unravel_index(doubts.argmax(), doubts.shape)
        F = self._shared()[0][worst]
        self.parts[worst : worst + 1] = self.parts[worst].split(int(i), F)


def _square(A: Array) -> float:
    return float(np.vdot(A, A))


def _doubt(part: _Part) -> Array:
    """How much of either sign x_i·u is, for every sample: the lesser of M_r,p_i and M_r,q_i."""
    lift = part.lift
    heights = lift.project(part.Z, part.sides)[: lift.outputs]
    return np.minimum(
        np.linalg.norm(heights[:, lift.p], axis=0), np.linalg.norm(heights[:, lift.q], axis=0)
    )
