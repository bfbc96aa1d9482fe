"""The master program: multipliers Λ against finitely many atoms, and the weights dual to them."""

from typing import Any

import clarabel
import numpy as np
from scipy import sparse

from zerogap.model import clock
from zerogap.model.errors import MethodError
from zerogap.model.matrices import Array


def minimise(P: Any, q: Array, A: Any, b: Array, cones: list[Any]) -> tuple[Array, Array]:
    """Solve min ½xᵀPx + qᵀx s.t. b − Ax ∈ cones, and return (x, z) with z the cone multipliers.

    Raises MethodError with the solver's status where it finds no solution.
    """
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.max_threads = 1
    settings.time_limit = clock.left()
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = 1e-11
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
