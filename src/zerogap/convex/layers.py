"""Any depth beyond enumeration: lower bounds from the moments of branches, layer by layer.

A branch of the last layer has the vector τ of checker/kinds/layers.py, with the mixtures (τ⁺, τ⁻)
of the vectors below and σ, and r, its output's direction (±1 for one output). The relaxation has a
moment matrix M of (τ, r) for the branches of a network, and one for the neurons of each sign below,
each layer's in turn, and asks of these

    M ⪰ 0 at the top,  E M Eᵀ in the cones (products of y = Eτ ≥ 0, of 1 and u or r with y),
    R = diag(M⁺, M⁻) − M_(τ⁺,τ⁻) ⪰ 0, and R w = 0 where wᵀ(τ⁺, τ⁻) = 1:

R is a sum of covariances of mixtures. The multipliers prove a level, whatever produced them. Where
the bound stands still, M of features becomes a sum over cells, in which signs of some x_i·u are
fixed, each with M_c ⪰ 0: what is lost is mostly lost in the first layer.

Solved by the primal-dual method of Chambolle and Pock (2011), over-relaxed (Condat 2013): every
condition is a projection, and steps in M are taken in the metric S ⊗ S + c, S = EᵀE, which bounds
the conditions' Gram operator and is diagonal in the eigenvectors of S. It starts at a network's own
moments. X is scaled as in `moments`; large problems are iterated in float32.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse
from scipy.linalg import eigh

from zerogap.checker.kinds.layers import Frame
from zerogap.convex.columns import Gauge, dual_value, feasible
from zerogap.convex.nodes import Block, Node, Split, frames_of, level
from zerogap.model import clock
from zerogap.model.bounds import relative
from zerogap.model.fit import Fit
from zerogap.model.matrices import Array

# Over-relaxation, the multipliers' steps at the start, and iterations between looks at the bound.
_RELAX, _PENALTY, _EVERY = 1.8, 3.0, 50
# Levels of Λ̂ below and above which the penalty changes, and by how much: near 1 it stays, as each
# change throws the iteration back.
_LOW, _HIGH, _CHANGE = 0.8, 1.3, 1.3
# Beyond this order of M, and where no gap below this is asked for, float32 iterates serve.
_LARGE, _COARSE = 128, 1e-4
# Looks in which a bound that gains less than this share of what is open lets cells be halved; cells
# of a node's features at most, samples up to which these fit into a certificate's line, and the
# share of the moments that is in doubt if any is.
_PATIENCE, _GAIN, _CELLS, _MOST, _DOUBT = 8, 0.1, 8, 150, 1e-6
# Columns of E with more entries than this are kept dense.
_FULL = 8
# Without a limit of time: steps, and about how many operations they may take.
_STEPS, _OPERATIONS = 2_000, 1e10
# Multipliers that are kept: from these shares of the largest on, the first that costs less than
# this share of the gap.
_KEPT, _COST = (1e-2, 1e-3, 1e-4, 1e-5, 0.0), 0.01
# How often Λ is made shorter, by a little more than needed, until its level is allowed.
_TRIES, _SHORTER = 3, 1e-7


@dataclass(frozen=True, eq=False)
class Layers:
    """A lower bound by Λ, and the blocks that prove its level c₀ + …, `level` being c₀.

    scale: what X is multiplied by in the vectors of the blocks.
    """

    lower: float
    multipliers: Array
    level: float
    scale: float
    blocks: tuple[Block, ...]


def layered_bound(
    X: Array,
    fit: Fit,
    tau: float | None,
    depth: int,
    above: Gauge | None = None,
    *,
    gap: float = 1e-3,
    steps: int | None = None,
) -> Layers:
    """A lower bound on the gauge D₁ of V_L, or on the regularised optimum at τ (theory §9).

    X: (n, d). fit: squares, its targets not zero. depth: L ≥ 3. above: a network of two layers,
    where the iteration starts. Stops at a relative `gap` to its value, when the time is up, or
    after so many steps: where time has no limit, by default as many as take some minutes.
    """
    n, d = X.shape
    stretch = 2.0 ** round(np.log2(float(np.linalg.norm(X, 2)) / np.sqrt(n / d)))
    Y, size = fit.Y, float(np.linalg.norm(fit.Y))
    allowed = (1.0 if tau is None else tau / size) / stretch
    frames = frames_of(X / stretch, Y.shape[1], depth)
    order = len(frames[-1].one)
    if steps is None:
        fixed = max(_EVERY, min(_STEPS, int(_OPERATIONS / order**3)))
        steps = fixed if clock.left() == np.inf else sys.maxsize
    dtype = np.float32 if order > _LARGE and gap >= _COARSE else np.float64
    found = _Iteration(frames, replace(fit, Y=Y / size), allowed, tau is None, dtype)
    if above is not None and len(above.weights):
        unit = stretch / (1.0 if tau is None else tau) * above.multipliers
        found.start(above.atoms.U, above.weights * stretch / size, X / stretch, unit)
    upper, best = np.inf if above is None else above.upper, None
    known: list[float] = []
    judge = _Judge(X, fit, tau, depth, stretch)
    for step in range(1, steps + 1):
        found.step()
        late = clock.late()
        if step % _EVERY and not late and step < steps:
            continue
        proof = judge.proof(*found.multipliers())
        if best is None or proof.lower > best.lower:
            best = proof
        clock.tell(best.lower, upper)
        if late or relative(upper - best.lower, upper) <= gap:
            break
        found.balance(proof.c)
        known.append(proof.lower)
        slow = known[-1] - known[-_PATIENCE:][0] <= _GAIN * (upper - best.lower)
        if slow and len(known) >= _PATIENCE and found.cells < _CELLS and n <= _MOST:
            found.refine()
            known.clear()
    assert best is not None
    return judge.compact(best, upper)


@dataclass(frozen=True, eq=False)
class _Proof:
    """What blocks prove of Λ̂ = `unit`, the multipliers of X/stretch: a level c, from c₀, and the
    best multiple's bound."""

    lower: float
    c: float
    start: float
    unit: Array
    blocks: list[Block]


class _Judge:
    """Proofs in the units of an iteration."""

    def __init__(self, X: Array, fit: Fit, tau: float | None, depth: int, stretch: float) -> None:
        self.X, self.fit, self.tau, self.depth, self.stretch = X, fit, tau, depth, stretch
        self.allowed = 1.0 if tau is None else tau

    def proof(self, unit: Array, blocks: list[Block]) -> _Proof:
        """What blocks prove of Λ̂."""
        unit = self.fit.inside(unit)
        c, start = level(self.X / self.stretch, unit, blocks, self.depth)
        best = feasible(unit / self.stretch, self.fit, c, self.tau)
        return _Proof(max(0.0, dual_value(best, self.fit, self.tau)), c, start, unit, blocks)

    def compact(self, best: _Proof, upper: float) -> Layers:
        """The bound by Λ of at most the allowed level, with fewer multipliers, in float32."""
        room = _COST * (upper if np.isfinite(upper) else 2 * best.lower) - _COST * best.lower
        found = best
        for share in _KEPT if best.c > 0 else ():
            factor = self.allowed / best.c
            for _ in range(_TRIES):
                blocks = [(block * factor).compact(share) for block in best.blocks]
                found = self.proof(best.unit * factor, blocks)
                if found.c <= self.allowed:
                    break
                factor *= self.allowed / found.c * (1 - _SHORTER)
            if found.c <= self.allowed and found.lower >= best.lower - room:
                break
        scale = 1 / self.stretch
        return Layers(found.lower, found.unit * scale, found.start, scale, tuple(found.blocks))


class _Operators:
    """What all nodes of one layer share: E with rows of unit length below its heads, its metric."""

    def __init__(self, frame: Frame, n: int, shift: float, dtype: type[np.floating]) -> None:
        self.frame, self.n, self.dtype = frame, n, dtype
        self.heads = 0 if frame.heads is None else len(frame.heads)
        self.units = 1 / np.linalg.norm(frame.signed, axis=1)
        rows = frame.signed * self.units[:, None]
        if frame.heads is not None:
            rows = np.vstack([frame.heads, rows])
        # E is sparse but for the columns of 1 and u.
        self.full = np.flatnonzero((rows != 0).sum(axis=0) > _FULL)
        self.beside = rows[:, self.full].astype(dtype)
        self.sparse = sparse.csr_matrix(np.delete(rows, self.full, axis=1).astype(dtype))
        self.other = np.delete(np.arange(rows.shape[1]), self.full)
        self.across = self.sparse.T.tocsr()
        values, vectors = np.linalg.eigh(rows.T @ rows)
        self.Q = vectors.astype(dtype)
        self.metric = (shift + np.multiply.outer(values, values)).astype(dtype)
        w = np.concatenate([frame.one, frame.one])
        self.w = (w / np.linalg.norm(w)).astype(dtype)

    def up(self, M: Array) -> Array:
        """E M Eᵀ."""
        return self._up(self._up(M).T)

    def down(self, Z: Array) -> Array:
        """Eᵀ Z E."""
        return self._down(self._down(Z).T)

    def _up(self, M: Array) -> Array:
        return self.sparse @ M[self.other] + self.beside @ M[self.full]

    def _down(self, Z: Array) -> Array:
        out = np.empty((len(self.w) // 2, Z.shape[1]), self.dtype)
        out[self.other], out[self.full] = self.across @ Z, self.beside.T @ Z
        return out

    def solve(self, G: Array) -> Array:
        """The step of a gradient G in the metric."""
        Q = self.Q
        return Q @ ((Q.T @ G @ Q) / self.metric) @ Q.T

    def project(self, Z: Array, zero: Array) -> Array:
        """The nearest matrix in the cones; zero: the y that vanish."""
        Z, h, n = Z.copy(), self.heads, self.n
        pairs = Z[h:, h:]
        np.maximum(pairs, 0, out=pairs)
        pairs[range(n), range(n, 2 * n)] = pairs[range(n, 2 * n), range(n)] = 0
        if h:
            step = (np.trace(Z[1:h, 1:h]) - Z[0, 0]) / h
            Z[range(h), range(h)] -= step * np.where(np.arange(h) == 0, -1, 1).astype(self.dtype)
            side = Z[:h, h:]
            length, height = np.linalg.norm(side[1:], axis=0), side[0].copy()
            middle = np.where(length <= -height, 0, (height + length) / 2)
            inside = length <= height
            side[0] = np.where(inside, height, middle)
            side[1:] *= np.where(inside, 1, middle / np.where(length > 0, length, 1))
            Z[h:, :h] = side.T
        Z[h + zero] = 0
        Z[:, h + zero] = 0
        return Z

    def covariance(self, R: Array) -> Array:
        """The nearest R ⪰ 0 with R w = 0, for two nodes of this layer."""
        w, seen = self.w, R @ self.w
        across = np.outer(w, seen - (w @ seen) / 2 * w)
        return positive(R - across - across.T)


def positive(M: Array) -> Array:
    """The nearest positive semidefinite matrix."""
    if len(M) > _LARGE:  # moments have few eigenvectors
        found = eigh(M, subset_by_value=(0, np.inf), driver="evr", check_finite=False)
        return (found[1] * found[0]) @ found[1].T
    values, vectors = np.linalg.eigh(M)
    kept = values > 0
    return (vectors[:, kept] * values[kept]) @ vectors[:, kept].T


class _Part:
    """Moments M of one node's vectors, and multipliers Z of their cones, R of the mixture's, P of
    M ⪰ 0 where it is asked for.

    Multipliers are in the polar cones. sides: fixed signs. `ahead`: as far beyond M after a step.
    """

    def __init__(self, layers: list[_Operators]) -> None:
        self.layer = layers[-1]
        order, rows = len(self.layer.frame.one), len(self.layer.beside)
        self.M = np.zeros((order, order), self.layer.dtype)
        self.Z = np.zeros((rows, rows), self.layer.dtype)
        self.P: Array | None = None
        self.sides = np.zeros(self.layer.n, dtype=np.int8)
        self.below: tuple[_Part | _Cells, ...] = tuple(_Part(layers[:-1]) for _ in layers[1:2] * 2)
        mixed = 2 * len(layers[-2].frame.one) if self.below else 0
        self.R = np.zeros((mixed, mixed), self.layer.dtype)

    @property
    def zero(self) -> Array:
        """The y that vanish."""
        return np.flatnonzero(np.concatenate([self.sides < 0, self.sides > 0]))

    def start(self, vectors: list[Array], weights: Array) -> None:
        """Begin at the moments of vectors (columns) of this layer, which mix those below."""
        self.M = ((vectors[-1] * weights) @ vectors[-1].T).astype(self.layer.dtype)
        if self.below and isinstance(self.below[0], _Part):
            self.below[0].start(vectors[:-1], weights)

    def move(self, penalty: float, gradient: Array) -> None:
        """A step in M at the multipliers, whose `gradient` from outside of the node is given."""
        gradient = gradient + self.layer.down(self.Z) + (0 if self.P is None else self.P)
        mixed, half = len(self.R), len(self.R) // 2
        if self.below:
            gradient[:mixed, :mixed] -= self.R
            self.below[0].move(penalty, self.R[:half, :half])
            self.below[1].move(penalty, self.R[half:, half:])
        moved = self.M - self.layer.solve(gradient) / self.layer.dtype(penalty)
        moved = (moved + moved.T) / 2
        self.ahead = 2 * moved - self.M
        self.M = self.M + self.layer.dtype(_RELAX) * (moved - self.M)

    def answer(self, penalty: float) -> None:
        """A step in the multipliers at what lies ahead."""
        s, relax = self.layer.dtype(penalty), self.layer.dtype(_RELAX)
        Z = self.Z + s * self.layer.up(self.ahead)
        self.cones = Z - self.layer.project(Z, self.zero)
        self.Z = self.Z + relax * (self.cones - self.Z)
        if self.below:
            mixed, half = len(self.R), len(self.R) // 2
            R = self.R - s * self.ahead[:mixed, :mixed]
            R[:half, :half] += s * self.below[0].ahead
            R[half:, half:] += s * self.below[1].ahead
            self.mixture = R - self.below[0].layer.covariance(R)
            self.R = self.R + relax * (self.mixture - self.R)
            for node in self.below:
                node.answer(penalty)
        if self.P is not None:
            P = self.P + s * self.ahead
            self.P = self.P + relax * (P - positive(P) - self.P)

    def halves(self) -> list[_Part]:
        """The features of either sign x_i·u, where that is most in doubt, with half the moments
        each and all the multipliers; where there are none, all of them."""
        n, frame = self.layer.n, self.layer.frame
        means = frame.signed[: 2 * n] @ self.M[0]
        # M₁₁ ≥ 0 holds in the limit only.
        doubts = np.where(self.sides, -np.inf, np.minimum(means[:n], means[n:]))
        i, halves = int(doubts.argmax()), list[_Part]()
        for side in (1, -1) if doubts[i] > _DOUBT * abs(self.M[0, 0]) else ():
            half = _Part([self.layer])
            half.M, half.Z = self.M / 2, self.Z.copy()
            half.P = np.zeros_like(self.M) if self.P is None else self.P.copy()
            half.sides = self.sides.copy()
            half.sides[i] = side
            halves.append(half)
        return halves or [self]

    def node(self) -> Node:
        """The multipliers, as the evidence has them."""
        h, units = self.layer.heads, self.layer.units
        S = -(self.cones + self.cones.T).astype(float) / 2
        half, cones = len(self.R) // 2, S[:h, h:] * units
        diagonal = (self.mixture[:half, :half], self.mixture[half:, half:]) if self.below else ()
        if h:
            least = np.linalg.norm(cones[1:], axis=0) * (1 + 1e-15)
            least[self.zero] = -np.inf
            cones[0] = np.maximum(cones[0], least)
        return Node(
            S[h:, h:] * np.outer(units, units),
            cones=cones if h else None,
            trace=float(S[0, 0] - np.trace(S[1:h, 1:h])) / h if h else None,
            cross=self.mixture[:half, half:].astype(float) if self.below else None,
            below=tuple(
                node.node() if isinstance(node, _Part) else node.split(G)
                for node, G in zip(self.below, diagonal, strict=True)
            ),
        )

    def refine(self) -> None:
        """Halve the cells of all features below."""
        for node in self.below:
            if isinstance(node, _Part) and node.below:
                node.refine()
        if self.below and not (isinstance(self.below[0], _Part) and self.below[0].below):
            self.below = tuple(
                _Cells([node] if isinstance(node, _Part) else node.cells) for node in self.below
            )


class _Cells:
    """Features in cells of given signs, whose moments add up."""

    def __init__(self, cells: list[_Part]) -> None:
        self.cells = [half for cell in cells for half in cell.halves()]
        self.layer = cells[0].layer

    def move(self, penalty: float, gradient: Array) -> None:
        """As for one node."""
        for cell in self.cells:
            cell.move(penalty, gradient)
        self.ahead = sum(cell.ahead for cell in self.cells)

    def answer(self, penalty: float) -> None:
        for cell in self.cells:
            cell.answer(penalty)

    def split(self, whole: Array) -> Split:
        """The multipliers, beside the form that is one for all cells."""
        whole, sides = whole.astype(float), np.array([cell.sides for cell in self.cells])
        return Split((whole + whole.T) / 2, sides, tuple(cell.node() for cell in self.cells))


class _Top(_Part):
    """The branches of one output sign (0: several outputs), and given signs of their last layer."""

    def __init__(self, layers: list[_Operators], sign: int, sides: Array) -> None:
        super().__init__(layers)
        self.sign, self.sides = sign, sides
        frame, dtype = self.layer.frame, self.layer.dtype
        r = sign * frame.one[None] if frame.heads is None else frame.heads[1:]
        self.r, self.v = r.astype(dtype), frame.signed[: len(sides)].astype(dtype)
        self.cost = np.outer(frame.one, frame.one).astype(dtype)
        self.P = np.zeros_like(self.M)

    def outputs(self) -> Array:
        """What the moments ahead put out (n, k)."""
        return self.v @ self.ahead @ self.r.T

    def move(self, penalty: float, gradient: Array) -> None:
        """As for any node; `gradient` is that in the outputs."""
        side = self.v.T @ (gradient / 2).astype(self.layer.dtype) @ self.r
        super().move(penalty, self.cost + side + side.T)


class _Iteration:
    """The iteration on all blocks, for data in the units of `layered_bound` (τ̂: `tau`).

    y, the multipliers of the outputs times `share`, is −Λ̂/share; the fit is ½‖f − Y‖²/τ̂, or f = Y.
    With an output bias it is ½(f − Y)ᵀ(I − 11ᵀ/(n + ρ))(f − Y)/τ̂: `mean` is what it makes of means.
    """

    def __init__(
        self, frames: list[Frame], fit: Fit, tau: float, exact: bool, dtype: type[np.floating]
    ) -> None:
        Y = fit.Y
        self.Y, self.tau, self.exact, self.penalty = Y, tau, exact, _PENALTY
        self.mean = 1.0 if fit.rho is None else fit.rho / (len(Y) + fit.rho)
        n, self.mixtures = len(Y), len(frames) - 1
        # Gram operators of the other conditions: M ⪰ 0 and the fit at the top, mixtures elsewhere.
        shifts = [2.0] + [4.0] * self.mixtures
        layers = [_Operators(f, n, c, dtype) for f, c in zip(frames, shifts, strict=True)]
        self.layers, self.cells = layers, 1
        signs = (1, -1) if Y.shape[1] == 1 else (0,)
        self.parts = [_Top(layers, sign, np.zeros(n, dtype=np.int8)) for sign in signs]
        # The map from M to share·Σ f has norm one at most.
        norm = np.linalg.norm(self.parts[0].v, 2) * np.linalg.norm(self.parts[0].r, 2)
        self.share = 1 / (float(norm) * np.sqrt(len(signs)))
        self.y = self.fit = np.zeros_like(Y)

    def start(self, U: Array, weights: Array, X: Array, unit: Array) -> None:
        """Begin at the moments of two-layer neurons (columns of U), and at their Λ̂, `unit`.

        A neuron passes unchanged through further layers: τ⁺ is its vector below.
        """
        outputs, lengths = np.maximum(X @ U, 0), np.linalg.norm(weights, axis=1)
        vectors = [np.vstack([np.ones(len(lengths)), U, outputs])]
        for _ in range(self.mixtures):
            rest = len(vectors[-1]) + len(X)
            vectors.append(np.vstack([vectors[-1], np.zeros((rest, len(lengths)))]))
        for part in self.parts:
            chosen = part.sign * weights[:, 0] > 0 if part.sign else lengths > 0
            own = [columns[:, chosen] for columns in vectors]
            if not part.sign:
                own[-1] = np.vstack([own[-1], (weights[chosen] / lengths[chosen, None]).T])
            part.start(own, lengths[chosen])
        self.y = -unit / self.share

    def step(self) -> None:
        """Moments move, then multipliers answer, those of the fit among them."""
        penalty, share = self.penalty, self.share
        for part in self.parts:
            part.move(penalty, share * self.y)
        y = self.y + penalty * share * sum(part.outputs().astype(float) for part in self.parts)
        # Moreau: y less penalty times the nearest fit of y/penalty, in units of share.
        loss = 0.0 if self.exact else penalty * share**2 * self.tau
        missing = y - penalty * share * self.Y
        self.fit = missing / (1 + loss)
        if self.mean < 1:
            more = self.mean / (self.mean + loss) - 1 / (1 + loss)
            self.fit = self.fit + more * missing.mean(axis=0)
        self.y = self.y + _RELAX * (self.fit - self.y)
        for part in self.parts:
            part.answer(penalty)

    def balance(self, c: float) -> None:
        """Where Λ̂ has a level c beyond what its cost allows, 1, the moments are to be found; where
        it has not, the multipliers."""
        if c < _LOW:
            self.penalty *= _CHANGE
        elif c > _HIGH:
            self.penalty /= _CHANGE

    def refine(self) -> None:
        """Twice as many cells of features."""
        self.cells *= 2
        for part in self.parts:
            part.refine()
        # (Σ_c a_c − b)² ≤ (cells + 1)(Σ_c a_c² + b²), and from the first time on M ⪰ 0 in cells.
        for layer in self.layers[:2]:
            layer.metric += layer.dtype(self.cells // 2 + (self.cells == 2))

    def multipliers(self) -> tuple[Array, list[Block]]:
        """Λ̂ and the blocks."""
        blocks = [Block(part.sign, part.sides, part.node()) for part in self.parts]
        return -self.share * self.fit, blocks
