"""A problem in coordinates of order one, with the way back."""

from dataclasses import dataclass

import numpy as np

from zerogap.model.matrices import RANK_TOLERANCE, Array
from zerogap.model.problem import Problem


@dataclass(frozen=True, eq=False)
class Scaled:
    """A problem in coordinates of order one, with the way back.

    Weights go back as W₁ = gain·basis·Ŵ₁, W_l = gain·Ŵ_l, values as unit·value + offset; penalty
    is β in the new units (0: interpolation).
    """

    X: Array
    Y: Array
    basis: Array
    gain: float
    penalty: float
    unit: float
    offset: float


def scale(problem: Problem) -> Scaled:
    """Rotate the inputs to rank X coordinates and bring data and targets to order one.

    Weights of W₁ outside the row space of X cost and do nothing. Interpolation constraints may
    be multiplied from the left by anything that commutes with the network: an invertible matrix
    if it is linear, positive row scales if it is positively homogeneous. Both keep the problem
    and make it well conditioned.
    """
    X, Y = problem.X, problem.Y
    U, s, Vt = np.linalg.svd(X, full_matrices=False)
    rank = max(1, int(np.sum(s > RANK_TOLERANCE * s[0])))
    U, s, Vt = U[:, :rank], s[:rank], Vt[:rank]
    offset = 0.0
    if problem.activation == "linear":
        inner = U.T @ Y
        offset = 0.0 if problem.beta is None else 0.5 * float(np.sum((Y - U @ inner) ** 2))
        X, Y = np.diag(s), inner
        if problem.beta is None and s[0] > 0:
            X, Y = np.eye(rank), inner / s[:, None]
    else:
        X = U * s
        if problem.beta is None:
            rows = np.linalg.norm(X, axis=1, keepdims=True)
            rows[rows <= RANK_TOLERANCE * rows.max()] = 1.0
            X, Y = X / rows, Y / rows
            # Rows on one ray ask for the same thing.
            rays: list[int] = []
            for i, row in enumerate(X):
                if all(np.linalg.norm(row - X[j]) > RANK_TOLERANCE for j in rays):
                    rays.append(i)
            X, Y = X[rays], Y[rays]
    a = float(np.linalg.norm(X, 2)) or 1.0
    b = float(np.linalg.norm(Y)) or 1.0
    degree = 2 if problem.regularizer == "weight_decay" else problem.depth
    gain = (b / a) ** (1 / problem.depth)
    unit = gain**degree * (problem.beta or 1.0)
    penalty = 0.0 if problem.beta is None else unit / b**2
    return Scaled(X / a, Y / b, Vt.T, gain, penalty, unit, offset)
