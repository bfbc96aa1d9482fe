"""From interpolation up to ε to exact interpolation: what it costs to correct a network.

Where ‖f(X) − Y‖ = ρ > 0, the bracket is one of P_ε, the optimum over networks that interpolate up
to ε. It holds P ≥ P_ε from below. From above, the residual E = Y − f(X) is what further branches
have to put out, beside those of f. If E = Φ C for outputs Φ (n, m) of branches of norm at most u,
they are branches of scaled cost c_j = u ‖row_j(C)‖, with Σ c_j² ≤ (κρ)², κ = u/σ_min(Φ). Hence

    P ≤ primal + (L/2) Σ c_j^{2/L} ≤ primal + (L/2) m^{1−1/L} (κρ)^{2/L},

and D₁ ≤ D + Σ c_j ≤ D + √m κρ. ReLU: Φ = φ(XU), whose outputs pass unchanged through further
layers. Linear: C = X⁺E has at most min(d, k) singular values, each a branch.

Data that were multiplied out in float64, Y = XA, lie beside the span of all outputs by rounding,
and no network interpolates them. Where that distance is at most MAX_ROUNDING ‖Y‖, the targets meant
are Ŷ = PY, P the projection onto the span: f(X) is in it, so ‖Ŷ − Y‖ ≤ ρ ≤ ε, what is proved from
below holds for Ŷ, and E is replaced by PE, which is no longer. What Ŷ costs is bounded as above.

The power 2/L is what exactness costs where E needs a direction that f does not have. Where weights
of f can be moved instead, the cost is linear in ρ.

What is in a span, and of which rank, is decided in rationals. That is tried up to sizes and digits
that keep it within the budget; beyond, exact interpolation is not proved, and nothing is refused.
"""

from dataclasses import dataclass

import numpy as np
from flint import arb, arb_mat, fmpq, fmpq_mat

from zerogap.checker.balls import (
    Array,
    balls,
    diagonal,
    floats,
    frobenius,
    rationals,
    root,
    times,
    total,
    up,
)
from zerogap.checker.budget import STEP, hold, spend
from zerogap.checker.eigen import positive_definite
from zerogap.checker.limits import MAX_CORRECTED, MAX_ROUNDING
from zerogap.checker.reading import Branches
from zerogap.checker.statement import Statement
from zerogap.checker.upper import norm, outputs, primal, residual, scaled_value

_NOTHING = arb("inf")
# Operations that one elimination or product in rationals may take, to be tried; their entries'
# digits, in words, count with this power (measured).
_MOST, _GROWTH = 2e8, 1.5


@dataclass(frozen=True)
class Correction:
    """How exact interpolation is reached: m further branches with Σ c_j² ≤ size²."""

    branches: int
    size: arb

    def primal(self, statement: Statement) -> arb:
        """What they add to the primal."""
        L, m = statement.depth, arb(self.branches)
        if statement.power:
            return self.scaled() * L / 2
        if not self.size > 0:  # the power of a ball that may reach below zero is NaN
            return arb(0) if self.size == 0 else _NOTHING
        return arb(L) / 2 * m ** arb(fmpq(L - 1, L)) * self.size ** arb(fmpq(2, L))

    def scaled(self) -> arb:
        """What they add to a scaled value."""
        return arb(self.branches).sqrt() * self.size


def correction(statement: Statement, branches: Branches, architecture: str) -> Correction | None:
    """Of a network whose residual is at most epsilon; None where none is proved to exist."""
    s = statement
    error = residual(s, branches, architecture, "network").upper()
    if error == 0:
        return Correction(0, arb(0))
    linear, (n, d), k = s.activation == "linear", s.X.shape, s.Y.shape[1]
    if max(d, k, 1 if linear else n) > MAX_CORRECTED:
        return None
    X, least = rationals(s.X), None
    if linear:
        Phi, longest, count = X, arb(1), min(d, k)
        least = _least_singular(arb_mat(X).transpose())
    else:
        # The network's own directions reach into cells that drawn ones miss.
        for U in (_drawn(s), np.hstack([_drawn(s), _own(branches)])):
            Phi, longest, count = _relu(X * rationals(U)), _longest(U.T), U.shape[1]
            least = _least_singular(arb_mat(Phi).transpose())
            if least is not None:
                break
    if least is None:  # not all residuals can be put out, but perhaps this one
        # A linear f(X) is in the span of X, and so is the residual if Y is.
        E = rationals(s.Y) if linear else _left(s, branches)
        ranks = None if E is None else _pivots(Phi, E)
        if E is None or ranks is None:
            return None
        within, inside = ranks
        if not inside and error <= arb(MAX_ROUNDING) * frobenius(balls(s.Y)):
            put_out = None if linear else _pivots(Phi, rationals(s.Y) - E)
            inside = linear or (put_out is not None and put_out[1])
        basis = _columns(Phi, within)
        least = _least_singular(arb_mat(basis)) if within and inside else None
        count = min(count, len(within))
    return None if least is None else Correction(count, longest * error / least)


def _drawn(s: Statement) -> Array:
    """Directions of few digits, so that what they put out is exact. Any would do."""
    U = np.random.default_rng(0).standard_normal((s.X.shape[1], 3 * len(s.X) + 8))
    return np.round(64 * U) / 64


def _own(branches: Branches) -> Array:
    """The directions of the network's first layer, at lengths near one and of some digits."""
    W = np.hstack([branch[0] for branch in branches])
    W = W[:, np.abs(W).max(axis=0) > 0][:, :MAX_CORRECTED]
    return np.round(np.ldexp(W, 20 - np.frexp(np.abs(W).max(axis=0, initial=0))[1])) / 2**20


def _longest(rows: Array | arb_mat) -> arb:
    """An upper bound on the lengths of rows."""
    M = balls(rows) if isinstance(rows, np.ndarray) else rows
    return max((frobenius(arb_mat([row])).upper() for row in M.tolist()), key=float)


def _identity(size: int) -> Array:
    hold(8 * size**2, "a layer")
    return np.eye(size)


def _relu(M: fmpq_mat) -> fmpq_mat:
    return fmpq_mat(M.nrows(), M.ncols(), [max(x, fmpq(0)) for x in M.entries()])


def _columns(M: fmpq_mat, chosen: list[int]) -> fmpq_mat:
    return fmpq_mat(M.nrows(), len(chosen), [row[j] for row in M.tolist() for j in chosen])


def _words(M: fmpq_mat) -> float:
    """The digits of the longest entry, in words of 64 bits."""
    return max(int(x.p).bit_length() + int(x.q).bit_length() for x in M.entries()) / 64


def _affordable(operations: float, words: float, what: str) -> bool:
    """Announces work in rationals, unless it is so much that it is not tried."""
    cost = STEP * operations * max(1.0, words) ** _GROWTH
    if cost <= _MOST:
        spend(cost, what)
    return cost <= _MOST


def _inputs(s: Statement, branch: list[Array], layer: int) -> fmpq_mat | None:
    """What layer `layer`, from 0, of a ReLU branch is given (n, width); None where it is long."""
    A = rationals(s.X)
    words = _words(A)
    for W in map(rationals, branch[:layer]):
        words += _words(W)
        if not _affordable(A.nrows() * W.nrows() * W.ncols(), words, "a network in rationals"):
            return None
        A = _relu(A * W)
    return A


def _left(s: Statement, branches: Branches) -> fmpq_mat | None:
    """E = Y − f(X) of a ReLU network."""
    E = rationals(s.Y)
    for branch in branches:
        A = _inputs(s, branch, s.depth - 1)
        if A is None:
            return None
        E -= A * rationals(branch[-1])
    return E


def _pivots(Phi: fmpq_mat, M: fmpq_mat) -> tuple[list[int], bool] | None:
    """The independent columns of Φ, and whether those of M are in their span; None: too long."""
    n, columns = Phi.nrows(), Phi.ncols() + M.ncols()
    if not _affordable(n * columns * min(n, columns), max(_words(Phi), _words(M)), "a rank"):
        return None
    rows = [[*a, *b] for a, b in zip(Phi.tolist(), M.tolist(), strict=True)]
    reduced, rank = fmpq_mat(rows).rref()
    pivots = [next(j for j in range(columns) if reduced[i, j]) for i in range(rank)]
    within = [j for j in pivots if j < Phi.ncols()]
    return within, len(within) == len(pivots)


def _least_singular(A: arb_mat, Z: arb_mat | None = None) -> arb | None:
    """A positive lower bound on ‖Av‖ of unit vectors v; None where none is proved.

    Of all v, where A has no more columns than rows, or of those in the span of independent Z.
    """
    if Z is None:
        if A.nrows() < A.ncols():
            return None
        lengths, image, square = diagonal([arb(1)] * A.ncols()), floats(A), times(A.transpose(), A)
    else:
        AZ = times(A, Z)
        lengths, square = times(Z.transpose(), Z), times(AZ.transpose(), AZ)
        image = floats(A) @ np.linalg.qr(floats(Z))[0]
    guess = float(np.linalg.svd(image, compute_uv=False)[-1])
    for share in (0.999, 0.5):
        least = arb(share * guess)
        if guess > 0 and positive_definite(square - lengths * least**2):
            return least
    return None


def _moved(s: Statement, branches: Branches, further: Correction) -> arb:
    """What moving the weights of the network instead adds to the primal, weight decay; or inf.

    Let f(X) = A W_l M, A what layer l is given and M the product of the layers above it. With
    A C = E, P the projection onto the row space of Y, and M injective on it, Δ = C P (M P)⁺ and
    the layers W_l + Δ and W_L P put out Y = Y P. The last layer is no longer for it, layer l by at
    most ‖Δ‖ ≤ ‖C‖/σ, σ the least ‖Mv‖ of unit v in that space: ½(w + δ)² − ½w² in cost. If l = L,
    W_L + C does. Linear: l = 1, and f(X) = A W_1 M holds always. ReLU: l = L, or in a single branch
    a lower layer if it and all hidden ones above it are positive and stay so.

    Branches are one network of block-diagonal layers: their first layers are given the same.
    """
    if s.power or sum(branch[-1].shape[0] for branch in branches) > MAX_CORRECTED:
        return _NOTHING
    if s.activation == "linear":
        layers = [0]
    else:
        layers = [s.depth - 1] if len(branches) > 1 else list(range(s.depth - 1, 0, -1))
    for layer in layers:
        if s.activation == "linear":
            move: arb | None = further.size
        else:
            move = _shortest(s, branches, layer)
        if move is not None and layer < s.depth - 1:
            least = _gain(s, branches, layer)
            move = None if least is None else move / least
        if move is None or (layer and not _stays_positive(s, branches[0], layer, move)):
            continue
        weight = root(total(norm(branch[layer]) ** 2 for branch in branches))
        return move * weight + move**2 / 2
    return _NOTHING


def _shortest(s: Statement, branches: Branches, layer: int) -> arb | None:
    """An upper bound on the least ‖C‖ with A C = E, A what a layer of a ReLU network is given."""
    error = residual(s, branches, s.architecture, "upper")
    below = [[*branch[:layer], _identity(len(branch[layer]))] for branch in branches]
    given = [outputs(s.X, layers, True).transpose() for layers in below]
    least = _least_singular(arb_mat([row for A in given for row in A.tolist()]))
    if least is None:  # not of full row rank
        E, exact = _left(s, branches), [_inputs(s, branch, layer) for branch in branches]
        known = [A.transpose().tolist() for A in exact if A is not None]
        if E is None or len(known) < len(exact) or sum(map(len, known)) > MAX_CORRECTED:
            return None
        A = fmpq_mat([row for rows in known for row in rows]).transpose()
        ranks = _pivots(A, E)
        if ranks is not None and ranks[0] and ranks[1]:
            least = _least_singular(arb_mat(_columns(A, ranks[0])))
    return None if least is None else error / least


def _gain(s: Statement, branches: Branches, layer: int) -> arb | None:
    """A lower bound on ‖Mv‖ of unit v in the row space of Y, M the layers above one."""
    Y = rationals(s.Y).transpose()
    ranks = _pivots(Y, fmpq_mat(Y.nrows(), 1))
    if ranks is None or not ranks[0]:
        return None
    above = [[*branch[layer + 1 :], np.eye(s.Y.shape[1])] for branch in branches]
    M = [row for first, *rest in above for row in outputs(first, rest, False).tolist()]
    return _least_singular(arb_mat(M), arb_mat(_columns(Y, ranks[0])))


def _stays_positive(s: Statement, branch: list[Array], layer: int, move: arb) -> bool:
    """Whether hidden layers from `layer` on are proved positive after a move of its weights."""
    given = outputs(s.X, [*branch[:layer], _identity(len(branch[layer]))], True)
    reach = _longest(given) * move
    for above in range(layer, s.depth - 1):
        reach = reach * norm(branch[above]) if above > layer else reach
        if not all(x > reach for x in outputs(s.X, branch[: above + 1], True).entries()):
            return False
    return True


def exact_values(s: Statement, upper: Branches, bidual: Branches | None) -> dict[str, float]:
    """An upper bound on the primal of exact interpolation, or with a bidual network on the dual.

    What is not proved is missing.
    """
    values = {}
    if bidual is None:
        further = correction(s, upper, s.architecture)
        if further is not None:
            more = min(further.primal(s).upper(), _moved(s, upper, further).upper(), key=float)
            values["primal"] = up(primal(s, upper) + more)
    else:
        further = correction(s, bidual, "parallel")
        if further is not None:
            values["dual_upper"] = up(s.scaled_total(scaled_value(bidual) + further.scaled()))
    return values
