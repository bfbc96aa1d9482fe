"""The largest certificates of every kind that the budget admits, and what each takes to prove.

`python -m tests.checker.worst NAME` builds one, proves it in a fresh process and prints the
operations counted, seconds of CPU and the peak of memory.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.checker.examples import one_hot_certificate, tree_certificate
from zerogap.checker import verify
from zerogap.convex.nodes import frames_of
from zerogap.model.network import Network
from zerogap.model.problem import Problem
from zerogap.solving.certificates import build, matrix

Array = np.ndarray


def stated(
    X: Array, Y: Array, depth: int, evidence: dict[str, Any], activation: str = "relu"
) -> dict[str, Any]:
    """A true certificate that claims nothing, with the zero network and the evidence to prove."""
    branched = depth > 2 and evidence["kind"] != "levels"
    p = Problem(
        X, Y, activation=activation, depth=depth, beta=1e-3,
        architecture="parallel" if branched else "standard",
        regularizer="power" if branched else "weight_decay",
    )  # fmt: skip
    shapes = [(X.shape[1], 1), *[(1, 1)] * (depth - 2), (1, Y.shape[1])]
    zero = Network((tuple(np.zeros(shape) for shape in shapes),), activation)
    return build(p, zero, evidence, claimed={"primal": float(np.sum(Y**2)) / 2, "dual": 0.0})


def normal(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape)


def linear(n: int, pieces: int) -> dict[str, Any]:
    X, Y = normal(n, n), normal(n, n, seed=1)
    listed = [{"kind": "linear", "multipliers": normal(n, n, seed=i)} for i in range(pieces)]
    return stated(X, Y, 3, {"kind": "levels", "evidence": listed}, "linear")


def faces(n: int, d: int, k: int, exponents: float = 0.0) -> dict[str, Any]:
    X = normal(n, d) * 10.0 ** np.random.default_rng(2).uniform(-exponents, exponents, (n, d))
    evidence = {"kind": "faces", "multipliers": normal(n, k, seed=3)}
    certificate = stated(normal(n, d), normal(n, k), 2, evidence)
    certificate["problem"]["X"] = matrix(X)
    return certificate


def cones(n: int, d: int, k: int) -> dict[str, Any]:
    evidence = {"kind": "cones", "multipliers": normal(n, k, seed=3)}
    return stated(normal(n, d), normal(n, k, seed=1), 2, evidence)


def moments(n: int, d: int, halvings: int) -> dict[str, Any]:
    """2^halvings blocks for each sign of the output."""
    sides = np.zeros((2**halvings, n))
    for i in range(halvings):
        sides[:, i] = 1 - 2 * (np.arange(2**halvings) >> i & 1)
    pairs = np.zeros((2 * n, 2 * n))
    pairs[: 2 * n : 7, :] = np.float32(normal(len(pairs[::7]), 2 * n))
    rest = {"cones": normal(1 + d, 2 * n), "trace": 1.0}
    blocks = [
        {"sign": sign, "sides": row, "pairs": pairs, **rest} for sign in (1, -1) for row in sides
    ]
    evidence = {"kind": "moments", "multipliers": normal(n, 1), "scale": 1.0, "level": 1.0}
    return stated(normal(n, d), normal(n, 1, seed=1), 2, {**evidence, "blocks": blocks})


def layers(n: int, d: int) -> dict[str, Any]:
    """Three layers, one block for each sign of the output."""
    frames = frames_of(normal(n, d), 1, 3)
    leaf, top = (len(frame.signed) for frame in frames)
    order = len(frames[0].one)

    def pairs(m: int) -> Array:
        kept = np.zeros((m, m))
        kept[::7] = np.float32(normal(len(kept[::7]), m))
        return kept

    below = {"pairs": pairs(leaf), "cones": normal(1 + d, leaf), "trace": 1.0}
    block = {"sides": np.zeros(n), "pairs": pairs(top), "cross": normal(order, order)}
    blocks = [{"sign": sign, **block, "below": [below, below]} for sign in (1, -1)]
    evidence = {"kind": "layers", "multipliers": normal(n, 1), "scale": 1.0, "level": 1.0}
    return stated(normal(n, d), normal(n, 1, seed=1), 3, {**evidence, "blocks": blocks})


def tree(n: int, d: int) -> dict[str, Any]:
    """Three layers, leaves of every sign."""
    X, multipliers = normal(n, d), normal(n, 1, seed=3)
    positive = int((multipliers > 0).sum())
    rows = 2**positive + 2 ** (n - positive)
    evidence = {"kind": "tree", "multipliers": multipliers, "mu": normal(rows, n) ** 2}
    return stated(X, normal(n, 1, seed=1), 3, evidence)


def shared(cuts: int) -> dict[str, Any]:
    """Four layers, a comb of half-spaces below every child of the root, eight samples."""
    n = 8
    X, multipliers = normal(n, 2), normal(n, 1, seed=3)
    positive = multipliers[:, 0] > 0
    rows, mu = list[Array](), 0
    for p, q in ((positive.sum(), (~positive).sum()), ((~positive).sum(), positive.sum())):
        for mask in range(2**p):
            comb = normal(cuts, 2 * n + 1, seed=mask)
            rows += [np.vstack([row, np.zeros_like(row)]) for row in comb]
            rows.append(np.zeros((1, 2 * n + 1)))
            mu += (cuts + 1) * (1 + 2 ** int(mask).bit_count() + 2 ** int(q))
    evidence = {"kind": "shared", "multipliers": multipliers, "splits": np.vstack(rows)}
    evidence |= {"mu": normal(mu, n) ** 2, "eta": normal(mu, cuts) ** 2}
    return stated(X, normal(n, 1, seed=1), 4, evidence)


def regions(count: int) -> dict[str, Any]:
    """Three layers, four samples, one leaf for each of many regions of up to 200 half-spaces."""
    n, most = 4, 200
    rng = np.random.default_rng(0)

    def spread(A: Array) -> Array:
        return A * 10.0 ** rng.uniform(-70, 70, A.shape)

    rows, made, binary = list[Array](), 0, int(np.ceil(np.log2(count)))
    stack = [0]
    while stack:  # a comb, and below it all there are
        depth = stack.pop()
        if depth in (-1, most) or made + len(stack) >= count + most:
            rows.append(np.zeros(2 * n + 1))
            made += 1
            continue
        rows.append(spread(rng.normal(size=2 * n + 1)))
        stack += [-1, depth + 1] if depth < most - binary else [depth + 1, depth + 1]
    rows += [np.zeros(2 * n + 1)] * 2
    multipliers = np.zeros((n, 1))
    multipliers[0] = 1
    evidence = {"kind": "shared", "multipliers": multipliers, "splits": np.array(rows)}
    evidence |= {"mu": np.zeros((made + 2, n))}
    evidence |= {"eta": spread(np.abs(rng.normal(size=(made + 2, most))))}
    proof = stated(normal(n, 2), normal(n, 1, seed=1), 3, evidence)
    factors = (spread(rng.normal(size=(n, 64))), spread(rng.normal(size=(64, 2))))
    proof["lower"]["X"] = [matrix(factor) for factor in factors]
    return proof


def cancelling_tree(n: int, d: int) -> dict[str, Any]:
    """Every sample twice, with opposite multipliers, and μ that make every leaf vanish on X.

    Nothing is left of a level but rounding, so batches are priced again in balls, one by one.
    """
    X, multipliers = np.repeat(normal(n, d), 2, axis=0), np.tile([[1.0], [-1.0]], (n, 1))
    chosen = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
    mu = np.concatenate([np.kron(chosen, [[0.0, 1.0]]), np.kron(chosen, [[1.0, 0.0]])])
    evidence = {"kind": "tree", "multipliers": multipliers, "mu": mu}
    return stated(X, normal(2 * n, 1, seed=1), 3, evidence)


def cover(halvings: int) -> dict[str, Any]:
    """Two outputs, four samples, both quadrants cut into 2^halvings cones."""
    X, multipliers = normal(4, 2), normal(4, 2, seed=3)
    splits: list[list[int]] = []

    def cut(depth: int) -> None:
        splits.append([0, 1, 1, 1] if depth else [-1, -1, 0, 0])
        for _ in range(2 if depth else 0):
            cut(depth - 1)

    for _ in range(2):
        cut(halvings)
    # Each direction takes 2^|P| + 2^|N| rows, by the signs of its multipliers.
    rows = 0
    known: set[tuple[int, ...]] = set()

    def visit(a: tuple[int, int], b: tuple[int, int], depth: int) -> None:
        nonlocal rows
        for q in (a, b):
            name = max(q, (-q[0], -q[1]))
            if name not in known:
                known.add(name)
                v = multipliers @ np.array(name, dtype=float)
                rows += 2 ** int((v > 0).sum()) + 2 ** int((v < 0).sum())
        if depth:
            middle = (a[0] + b[0], a[1] + b[1])
            visit(middle, b, depth - 1)
            visit(a, middle, depth - 1)

    for sign in (1, -1):
        visit((1, 0), (0, sign), halvings)
    evidence = {
        "kind": "cover", "multipliers": multipliers, "mu": normal(rows, 4) ** 2,
        "splits": np.array(splits, dtype=float),
    }  # fmt: skip
    return stated(X, normal(4, 2, seed=1), 3, evidence)


def rank_one(n: int, pieces: int) -> dict[str, Any]:
    c, a = normal(n, 1), normal(n, 1, seed=1)
    listed = [
        {"kind": "rank-one", "multipliers": normal(n, n, seed=i), "c": c, "a": a}
        for i in range(pieces)
    ]
    return stated(c @ a.T, normal(n, n), 3, {"kind": "levels", "evidence": listed})


def whitened(n: int, k: int, pieces: int) -> dict[str, Any]:
    listed = [{"kind": "whitened", "multipliers": normal(n, k, seed=i)} for i in range(pieces)]
    return stated(normal(n, n), normal(n, k), 3, {"kind": "levels", "evidence": listed})


def outputs(n: int, pieces: int) -> dict[str, Any]:
    listed = [
        {"kind": "outputs", "direction": normal(n, 1),
         "inner": {"kind": "whitened", "multipliers": normal(n, 1, seed=i)}}
        for i in range(pieces)
    ]  # fmt: skip
    return stated(normal(n, n), normal(n, n), 3, {"kind": "levels", "evidence": listed})


def network(n: int, d: int, width: int) -> dict[str, Any]:
    certificate = stated(
        normal(n, d), normal(n, 1), 2, {"kind": "whitened", "multipliers": normal(n, 1)}
    )
    layers = [matrix(1e-3 * normal(d, width)), matrix(normal(width, 1))]
    certificate["upper"]["branches"] = [layers]
    certificate["claimed"]["primal"] = (1e30).hex()
    return certificate


def theorem(n: int) -> dict[str, Any]:
    """Shrinkage, with three products of n × n matrices and as many singular values."""
    X, Y = normal(n, n), normal(n, n, seed=1)
    certificate = stated(X, Y, 3, {"kind": "linear", "multipliers": Y}, "linear")
    certificate["problem"]["regularizer"] = "weight_decay"
    certificate["lower"] = None
    certificate["gap"] = {"theorem": "shrinkage", "bidual": certificate["upper"]}
    return certificate


def search(depth: int, n: int, varying: bool) -> dict[str, Any]:
    """n classes; a complete tree of bisections whose leaves prove next to nothing."""
    certificate = one_hot_certificate((1,) * n, 3)
    certificate["claimed"]["primal_lower"] = None
    splits: list[list[int]] = []

    def cut(left: int) -> None:
        splits.append([0, 1] if left else [-1, -1])
        for _ in range(2 if left else 0):
            cut(left - 1)

    cut(depth)
    low = np.tril_indices(n)
    M, second = np.ones((n, n))[low] / (n + 1), (0.01 if varying else 100) * np.eye(n)[low]
    Lambda = 1e-3 * np.eye(n)
    if varying:
        # Rows of a simplex: most choices of signs need all minors.
        simplex = np.linalg.eigh(np.eye(n) - np.ones((n, n)) / n)[1][:, 1:]
        Lambda = np.zeros((n, n))
        Lambda[:, 1:] = 0.93 * np.sqrt(0.02 * 0.9 * n / (n - 1)) * simplex
    row = np.concatenate([M, second, np.tile(Lambda.ravel(), len(M) if varying else 1)])
    found = {"data": matrix(1.1 * np.eye(n)), "splits": matrix(np.array(splits, dtype=float))}
    certificate["gap"] = {
        "search": found | {"leaves": matrix(np.tile(row, (2**depth, 1)))},
        "bidual": certificate["gap"]["bidual"],
    }
    return certificate


def kernel(n: int, k: int, cuts: int) -> dict[str, Any]:
    """A chain of boxes around the lowest point of the curve, which their Z nearly touches."""
    X, Y, beta = normal(n, n), normal(n, k, seed=1), 1e-3
    certificate = stated(X, Y, 3, {"kind": "linear", "multipliers": Y}, "linear")
    certificate["problem"]["regularizer"], certificate["lower"] = "weight_decay", None
    values, V = np.linalg.eigh(X @ X.T)

    def least(s: float) -> float:
        fit = (V.T @ Y).T / (1 + s**2 / beta * values) @ (V.T @ Y) / 2
        return float(np.linalg.eigvalsh(fit)[0]) + beta * s

    points = np.geomspace(1e-3, 10, 4000)
    s = min(points, key=least)
    chain = np.column_stack([np.zeros(cuts), s * np.linspace(2, 0.5, cuts)])
    tree = np.vstack([chain, np.tile([-1.0, 0.0], (cuts + 1, 1))])
    Z = (1 - 1e-4) * least(float(s)) * np.eye(k)[np.tril_indices(k)]
    rows = np.tile(np.concatenate([Z, np.zeros(k)]), (cuts + 1, 1))
    found = {"splits": matrix(tree), "leaves": matrix(rows)}
    certificate["gap"] = {"kernel": found, "bidual": certificate["upper"]}
    return certificate


def path(columns: int) -> dict[str, Any]:
    """Two neurons that fit (1, −1) beside many that cancel in pairs; refused, as it costs more."""
    certificate = tree_certificate()
    one, many = matrix(np.ones((1, 1))), matrix(np.ones((1, columns)))
    minus, pairs = matrix(-np.ones((1, 1))), matrix(np.tile([1e-9, -1e-9], columns // 2))
    inputs = [{"inputs": U, "mixture": w} for U, w in ((one, one), (minus, one), (many, pairs))]
    mixture = matrix(np.array([1.0, -1.0, 1.0]))
    certificate["deeper"] = {"depth": 9, "path": {"inputs": inputs, "mixture": mixture}}
    return certificate


WORST: dict[str, Callable[[], dict[str, Any]]] = {
    "linear": lambda: linear(300, 8),
    "faces, many": lambda: faces(60, 3, 2),
    "faces, long integers": lambda: faces(10, 7, 1, 60),
    "faces, many features": lambda: faces(14, 12, 1),
    "cones": lambda: cones(200, 4, 3),
    "cones, many features": lambda: cones(30, 7, 1),
    "cones, many outputs": lambda: cones(500, 7, 100),
    "moments": lambda: moments(1980, 10, 1),
    "layers": lambda: layers(400, 10),
    "tree": lambda: tree(16, 3),
    "shared": lambda: shared(60),
    "shared, many regions": lambda: regions(5_500),
    "tree, cancelling": lambda: cancelling_tree(12, 3),
    "cover": lambda: cover(13),
    "rank-one": lambda: rank_one(400, 20),
    "whitened": lambda: whitened(12, 3, 60),
    "whitened, large": lambda: whitened(400, 1, 4),
    "outputs": lambda: outputs(12, 90),
    "network": lambda: network(100, 4, 60_000),
    "network, deep": lambda: network(400, 400, 2_000),
    "theorem": lambda: theorem(500),
    "search": lambda: search(14, 3, False),
    "search, four samples": lambda: search(10, 4, True),
    "kernel": lambda: kernel(20, 2, 5_000),
    "kernel, many features": lambda: kernel(200, 10, 25),
    "path": lambda: path(9_000),
}


def measure(name: str) -> dict[str, Any]:
    """Prove one in a fresh process."""
    line = subprocess.run(
        [sys.executable, "-m", "tests.checker.worst", name], capture_output=True, text=True
    )
    assert line.returncode == 0, line.stderr[-500:]
    return json.loads(line.stdout)


def main(name: str) -> None:
    certificate = WORST[name]()
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    verdict = verify(certificate)
    print(
        json.dumps(
            {
                "name": name,
                "accepted": verdict.accepted,
                "reason": verdict.reason,
                "operations": verdict.operations,
                "seconds": time.process_time() - start,
                "before": before / 1024,
                "MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                "kB": len(json.dumps(certificate)) // 1000,
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1])
