"""The data of the benchmarks: made by recipes, some of them published, and sets of scikit-learn.

Recipe and size of `teacher` and `arms` are those of Prakhya, Birdal and Yurtsever, Convex
Formulations for Training Two-Layer ReLU Neural Networks (ICLR 2025), and of its public code; the
numbers are drawn here.
"""

import numpy as np

from zerogap.model.data import standardized
from zerogap.model.matrices import Array

CLASSES = 3


def teacher(seed: int, neurons: int = 5, n: int = 25) -> tuple[Array, Array]:
    """Normal X (n, 2), and Y (n, 5) of a ReLU network with normal weights."""
    rng = np.random.default_rng(seed)
    X, U, W = (rng.normal(size=shape) for shape in ((n, 2), (2, neurons), (neurons, 5)))
    return X, np.maximum(X @ U, 0) @ W


def arms(seed: int = 0) -> tuple[Array, Array]:
    """Three arms of twenty points, each four radians long, with noise on the angles."""
    arm, radius = np.repeat(np.arange(3), 20), np.tile(np.linspace(0, 1, 20), 3)
    angle = 4 * (arm + radius) + 0.15 * np.random.default_rng(seed).normal(size=60)
    X = radius[:, None] / 2 * np.column_stack([np.sin(angle), np.cos(angle)])
    return X, np.eye(3)[arm]


def lifted_arms(seed: int = 0) -> tuple[Array, Array]:
    """The arms with a constant column, which is a bias of the first layer."""
    X, Y = arms(seed)
    return np.column_stack([X, np.ones(len(X))]), Y


def spiral(n: int) -> tuple[Array, Array]:
    """As many points on each arm, from the middle one turn outwards, and a constant column."""
    radius = np.linspace(0.1, 1, n // CLASSES)
    arm = np.repeat(np.arange(CLASSES), len(radius))
    radius = np.tile(radius, CLASSES)
    angle = 2 * np.pi * (radius + arm / CLASSES)
    X = np.column_stack([radius * np.cos(angle), radius * np.sin(angle), np.ones(len(arm))])
    return X, np.eye(CLASSES)[arm]


def iris(n: int) -> tuple[Array, Array]:
    """The first flowers of every species."""
    from sklearn.datasets import load_iris

    bunch = load_iris()
    rank = np.tile(np.arange(50), CLASSES)
    chosen = np.sort(np.argsort(rank, kind="stable")[:n])
    X = bunch.data[chosen]
    return (X - X.mean(axis=0)) / X.std(axis=0), np.eye(CLASSES)[bunch.target[chosen]]


def gaussian(n: int, d: int) -> tuple[Array, Array]:
    """Two classes, normal around means that are one apart in every direction."""
    rng = np.random.default_rng(d)
    labels = np.arange(n) % 2
    return standardized(rng.normal(size=(n, d)) + labels[:, None]), np.eye(2)[labels]


def bundled(name: str, n: int) -> tuple[Array, Array]:
    """The first samples of a data set of scikit-learn; digits-pca: 20 principal components."""
    from sklearn import datasets

    loaders = {
        "wine": datasets.load_wine, "cancer": datasets.load_breast_cancer,
        "diabetes": datasets.load_diabetes, "digits": datasets.load_digits,
    }  # fmt: skip
    bunch = loaders[name.removesuffix("-pca")]()
    order = np.random.default_rng(0).permutation(len(bunch.data))[:n]
    X, target = standardized(bunch.data[order]), bunch.target[order]
    if name.endswith("-pca"):
        X = standardized(X @ np.linalg.svd(X, full_matrices=False)[2][:20].T)
    if name == "diabetes":
        return X, ((target - target.mean()) / target.std())[:, None]
    return X, 2.0 * target[:, None] - 1 if name == "cancer" else np.eye(target.max() + 1)[target]
