"""Programs with cones: the multipliers Λ of any fit, against finitely many atoms or in any set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import clarabel
import numpy as np
from scipy import sparse

from zerogap.model import clock
from zerogap.model.errors import MethodError
from zerogap.model.fit import Fit
from zerogap.model.matrices import Array

# Residuals that are allowed, as a share of the gap that is.
_RESIDUAL = 0.01


def minimise(
    P: Any, q: Array, A: Any, b: Array, cones: list[Any], tolerance: float = 1e-11
) -> tuple[Array, Array]:
    """Solve min ½xᵀPx + qᵀx s.t. b − Ax ∈ cones, and return (x, z) with z the cone multipliers.

    tolerance: the relative gap to stop at. Raises MethodError with the solver's status where it
    finds no solution.
    """
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.max_threads = 1
    settings.time_limit = clock.left()
    settings.tol_gap_abs = 1e-11
    settings.tol_gap_rel, settings.tol_feas = tolerance, max(1e-11, _RESIDUAL * tolerance)
    settings.tol_ktratio = 1e-9
    solver = clarabel.DefaultSolver(
        sparse.triu(sparse.csc_matrix(P)).tocsc(), q, sparse.csc_matrix(A), b, cones, settings
    )
    solution = solver.solve()
    # A stalled run at tight tolerances is fine: every value taken from it is re-evaluated.
    usable = ("Solved", "AlmostSolved", "InsufficientProgress", "MaxIterations")
    x, z = np.array(solution.x), np.array(solution.z)
    if str(solution.status) not in usable or not (np.isfinite(x).all() and np.isfinite(z).all()):
        raise MethodError(f"the conic solver stopped with status {solution.status}")
    return x, z


@dataclass(frozen=True, eq=False)
class Conic:
    """The dual of a fit as min ½xᵀPx + qᵀx, b − Ax ∈ cones: x begins with Λ (n, k), by rows.

    P is diagonal. The multipliers of the first k rows are the output bias where there is one.
    """

    fit: Fit
    P: Array
    q: Array
    A: Any
    b: Array
    cones: list[Any]

    @classmethod
    def of(cls, fit: Fit, exact: bool) -> Conic:
        """exact: for interpolation, whose dual is ⟨Λ, Y⟩."""
        (n, k), conjugate = fit.Y.shape, fit.conjugate
        entropies = () if exact else conjugate.entropies
        square, linear = (0.0, fit.Y) if exact else (conjugate.square, conjugate.linear)
        size, spread = n * k, k if fit.rho else 0
        unknowns = size + len(entropies) * size + spread
        P = np.repeat([square, 0.0, 1.0], [size, len(entropies) * size, spread])
        q = np.repeat([0.0, -1.0, 0.0], [size, len(entropies) * size, spread])
        q[:size] = -linear.ravel()
        rows = _Rows(unknowns)
        if fit.rho is not None:
            sums = sparse.kron(np.ones((1, n)), sparse.eye(k))
            rows.add(sums, np.zeros(k), clarabel.ZeroConeT(k))
            if spread:  # Λᵀ1 = √ρ u, of which half the square is lost
                rows.entries[-1][:, unknowns - k :] = -np.sqrt(fit.rho) * sparse.eye(k)
        if conjugate.balanced and not exact:
            rows.add(
                sparse.kron(sparse.eye(n), np.ones((1, k))), np.zeros(n), clarabel.ZeroConeT(n)
            )
        for side, end in ((1, conjugate.upper), (-1, conjugate.lower)):
            bounded = np.flatnonzero(np.isfinite(end))
            # Entropies have their bounds in their cones.
            if len(bounded) and not entropies and not exact:
                rows.add(
                    side * sparse.eye(size).tocsr()[bounded],
                    side * end.ravel()[bounded],
                    clarabel.NonnegativeConeT(len(bounded)),
                )
        for index, (sign, shift) in enumerate(entropies):
            # (t, π, 1) in the exponential cone: t ≤ −π log π.
            each = np.arange(size)
            at = sparse.csr_matrix((-sign.ravel(), (3 * each + 1, each)), shape=(3 * size, size))
            b = np.tile([0.0, 0.0, 1.0], size)
            b[1::3] = shift.ravel()
            rows.add(at, b, *[clarabel.ExponentialConeT()] * size)
            rows.entries[-1][3 * each, (1 + index) * size + each] = -1.0
        return cls(fit, P, q, *rows.joined())

    def solve(
        self, A: Any, b: Array, cones: list[Any], tolerance: float = 1e-11
    ) -> tuple[Array, Array, Array | None]:
        """The optimum under more rows: x, their multipliers, and the output bias.

        The first columns of A, and the first entries of x, are Λ's; all others are unknowns of
        these rows.
        """
        size, own = self.fit.Y.size, len(self.q)
        A = sparse.csc_matrix(A)
        between = sparse.csc_matrix((A.shape[0], own - size))
        rows = sparse.hstack([A[:, :size], between, A[:, size:]])
        more = rows.shape[1] - own
        mine = sparse.hstack([self.A, sparse.csc_matrix((len(self.b), more))])
        x, z = minimise(
            sparse.diags(np.pad(self.P, (0, more))),
            np.pad(self.q, (0, more)),
            sparse.vstack([mine, rows]).tocsc(),
            np.concatenate([self.b, b]),
            self.cones + cones,
            tolerance,
        )
        bias = None if self.fit.rho is None else z[: self.fit.Y.shape[1]]
        return np.concatenate([x[:size], x[own:]]), z[len(self.b) :], bias


class _Rows:
    """Rows of A and b with their cones, the columns beyond those given zero."""

    def __init__(self, unknowns: int) -> None:
        self.unknowns = unknowns
        self.entries: list[Any] = []
        self.right: list[Array] = []
        self.cones: list[Any] = []

    def add(self, entries: Any, right: Array, *cones: Any) -> None:
        entries = sparse.lil_matrix(entries)
        entries.resize(entries.shape[0], self.unknowns)
        self.entries.append(entries)
        self.right.append(right)
        self.cones += cones

    def joined(self) -> tuple[Any, Array, list[Any]]:
        if not self.entries:
            return sparse.csc_matrix((0, self.unknowns)), np.zeros(0), []
        return sparse.vstack(self.entries).tocsc(), np.concatenate(self.right), self.cones


def master(
    V: Array, fit: Fit, tau: float | None, tolerance: float = 1e-11
) -> tuple[Array, Array, Array | None]:
    """Multipliers Λ, weights W (m, k) and the output bias of any fit over atoms V (n, m).

    max dual(Λ) s.t. ‖Λᵀv_j‖ ≤ τ; with τ None ⟨Λ, Y⟩ and 1, for V W + b = Y. As far as rounding
    allows; Λ is only as feasible as the solver made it.
    """
    (n, k), m = fit.Y.shape, V.shape[1]
    radius = 1.0 if tau is None else tau
    if k == 1:
        A, b = np.vstack([V.T, -V.T]), np.full(2 * m, radius)
        cones = [clarabel.NonnegativeConeT(2 * m)] if m else []
    else:
        A = -sparse.kron(V.T, np.eye(k + 1)[:, 1:])
        b = np.tile(np.repeat([radius, 0.0], [1, k]), m)
        cones = [clarabel.SecondOrderConeT(k + 1)] * m
    x, z, bias = Conic.of(fit, tau is None).solve(A, b, cones, tolerance)
    W = (z[:m] - z[m:])[:, None] if k == 1 else -z.reshape(m, k + 1)[:, 1:]
    return x.reshape(n, k), W, bias


def linear_master(X: Array, fit: Fit, tau: float) -> tuple[Array, Array, Array | None]:
    """Multipliers Λ, the map A (d, k) and the output bias of least ℓ(XA + b) + τ‖A‖_* (theory §2).

    max dual(Λ) s.t. ‖XᵀΛ‖₂ ≤ τ, which is [[τI, XᵀΛ], [ΛᵀX, τI]] ⪰ 0.
    """
    (n, k), d = fit.Y.shape, X.shape[1]
    order = d + k
    # Upper triangles by columns, entries off the diagonal times √2.
    place = np.arange(order) * (np.arange(order) + 1) // 2
    corner = place[d:, None] + np.arange(d)
    A = sparse.lil_matrix((order * (order + 1) // 2, n * k))
    for column, rows in enumerate(corner):
        A[rows, column::k] = -np.sqrt(2) * X.T
    b = np.zeros(A.shape[0])
    b[place + np.arange(order)] = tau
    x, z, bias = Conic.of(fit, False).solve(A.tocsc(), b, [clarabel.PSDTriangleConeT(order)])
    return x.reshape(n, k), -np.sqrt(2) * z[corner].T, bias
