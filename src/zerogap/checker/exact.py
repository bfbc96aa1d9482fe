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
"""

from dataclasses import dataclass

import numpy as np
from flint import arb, arb_mat, fmpq, fmpq_mat

from zerogap.checker.balls import (
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
from zerogap.checker.budget import STEP, spend
from zerogap.checker.eigen import positive_definite
from zerogap.checker.limits import MAX_CORRECTED, MAX_ROUNDING
from zerogap.checker.reading import Branches
from zerogap.checker.statement import Statement
from zerogap.checker.upper import norm, outputs, primal, residual, scaled_value

_NOTHING = arb("inf")


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
    if max(*s.X.shape, s.Y.shape[1]) > MAX_CORRECTED:
        return None
    if s.activation == "linear":
        longest, count, Phi = arb(1), min(s.X.shape[1], s.Y.shape[1]), rationals(s.X)
    else:
        # Directions of few digits, so that what they put out is exact. Any would do.
        U = np.random.default_rng(0).standard_normal((s.X.shape[1], 3 * len(s.X) + 8))
        U = np.round(64 * U) / 64
        longest = max((frobenius(balls(u)) for u in U.T[:, None]), key=float)
        count, Phi = U.shape[1], _relu(rationals(s.X) * rationals(U))
    least = _least_singular(arb_mat(Phi).transpose())
    if least is None:  # not all residuals can be put out, but perhaps this one
        spend(STEP * len(s.X) ** 2 * Phi.ncols(), "the span of the features")
        basis, inside, reached = _basis(Phi, s, branches)
        rounded = reached and error <= arb(MAX_ROUNDING) * frobenius(balls(s.Y))
        least = _least_singular(arb_mat(basis)) if inside or rounded else None
        count = min(count, basis.ncols())
    return None if least is None else Correction(count, longest * error / least)


def _relu(M: fmpq_mat) -> fmpq_mat:
    return fmpq_mat(M.nrows(), M.ncols(), [max(x, fmpq(0)) for x in M.entries()])


def _basis(Phi: fmpq_mat, s: Statement, branches: Branches) -> tuple[fmpq_mat, bool, bool]:
    """Independent columns that span those of Φ; whether Y − f(X), and whether f(X), is in there."""
    put_out = fmpq_mat(*s.Y.shape)
    for branch in branches:
        A = rationals(s.X)
        for W in branch[:-1]:
            A = A * rationals(W)
            A = _relu(A) if s.activation == "relu" else A
        put_out += A * rationals(branch[-1])
    within, inside = _pivots(Phi, rationals(s.Y) - put_out)
    basis = fmpq_mat([[row[j] for j in within] for row in Phi.tolist()]) if within else Phi
    return basis, inside, _pivots(Phi, put_out)[1]


def _pivots(Phi: fmpq_mat, M: fmpq_mat) -> tuple[list[int], bool]:
    """The independent columns of Φ, and whether those of M are in their span."""
    rows = [[*a, *b] for a, b in zip(Phi.tolist(), M.tolist(), strict=True)]
    reduced, rank = fmpq_mat(rows).rref()
    pivots = [next(j for j in range(reduced.ncols()) if reduced[i, j]) for i in range(rank)]
    within = [j for j in pivots if j < Phi.ncols()]
    return within, len(within) == len(pivots)


def _least_singular(A: arb_mat) -> arb | None:
    """A positive lower bound on σ_min of A, more rows than columns; None where none is proved."""
    if A.nrows() < A.ncols():
        return None
    gram = times(A.transpose(), A)
    guess = float(np.linalg.svd(floats(A), compute_uv=False)[-1])
    for share in (0.999, 0.5):
        least = arb(share * guess)
        if guess > 0 and positive_definite(gram - diagonal([least**2] * A.ncols())):
            return least
    return None


def _moved(s: Statement, branches: Branches, further: Correction) -> arb:
    """What moving the weights of the network instead adds to the primal, weight decay; or inf.

    Linear: f = X W₁M, and W₁ + ΔM⁺ puts out XΔ = E more if M has full column rank. ReLU: f = A W_L,
    and W_L + A⁺E does if A has full row rank. Branches are one network of block-diagonal layers. A
    layer of norm w costs ½(w + δ)² after a move of δ.
    """
    wide = sum(branch[-1].shape[0] for branch in branches)
    if s.power or wide > MAX_CORRECTED:
        return _NOTHING
    if s.activation == "linear":
        tails = [outputs(b[1], [*b[2:], np.eye(s.Y.shape[1])], False) for b in branches]
        least = _least_singular(arb_mat([row for M in tails for row in M.tolist()]))
        distance, layer = further.size, 0
    else:
        last = [outputs(s.X, [*b[:-1], np.eye(len(b[-1]))], True).transpose() for b in branches]
        least = _least_singular(arb_mat([row for A in last for row in A.tolist()]))
        distance, layer = residual(s, branches, s.architecture, "upper"), -1
    if least is None:
        return _NOTHING
    move, weight = distance / least, root(total(norm(branch[layer]) ** 2 for branch in branches))
    return move * weight + move**2 / 2


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
