"""Whitened data, one-hot or scalar targets: each class, each sign, is one branch (theory §7)."""

import numpy as np

from zerogap.model.matrices import is_whitened
from zerogap.solving.evidence import Whitened
from zerogap.solving.methods.base import Given, Piece
from zerogap.theory.whitened import one_hot_sizes, whitened_scalar

NAME = "whitened closed form"


def accepts(given: Given, tau: float | None) -> str | None:
    problem = given.problem
    if problem.activation != "relu" or not is_whitened(problem.X):
        return "it is for ReLU networks on data with X Xᵀ = I"
    if tau is not None or not given.fit.plain:
        return "it is for interpolation"
    if problem.k > 1 and one_hot_sizes(problem) is None:
        return "the targets are neither scalar nor one-hot"
    return None


def solve(given: Given, tau: float | None) -> Piece:
    problem, Y = given.problem, given.problem.Y
    if problem.k == 1:
        V, weights = whitened_scalar(Y[:, 0])
    else:
        lengths = np.linalg.norm(Y, axis=0)
        V, weights = Y / lengths, np.diag(lengths)
    lengths = np.linalg.norm(weights, axis=1, keepdims=True)
    multipliers = V @ (weights / lengths)
    c = float(np.linalg.norm(multipliers, 2)) if problem.k > 1 else 1.0
    lower, multipliers = given.best_multiple(multipliers, c * given.stretch, tau)
    branches, upper = tuple((problem.X.T @ v[:, None],) for v in V.T), float(lengths.sum())
    return Piece(lower, upper, Whitened(multipliers), branches, weights, "closed form")
