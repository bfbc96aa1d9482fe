"""Certificates that are true: by closed forms, and one of every kind by the solver."""

from __future__ import annotations

from functools import cache
from typing import Any
from unittest.mock import patch

import numpy as np

from zerogap.checker.reading import matrix
from zerogap.convex.regions import Cover
from zerogap.convex.search import search
from zerogap.model.network import Network
from zerogap.model.problem import Problem
from zerogap.replication.studies import depth as depth_study
from zerogap.solving.certificates import build
from zerogap.solving.evidence import Shared
from zerogap.solving.methods import base, columns
from zerogap.solving.solver import solve
from zerogap.theory.whitened import one_hot_lower

Array = np.ndarray


def relu(z: Array) -> Array:
    return np.maximum(z, 0)


def problem(X: Array, Y: Array, depth: int, **options: Any) -> Problem:
    chosen = {"activation": "relu", "architecture": "standard"} | options
    return Problem(X, Y, depth=depth, **chosen)


def linear_case(depth: int, seed: int = 0, k: int = 3) -> tuple[Problem, Array, Array, dict]:
    """A linear problem with its singular values, polar factor and optimal dual evidence."""
    rng = np.random.default_rng(seed)
    # Whole numbers, so that Y = XA is exact and there is a network that interpolates.
    X = rng.integers(-5, 6, (6, 4)).astype(float)
    A = rng.integers(-5, 6, (4, k)).astype(float)
    U, s, Vt = np.linalg.svd(A, full_matrices=False)
    multipliers = np.linalg.pinv(X).T @ U @ Vt
    p = problem(X, X @ A, depth, activation="linear")
    return p, A, s, {"kind": "linear", "multipliers": multipliers}


def linear_network(A: Array, depth: int) -> Network:
    U, s, Vt = np.linalg.svd(A, full_matrices=False)
    root = np.diag(s ** (1 / depth))
    return Network(((U @ root, *[root] * (depth - 2), root @ Vt),), "linear")


def branches_of(A: Array, depth: int) -> Network:
    U, s, Vt = np.linalg.svd(A, full_matrices=False)
    one = np.ones((1, 1))
    return Network(
        tuple((U[:, [i]], *[one] * (depth - 2), s[i] * Vt[[i]]) for i in range(len(s))), "linear"
    ).balanced()


def linear_certificate(depth: int, seed: int = 0) -> dict[str, Any]:
    p, A, s, evidence = linear_case(depth, seed)
    primal, dual = depth / 2 * np.sum(s ** (2 / depth)), depth / 2 * s.sum() ** (2 / depth)
    claimed = {"primal": primal, "dual": dual}
    gap = None
    if depth > 2:
        gap = {"theorem": "schatten", "bidual": branches_of(A, depth)}
        claimed |= {"primal_lower": primal, "dual_upper": dual}
    return build(p, linear_network(A, depth), evidence, gap=gap, claimed=claimed)


def opposed_certificate(depth: int = 3) -> dict[str, Any]:
    """X = (1, −1)ᵀ, Y = (1, −1)ᵀ: P = L, bound (L/2) 2^{2/L} (theory §6).

    Proved is P at L ≤ 4, and (L/2) 4^{2/L} beyond.
    """
    X = np.array([[1.0], [-1.0]])
    eye = np.eye(2)
    signs = np.array([[1.0, -1.0]])
    network = Network(((signs, *[eye] * (depth - 2), signs.T),), "relu")
    one = np.ones((1, 1))
    bidual = Network(
        tuple((sign * one, *[one] * (depth - 2), sign * one) for sign in (1, -1)), "relu"
    )
    evidence = {"kind": "rank-one", "multipliers": X, "c": X, "a": one}
    dual = depth / 2 * 2 ** (2 / depth)
    lower = min(depth, depth / 2 * 4 ** (2 / depth))
    return build(
        problem(X, X, depth),
        network,
        evidence,
        gap={"theorem": "rank-one", "bidual": bidual},
        claimed={"primal": depth, "dual": dual, "primal_lower": lower, "dual_upper": dual},
    )


def two_layer_certificate() -> dict[str, Any]:
    """X = I₂, y = (1, −2): two neurons on disjoint samples, D₁ = 1 + 2."""
    X, y = np.eye(2), np.array([[1.0], [-2.0]])
    root = np.sqrt(2)
    network = Network(((np.diag([1.0, root]), np.array([[1.0], [-root]])),), "relu")
    evidence = {"kind": "faces", "multipliers": np.array([[1.0], [-1.0]])}
    return build(problem(X, y, 2), network, evidence, claimed={"primal": 3, "dual": 3})


def one_hot_certificate(sizes: tuple[int, ...], depth: int) -> dict[str, Any]:
    """X = I, one-hot Y: one orthogonal direction per class (theory §7)."""
    n, k = sum(sizes), len(sizes)
    Y = np.repeat(np.eye(k), sizes, axis=0)
    lengths = np.sqrt(sizes)
    V = Y / lengths
    # Layer norms of the optimum: class k carries √n_k^{1/L} in each layer.
    root = np.diag(lengths ** (1 / depth))
    network = Network(((V @ root, *[root] * (depth - 1)),), "relu")
    one = np.ones((1, 1))
    bidual = Network(
        tuple((V[:, [j]], *[one] * (depth - 2), lengths[j] * np.eye(k)[[j]]) for j in range(k)),
        "relu",
    ).balanced()
    primal = depth / 2 * np.sum(lengths ** (2 / depth))
    dual = depth / 2 * lengths.sum() ** (2 / depth)
    proved = depth / 2 * one_hot_lower(np.array(sizes, dtype=float), depth) ** (2 / depth)
    return build(
        problem(np.eye(n), Y, depth),
        network,
        {"kind": "whitened", "multipliers": V},
        gap={"theorem": "whitened-one-hot", "bidual": bidual},
        claimed={"primal": primal, "dual": dual, "primal_lower": proved, "dual_upper": dual},
    )


def tree_certificate() -> dict[str, Any]:
    """X = (1, −1)ᵀ as data of a three-layer parallel network: D₁ = 2 with μ = 0 throughout."""
    X = np.array([[1.0], [-1.0]])
    one = np.ones((1, 1))
    network = Network(tuple((s * one, one, s * one) for s in (1, -1)), "relu")
    evidence = {"kind": "tree", "multipliers": X, "mu": np.zeros((4, 2))}
    p = problem(X, X, 3, architecture="parallel", regularizer="power")
    return build(p, network, evidence, claimed={"primal": 3, "dual": 3})


def cut(X: Array, multipliers: Array) -> Shared:
    """Evidence on six regions of first layers, whether or not one would do."""
    cover = Cover(X, multipliers[:, 0])
    cover.refine(0.0, 6)
    mu, splits, eta = cover.evidence()
    return Shared(multipliers, splits, mu, eta)


CERTIFICATES = {
    "linear-2": lambda: linear_certificate(2),
    "linear-3": lambda: linear_certificate(3),
    "opposed-3": opposed_certificate,
    "opposed-5": lambda: opposed_certificate(5),
    "two-layer": two_layer_certificate,
    "one-hot": lambda: one_hot_certificate((2, 1), 3),
    "one-hot-three": lambda: one_hot_certificate((1, 1, 1), 5),
    "tree": tree_certificate,
}


SHAPES: dict[str, dict[str, Any]] = {
    "faces": dict(n=5, d=3, k=1, depth=2),
    "faces-vector-beta": dict(n=4, d=2, k=2, depth=2, beta=0.3),
    "cones": dict(n=6, d=3, k=1, depth=2),
    "cones-low-rank": dict(n=6, d=3, k=1, depth=2),
    "cones-vector-beta": dict(n=6, d=3, k=2, depth=2, beta=0.3),
    "moments": dict(n=6, d=3, k=1, depth=2),
    "moments-vector-beta": dict(n=6, d=3, k=2, depth=2, beta=0.3),
    "tree-4": dict(n=4, d=2, k=1, depth=4, architecture="parallel", regularizer="power"),
    "tree-beta": dict(
        n=4, d=2, k=1, depth=3, architecture="parallel", regularizer="power", beta=0.2
    ),
    "cover": dict(n=3, d=2, k=2, depth=3, architecture="parallel", regularizer="power"),
    "outputs": dict(n=3, d=2, k=2, depth=4, architecture="parallel", regularizer="power"),
    "layers": dict(n=4, d=2, k=1, depth=3, architecture="parallel", regularizer="power", beta=0.2),
    "layers-vector": dict(
        n=3, d=2, k=2, depth=3, architecture="parallel", regularizer="power", beta=0.1
    ),
    "shifts": dict(n=4, d=2, k=1, depth=2, beta=0.2, bias="free"),
    "biases": dict(n=4, d=2, k=2, depth=2, beta=0.2, bias="decayed"),
    "levels": dict(n=4, d=2, k=1, depth=3, beta=0.1),
    "levels-linear": dict(n=5, d=3, k=2, depth=3, beta=0.1, activation="linear"),
    "moments-vertices": dict(n=15, d=4, k=2, depth=2, beta=1.0),
}


@cache
def solved(name: str) -> dict[str, Any]:
    """A certificate that the solver makes for seeded normal data; "deeper" for the depth study.

    "search": of the smallest example, by search over the weights. "shared": of "tree-4".
    """
    rng = np.random.default_rng(0)
    if name == "search":
        X = np.array([[1.0], [-1.0]])
        smallest = problem(X, X, 3)
        return solve(smallest, proof=search(smallest, leaves=20)).certificate
    if name == "deeper":
        for _ in range(4):
            X, y = rng.normal(size=(6, 3)), rng.normal(size=6)
        return depth_study.certificate(depth_study.compare(X, y), "fourth-draw")
    options = dict(SHAPES["tree-4" if name == "shared" else name])
    n, d, k = (options.pop(key) for key in ("n", "d", "k"))
    X, Y = rng.normal(size=(n, d)), rng.normal(size=(n, k))
    if name == "cones-low-rank":
        X[:, 2] = X[:, 0] - 2 * X[:, 1]
    # No arrangement is small enough to visit where the moments are wanted, or to prove by faces.
    visits = 0 if name.startswith(("moments", "layers")) else base.MAX_VISITS
    faces = 0 if name.startswith("cones") else columns.MAX_FACES
    with patch.object(base, "MAX_VISITS", visits), patch.object(columns, "MAX_FACES", faces):
        gap = 0.2 if name.startswith("layers") else 0.05
        asked = problem(X, Y, **options)
        found = solve(asked, restarts=0, gap=gap)
    if name == "shared":
        evidence = cut(X, matrix(found.certificate["lower"]["multipliers"], name)).record()
        claimed = {"primal": found.primal, "dual": found.dual}
        return build(asked, found.weights, evidence, claimed=claimed)
    return found.certificate


EVERY_KIND = (*CERTIFICATES, *SHAPES, "deeper", "search", "shared")


def example(name: str) -> dict[str, Any]:
    """A certificate by its name in EVERY_KIND."""
    return CERTIFICATES[name]() if name in CERTIFICATES else solved(name)
