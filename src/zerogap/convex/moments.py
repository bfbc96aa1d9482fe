"""Beyond enumeration: lower bounds from the moments of neurons, sharpened by branch and bound.

Every neuron of a two-layer network is z = (r, u, p, q) with p = φ(Xu), q = φ(−Xu): r ≥ 0 for the
branches of one output sign, r = w ∈ ℝᵏ for vector targets, ‖r‖ = ‖u‖, p − q = Xu, p, q ≥ 0 and
p∘q = 0. A network is a sum M = Σ z zᵀ with outputs M_pr at cost tr M_rr. The relaxation keeps what
is convex of this: M ⪰ 0, tr M_uu = tr M_rr, M non-negative on (p, q) with M_{p_i q_i} = 0, and for
one output ‖M_{u p_i}‖ ≤ M_{r p_i}, ‖M_{u q_i}‖ ≤ M_{r q_i}. Its multipliers prove

    c₀ − rᵀΛᵀp ≥ zᵀHz for all neurons with ‖r‖ = ‖u‖ = 1, so H ⪰ −δ gives c(Λ) ≤ c₀ + (2 + ‖X‖²)δ,

whatever produced them (Dür, Copositive programming, 2010, surveys such relaxations). Branch and
bound fixes signs of x_i·u: a block of neurons is split in two, in which p_i = 0 or q_i = 0. What
is lost with two outputs is lost between directions of r; it is less with a block of one output, the
multipliers Λv and the sign +, for every vertex v of a polygon around the unit circle (§3).

Solved by ADMM between M ⪰ 0, the cones on T M Tᵀ (T adds the rows q), and the fit; the linear
system in M is diagonal in the eigenvectors of TᵀT. It starts at a network's own moments, where only
multipliers are left to be found. X is scaled to about √(n/d) in norm, by a power of two, and its
rows further (lift.py), so that entries of u and of p are about equally large and the iteration an
order of magnitude faster. Large problems are iterated in float32; what is reported is computed in
float64.
"""

import sys
from dataclasses import dataclass, replace

import numpy as np

from zerogap.checker.limits import MAX_LINE, MAX_NUMBERS
from zerogap.convex.blocks import Block, level
from zerogap.convex.columns import Gauge, dual_value, feasible
from zerogap.convex.lift import Lift
from zerogap.convex.positive import Positive
from zerogap.model import clock
from zerogap.model.bounds import relative
from zerogap.model.fit import Fit
from zerogap.model.matrices import Array

# ADMM: over-relaxation, penalty at the start in units of a network's cost, iterations between
# looks at the bound, and at the first of which the penalty is adapted.
_RELAX, _PENALTY, _EVERY, _ADAPTED = 1.95, 5.0, 50, (25, 50, 100, 200, 400, 800)
# Beyond this order of M, and where no gap below this is asked for, float32 iterates serve; beyond
# the last, no such gap is in reach.
_LARGE, _COARSE, _LARGEST = 128, 1e-5, 400
# Without a limit of time: steps of single blocks, and of how many entries of M all of them may be.
_STEPS, _ENTRIES = 12_000, 5e9
# In float32 every so many steps count in means, which begin anew after this part of all steps.
_SAMPLED, _WINDOW = 5, 8
# A block is split when the bound gained less than this share of the gap in so many looks, and, if
# large, in half of those since the last split: one split of many samples gains less than patience.
_GAIN, _PATIENCE = 0.03, 4
# Two outputs have a polygon where after so many steps the gap is between these, with time for as
# many in each block, and for so many samples: of fewer, signs are split with more success.
_TRIED, _LOOSE, _OPEN, _FEWEST = 200, 0.05, 0.5, 15
# How many looks' time is kept for the end at a polygon: a last look, fewer multipliers, the proof.
_LAST = 5
# Its vertices, at first and at most; by how much, for rounding, they are further out.
_CORNERS, _MOST_CORNERS, _OUTSIDE = 12, 48, 1e-12
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

    The projection of a state is the iterate, and what it takes away the multiplier. outputs (1, k):
    the sign or vertex that its M_pr is a multiple of; (k, k), the identity: M_pr may be anything.
    """

    def __init__(self, lift: Lift, outputs: Array, sides: Array) -> None:
        order = lift.p.stop
        self.lift, self.outputs, self.sides, self.positive = lift, outputs, sides, Positive()
        self.P = np.zeros((order, order), lift.dtype)
        self.Z = np.zeros(lift.size, lift.dtype)
        self.F = np.zeros((lift.n, lift.outputs), lift.dtype)
        self.total = np.zeros(lift.size, lift.dtype)

    def start(self, U: Array, weights: Array) -> None:
        """Begin at the moments of neurons."""
        if len(weights):
            self.P = self.lift.neurons(U, weights)
            self.Z = self.lift.up(self.P)
            self.F = self.P[self.lift.p, : self.lift.outputs].copy()

    def step(self, penalty: float, F: Array, counted: bool) -> None:
        """Solve for M at the reflected states (Douglas–Rachford); F: the projection of self.F.

        counted: whether the cones' multipliers are added to their total.
        """
        lift, P = self.lift, self.positive(self.P)
        Z = lift.reflect(self.Z, self.sides)
        if counted:
            self.total += lift.dtype(penalty / 2) * (Z - self.Z)
        M = lift.solve(2 * P - self.P + lift.down(Z), 2 * F - self.F, 1 / penalty)
        self.P += _RELAX * (M - P)
        self.F += _RELAX * (M[lift.p, : lift.outputs] - F)
        # The same of the largest state in its own place; its projection is half of what Z is now.
        Z += self.Z
        Z *= _RELAX / 2
        self.Z -= Z
        M *= _RELAX
        lift.add(self.Z, M)

    def projected(self) -> tuple[Array, Array]:
        """The iterates of M ⪰ 0 and of its image in the cones."""
        return self.positive(self.P), self.lift.project(self.Z, self.sides)

    def multipliers(self, penalty: float) -> Array:
        """Of the cones."""
        return penalty * (self.lift.project(self.Z, self.sides) - self.Z)

    def block(self, S: Array) -> Block:
        """Multipliers of the cones made valid."""
        k = self.outputs.shape[1]
        sign = int(self.outputs[0, 0]) if k == 1 else int(self.lift.outputs == 1)
        vertex = self.outputs.T if k > self.lift.outputs else None
        return self.lift.block(sign, self.sides, S, vertex)

    def rescale(self, factor: float, P: Array, Z: Array, F: Array) -> None:
        """Keep the iterates P, Z, F and the multipliers when the penalty grows by `factor`."""
        self.P, self.Z, self.F = (
            kept + (state - kept) / self.lift.dtype(factor)
            for state, kept in ((self.P, P), (self.Z, Z), (self.F, F))
        )

    def cut(self, vertices: Array, F: Array) -> "list[_Part]":
        """Two of other vertices (rows), which share the moments and inherit the multipliers."""
        P, Z = self.projected()
        halves = []
        for vertex in vertices:
            half = _Part(self.lift, vertex[None], self.sides)
            half.P, half.Z, half.F = self.P - P / 2, self.Z - Z / 2, self.F - F / 2
            halves.append(half)
        return halves

    def split(self, i: int, F: Array) -> "list[_Part]":
        """The neurons with x_i·u ≥ 0 and those with x_i·u ≤ 0; both inherit the multipliers."""
        halves = []
        P, Z = self.projected()
        for side in (1, -1):
            sides = self.sides.copy()
            sides[i] = side
            half = _Part(self.lift, self.outputs, sides)
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
        fixed = min(_STEPS, int(_ENTRIES / order**2))
        steps = fixed if clock.left() == np.inf else sys.maxsize
    dtype = np.float32 if order > (_LARGE if gap >= _COARSE else _LARGEST) else np.float64
    # A network's cost on X/stretch is the unit: multipliers λ̂ = Λ/τ̂ are of level 1.
    allowed = (1.0 if tau is None else tau / unit) / stretch
    admm = _Admm(X / stretch, fit, allowed, tau is None, dtype)
    if len(above.weights):
        bias = None if above.bias is None else above.bias / size
        admm.start(above.atoms.U, above.weights * stretch / size, bias)
    upper = above.upper / value_unit
    best, values, taken, began, reserve = None, [0.0], 0, clock.now(), 0.0
    while taken < steps:
        taken += len(admm.parts)
        admm.step()
        late = clock.left() <= reserve
        if admm.iteration in _ADAPTED:
            admm.balance()
        # Looks at a polygon cost as much as several steps.
        if admm.iteration % (2 * _EVERY if admm.cornered else _EVERY) and not late:
            continue
        looked, proof = clock.now(), admm.proof()
        if best is None or proof.value > best.value:
            best = proof
        clock.tell(best.value * value_unit, above.upper)
        width = relative(upper - best.value, upper)
        if late or width <= gap:
            break
        if admm.cornered:
            reserve = _LAST * (clock.now() - looked)
        elif admm.loose(width) and clock.left() > _CORNERS * (clock.now() - began):
            admm.cut(_CORNERS)
            continue
        values.append(proof.value)
        recent = max(_PATIENCE, len(values) // 2 if admm.coarse else 0)
        gained = proof.value - max(values[:-recent], default=-np.inf)
        if gained < _GAIN * (upper - best.value):
            admm.refine()
            values = []
    best, blocks = admm.compact(best or admm.proof(), stretch * unit, upper)
    scale = stretch * unit * best.factor
    return Moments(
        max(0.0, best.value) * value_unit,
        asked.inside(best.multipliers * (best.factor * unit)),
        best.start * scale,
        1 / stretch,
        tuple(blocks),
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
        self.lift = Lift(X, k, dtype)
        self.begin([np.eye(1), -np.eye(1)] if k == 1 else [np.eye(k)])
        self.lengths = self.lift.lengths[:, None]
        self.penalty, self.iteration = _PENALTY, 0
        self.multipliers = np.zeros_like(fit.Y)
        self.network: tuple[Array, Array, Array | None]
        self.network = np.zeros((X.shape[1], 0)), np.zeros((0, k)), None
        self.coarse = dtype == np.float32
        self.forget()
        # Squares are shared with their best bias in them.
        apart = fit.rho is not None and (exact or not fit.squares)
        self.bias = np.zeros_like(fit.Y) if apart else None

    def begin(self, outputs: list[Array]) -> None:
        """Blocks of these outputs, at zero."""
        sides = np.zeros(len(self.X), dtype=np.int8)
        self.parts = [_Part(self.lift, each, sides) for each in outputs]

    @property
    def shares(self) -> float:
        """g, where Σ BᵀB = gI over the outputs B of the blocks, and of the bias."""
        square = sum(_square(part.outputs) for part in self.parts)
        return square / self.fit.Y.shape[1] + (self.bias is not None)

    def start(self, U: Array, weights: Array, bias: Array | None) -> None:
        """Begin at the moments of a network, and at what its losses say of λ̂."""
        if self.lift.outputs == 1:
            corners = np.vstack([part.outputs for part in self.parts])
            nearest = (weights @ corners.T).argmax(axis=1)
        else:
            nearest = np.zeros(len(weights), dtype=int)
        for i, part in enumerate(self.parts):
            part.start(U[:, nearest == i], weights[nearest == i])
        self.network = U, weights, bias
        outputs = np.maximum(self.X @ U, 0) @ weights
        if bias is not None:
            outputs = outputs + bias
        if self.bias is not None and bias is not None:
            self.bias = bias / self.lengths
        if not self.exact:
            residual = -self.fit.loss.gradient(outputs, self.fit.Y)
            pull = self.lengths * residual / (2 * self.penalty * self.tau)
            for part in self.parts:
                part.F -= (pull @ part.outputs.T).astype(part.F.dtype)
            if self.bias is not None:
                self.bias = self.bias - pull

    def step(self) -> None:
        """One step of every block; λ̂ follows from what the fit asks of the outputs."""
        self.iteration += 1
        projections, bias = self._shared()
        counted = self.coarse and self.iteration % _SAMPLED == 1
        if counted:
            self.count += 1
            self.total += self.multipliers
        for part, F in zip(self.parts, projections, strict=True):
            part.step(self.penalty, F, counted)
        if self.bias is not None:
            cost = (self.fit.rho or 0.0) / (2 * self.penalty * self.tau)
            pull = ((2 * bias - self.bias) / self.lengths).sum(axis=0)
            best = pull / (float(np.sum(self.lengths**-2)) + cost)
            self.bias += _RELAX * (best / self.lengths - bias)

    def _shared(self) -> tuple[list[Array], Array]:
        """The projections of the blocks' F, whose sum is what fits best, and of the bias's."""
        parts, beside = self.parts, np.zeros(1) if self.bias is None else self.bias
        total = np.sum([part.F.astype(float) @ part.outputs for part in parts], axis=0) + beside
        weight = 2 * self.penalty / self.shares
        missing = self._fitted(total, weight) - total
        share = missing / self.shares
        self.multipliers = weight * missing / self.lengths
        projections = [part.F + (share @ part.outputs.T).astype(part.F.dtype) for part in parts]
        return projections, beside + share

    def _fitted(self, total: Array, weight: float) -> Array:
        """The F of least loss/τ̂ + ½ weight ‖F − total‖², the loss of outputs lengths·F."""
        Y, lengths, step = self.fit.Y, self.lengths, self.lengths**2 / (weight * self.tau)
        if self.exact:
            return Y / lengths
        if self.fit.squares:
            # ½(f − Y)ᵀ(I − c11ᵀ)(f − Y), by the formula of Sherman and Morrison.
            share = 0.0 if self.fit.rho is None else 1 / (len(Y) + self.fit.rho)
            kept = step / (step + 1)
            f = (step * (Y - share * Y.sum(axis=0)) + lengths * total) / (step + 1)
            more = share * f.sum(axis=0) / (1 - share * float(kept.sum()))
            return (f + kept * more) / lengths
        return total + step / lengths * self.fit.conjugate.prox(lengths * total, step)

    def proof(self) -> _Proof:
        """What the multipliers prove, made valid; of float32 their means: rounding cancels."""
        if self.count:
            unit, found = self.total / self.count, [p.total / self.count for p in self.parts]
        else:
            unit, found = self.multipliers, [p.multipliers(self.penalty) for p in self.parts]
        if not self.fit.plain:
            unit = self.fit.inside(unit * self.tau) / self.tau
        blocks = [part.block(S) for part, S in zip(self.parts, found, strict=True)]
        if self.count * _SAMPLED * _WINDOW > self.iteration:
            self.forget()
        return self._proof(unit, blocks)

    def forget(self) -> None:
        """Begin new means."""
        self.count, self.total = 0, np.zeros_like(self.multipliers)
        for part in self.parts:
            part.total[:] = 0

    def _proof(self, unit: Array, blocks: list[Block], most: float = np.inf) -> _Proof:
        """Of the best multiple of λ̂, at most so large."""
        c, start = level(self.X, unit, blocks)
        radius = None if self.exact else self.tau
        scaled = feasible(unit * self.tau, self.fit, c * (radius or 1.0), radius)
        factor = float(np.linalg.norm(scaled) / (np.linalg.norm(unit) or 1.0))
        if factor > most:
            scaled, factor = unit * most, most
        return _Proof(dual_value(scaled, self.fit, radius), factor, start, unit, blocks)

    def compact(self, proof: _Proof, scale: float, upper: float) -> tuple[_Proof, list[Block]]:
        """The proof with fewer multipliers, and its blocks times scale · factor, in float32."""
        largest = max(float(np.abs(block.pairs).max()) for block in proof.blocks)
        room = _COST * max(0.0, upper - proof.value)
        units, large = scale * proof.factor, 4 * len(self.X) ** 2 > MAX_NUMBERS
        for share in _KEPT if units > 0 else ():
            blocks = [(block * units).compact(units * share * largest) for block in proof.blocks]
            # The multiple of λ̂ is kept, so that float32 numbers stay what they are; of squares the
            # checker finds the best one.
            most = np.inf if self.fit.plain else proof.factor
            fewer = self._proof(proof.multipliers, [b * (1 / units) for b in blocks], most)
            if fewer.value >= proof.value - room or (large and share == _KEPT[-1]):
                return replace(fewer, factor=proof.factor), blocks
        return proof, [block * units for block in proof.blocks]

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

    def loose(self, width: float) -> bool:
        """Whether a gap of this width is one between directions of two outputs."""
        whole = self.lift.outputs == 2 and len(self.parts) == 1
        many = len(self.X) >= _FEWEST and self.iteration >= _TRIED
        return whole and many and _LOOSE < width < _OPEN and self.fits(_CORNERS)

    def refine(self) -> None:
        """Find smaller blocks: a polygon of more vertices, or those of a sample's signs."""
        if not self.cornered:
            self.split()
        elif self.fits(2 * len(self.parts)):
            self.cut(2 * len(self.parts))

    def fits(self, corners: int) -> bool:
        """Whether so many blocks of a polygon, 16 digits for a pair, fit into half of a line."""
        return corners <= min(_MOST_CORNERS, MAX_LINE // (2 * 8 * 4 * len(self.X) ** 2))

    @property
    def cornered(self) -> bool:
        """Whether the blocks are those of a polygon."""
        return self.lift.outputs < self.fit.Y.shape[1]

    def cut(self, corners: int) -> None:
        """Replace all directions of two outputs, or a polygon, by one with so many vertices."""
        vertices, projections = polygon(corners), self._shared()[0]
        if self.lift.outputs == 1:
            self.parts = [
                half
                for i, (part, F) in enumerate(zip(self.parts, projections, strict=True))
                for half in part.cut(vertices[2 * i : 2 * i + 2], F)
            ]
        else:
            self.lift = Lift(self.X, 1, self.lift.dtype)
            self.begin([vertex[None] for vertex in vertices])
            self.start(*self.network)
        self.iteration = 0
        self.forget()

    def split(self) -> None:
        """Split the block and sample where x_i·u is, in the mean, most of both signs."""
        doubts = np.array([_doubt(part) for part in self.parts])
        worst, i = np.unravel_index(doubts.argmax(), doubts.shape)
        F = self._shared()[0][worst]
        self.parts[worst : worst + 1] = self.parts[worst].split(int(i), F)
        self.forget()


def polygon(corners: int) -> Array:
    """Vertices (m, 2) of a regular polygon around the unit circle, which it touches at (1, 0)."""
    angles = 2 * np.pi * (np.arange(corners) + 0.5) / corners
    circle = np.column_stack([np.cos(angles), np.sin(angles)])
    return circle / np.cos(np.pi / corners) * (1 + _OUTSIDE)


def _square(A: Array) -> float:
    return float(np.vdot(A, A))


def _doubt(part: _Part) -> Array:
    """How much of either sign x_i·u is, for every sample: the lesser of M_r,p_i and M_r,q_i."""
    lift = part.lift
    heights = lift.views(lift.project(part.Z, part.sides)).side[: lift.outputs]
    sizes = np.linalg.norm(heights, axis=0) * np.tile(lift.lengths, 2)
    return sizes.reshape(2, lift.n).min(axis=0)
