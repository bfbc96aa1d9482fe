"""Standard networks of low rank that fit one-hot classes on whitened data (theory §7).

All hidden layers but the last hold each class at one point of few dimensions, which costs less a
layer than one direction per class. Given these points the last two layers are a convex program.
Classes in several groups, each with dimensions of its own, add up.
"""

from functools import cache
from itertools import product
from typing import NamedTuple

import numpy as np

from zerogap.convex.columns import gauge, master, sparse_fit
from zerogap.convex.oracles import Features
from zerogap.model.fit import Fit
from zerogap.model.matrices import Array
from zerogap.model.network import Network
from zerogap.model.problem import Problem
from zerogap.theory.whitened import fan, simplex

# Dimensions of a group, and so corners and edges, whose sign vectors are few.
_DIMENSIONS = 5
_LARGEST = _DIMENSIONS * (_DIMENSIONS + 1) // 2


class Group(NamedTuple):
    """Features (s, r) of s classes and the two layers that make I of them: φ(features U) W = I.

    cost: Σ‖u_j‖‖w_j‖, the least for these features or near it.
    """

    features: Array
    U: Array
    W: Array

    @property
    def cost(self) -> float:
        return float(np.linalg.norm(self.U, axis=0) @ np.linalg.norm(self.W, axis=1))

    def scaled(self, sizes: Array, depth: int) -> float:
        """P₁ of the group for classes of these sizes: (Σ_j ‖column j‖^{2/m})^{m/2}, m = L − 2."""
        columns = sizes @ self.features**2
        return float(np.sum(columns ** (1 / (depth - 2))) ** (depth / 2 - 1)) * self.cost


def bottleneck(problem: Problem, sizes: Array) -> Network:
    """The cheapest sum of groups, L ≥ 3; groups of one class are one direction per class.

    sizes (k,): of the classes. Large ones take the places that cost least.
    """
    order = np.argsort(-sizes, kind="stable")
    best: list[tuple[float, tuple[tuple[int, ...], ...], tuple[Group, ...]]] = [(0.0, (), ())]
    for end in range(1, len(sizes) + 1):
        found = []
        for start in range(max(0, end - _LARGEST), end):
            total, members, groups = best[start]
            for group in _groups(end - start):
                places = np.argsort(np.linalg.norm(group.features, axis=1), kind="stable")
                inside = np.empty(end - start, dtype=int)
                inside[places] = order[start:end]
                value = group.scaled(sizes[inside], problem.depth) ** (2 / problem.depth)
                found.append((total + value, (*members, tuple(inside)), (*groups, group)))
        best.append(min(found, key=lambda each: each[0]))
    _, members, groups = best[-1]
    branches = []
    for chosen, group in zip(members, groups, strict=True):
        outputs = np.zeros((len(group.W), problem.k))
        outputs[:, chosen] = group.W
        first = problem.X.T @ problem.Y[:, chosen] @ group.features
        middle = [np.eye(first.shape[1])] * (problem.depth - 3)
        branches.append((first, *middle, group.U, outputs))
    parts = (Network((branch,), "relu").balanced_units().branches[0] for branch in branches)
    return Network(tuple(parts), "relu").as_standard()


@cache
def _groups(classes: int) -> tuple[Group, ...]:
    """What a group of so many classes can look like."""
    if classes == 1:
        return (Group(np.eye(1), np.eye(1), np.eye(1)),)
    ranks = [r for r in range(3, _DIMENSIONS + 1) if 2 * r - 1 <= classes <= r * (r + 1) // 2]
    plane = [_planar(fan(classes))] if classes > 2 else []
    return (*plane, *(_signed(simplex(classes, rank)) for rank in ranks))


def _planar(features: Array) -> Group:
    """The best two layers on points of a plane."""
    found = gauge(Features(features), Fit(np.eye(len(features))))
    return Group(features, found.atoms.U, found.weights)


def _signed(features: Array) -> Group:
    """Two layers whose first weights are −1, 0 or 1: the best there are on all of a simplex."""
    fit, rank = Fit(np.eye(len(features))), features.shape[1]
    U = np.array([signs for signs in product((-1.0, 0.0, 1.0), repeat=rank) if max(signs) > 0]).T
    U /= np.linalg.norm(U, axis=0)
    V = np.maximum(features @ U, 0)
    _, weights, _ = master(V, fit, None)
    kept, weights = sparse_fit(V, weights, fit, None)
    return Group(features, U[:, kept], weights)
