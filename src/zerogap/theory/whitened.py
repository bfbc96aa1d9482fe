"""ReLU networks on whitened data, X Xᵀ = I, in closed form (theory §7)."""

from itertools import combinations

import numpy as np

from zerogap.model.matrices import Array, is_whitened
from zerogap.model.network import Network
from zerogap.model.problem import Problem


def one_hot_sizes(problem: Problem) -> Array | None:
    """Class sizes n_k when X Xᵀ = I and Y is exactly one-hot with no empty class, else None."""
    Y = problem.Y
    if not (is_whitened(problem.X) and np.isin(Y, (0.0, 1.0)).all() and (Y.sum(axis=1) == 1).all()):
        return None
    sizes = Y.sum(axis=0)
    return sizes if sizes.min() > 0 else None


def one_hot_orthogonal(sizes: Array, depth: int) -> float:
    """P₁ of one orthogonal direction per class, (Σ n_k^{1/L})^{L/2}: exact for two classes."""
    return float(np.sum(sizes ** (1 / depth)) ** (depth / 2))


def one_hot_lower(sizes: Array, depth: int) -> float:
    """A proved lower bound on P₁: max over |T| ≥ 2 of (2/|T|)^{(L−2)/2} (Σ_T n_k^{1/L})^{L/2}.

    Of two classes alone a network costs no less than a linear one, and averages over the pairs of T
    give its bound (theory §7). The best T of each size holds the largest classes.
    """
    sums = np.cumsum(np.sort(sizes)[::-1] ** (1 / depth))[1:]
    counts = np.arange(2, len(sizes) + 1)
    values = (2 / counts) ** (depth / 2 - 1) * sums ** (depth / 2)
    return float(values.max(initial=0))


def one_hot_network(problem: Problem, depth: int, architecture: str) -> Network:
    """One chain per class: parallel branches of unit cost √n_k, or the orthogonal standard net."""
    chain = [np.ones((1, 1))] * (depth - 2)
    branches = []
    for k in range(problem.k):
        side = problem.Y[:, [k]]
        size = np.sqrt(side.sum())
        branches.append((problem.X.T @ side / size, *chain, size * np.eye(problem.k)[[k]]))
    network = Network(tuple(branches), "relu").balanced()
    return network if architecture == "parallel" else network.as_standard()


def fan(classes: int) -> Array:
    """Features (classes, 2) of a plane: points of its quadrant, the outermost on the axes.

    Length and spread are near the best for every number of classes (theory §7).
    """
    ends = np.linspace(-1, 1, classes)
    angles = np.pi / 4 * (1 + np.sign(ends) * np.abs(ends) ** 0.9)
    lengths = np.full(classes, 2 * classes / (classes + 2))
    lengths[[0, -1]] = 1
    return np.maximum(lengths[:, None] * np.column_stack([np.cos(angles), np.sin(angles)]), 0)


def simplex(classes: int, rank: int, length: float = 0.7) -> Array:
    """Features (classes, rank): the corners of a simplex, e_i, and edges, length (e_i + e_j).

    Edges of a path come first, so that they connect all corners as soon as they can (theory §7).
    """
    pairs = sorted(combinations(range(rank), 2), key=lambda edge: (edge[1] - edge[0], edge))
    edges = np.zeros((classes - rank, rank))
    for row, (i, j) in zip(edges, pairs, strict=False):
        row[[i, j]] = length
    return np.vstack([np.eye(rank), edges])


def whitened_scalar(y: Array) -> tuple[Array, Array]:
    """Atoms V (n, m) and weights (m, 1) of D₁ = ‖φ(y)‖ + ‖φ(−y)‖ for scalar targets y (n,)."""
    sides = [(s, np.maximum(s * y, 0)) for s in (1.0, -1.0)]
    sides = [(s, v) for s, v in sides if v.any()]
    V = (
        np.column_stack([v / np.linalg.norm(v) for _, v in sides])
        if sides
        else np.zeros((len(y), 0))
    )
    return V, np.array([[s * np.linalg.norm(v)] for s, v in sides]).reshape(-1, 1)
