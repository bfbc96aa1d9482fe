"""Data families of the replication, seeded by identity.

Products that targets are made of are exact in float64: their factors are multiples of 2⁻ᵐ for small
m. Where a family says that Y = X A, that holds of the numbers, not only up to rounding, so networks
that interpolate exist.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from zerogap.model.data import read_file
from zerogap.model.errors import DataError
from zerogap.model.matrices import Array

Spec = dict[str, Any]


def seed_of(*identity: object) -> int:
    """A 63-bit seed hashed from an identity, so that run order never matters."""
    text = json.dumps(identity, sort_keys=True)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generate(spec: Spec, replicate: int = 0) -> tuple[Array, Array]:
    """The data (X (n, d), Y (n, k)) of a specification {"kind": …, parameters}.

    The seed is the identity (specification, replicate): settings that name the same data get the
    same data. Raises DataError on an unknown kind or wrong parameters.
    """
    parameters = dict(spec)
    kind = parameters.pop("kind", None)
    if kind not in FAMILIES:
        raise DataError(f"data kind is {kind!r}; accepted is one of {', '.join(sorted(FAMILIES))}")
    rng = np.random.default_rng(seed_of(spec, replicate))
    try:
        return FAMILIES[kind](rng, **parameters)
    except (TypeError, ValueError) as error:
        raise DataError(f"data kind {kind!r}: {error}") from None


def label_of(spec: Spec) -> str:
    """A short readable name of a specification, such as gaussian-n5-d2-k1."""

    def text(value: Any) -> str:
        if isinstance(value, str):
            return value
        return "x".join(map(text, value)) if isinstance(value, Sequence) else f"{value:g}"

    parts = [spec["kind"]]
    for key, value in spec.items():
        if key != "kind":
            parts.append(value if isinstance(value, str) else f"{key}{text(value)}")
    return "-".join(parts)


# --- families ---------------------------------------------------------------------------------


def gaussian(
    rng: np.random.Generator, n: int, d: int, k: int, draw: int = 0
) -> tuple[Array, Array]:
    """Independent standard normal X and Y; draw: a number that only the seed depends on."""
    return rng.normal(size=(n, d)), rng.normal(size=(n, k))


def linear_map(
    rng: np.random.Generator, n: int, d: int, k: int, rank: int, spectrum: str
) -> tuple[Array, Array]:
    """Y = X A exactly, with X normal and X†Y = A of given rank; spectrum "distinct" or "equal" (2).

    A = U diag(s) Vᵀ in numbers of few digits, U and V exactly orthonormal (`_frame`), so rank and
    spectrum are what they are called. Where n < d the rows of X are in the space that U is in: X is
    a normal matrix turned into it. X has the same law in all directions but for its rounding to
    multiples of 2⁻¹⁰ before the turn, so that few frames to choose from lose nothing.
    """
    X = rng.normal(size=(n, d))
    if n < d:
        left, values, _ = np.linalg.svd(X, full_matrices=False)
        X = left * values
    core = _dyadic(X)
    U, V = _frame(rng, min(n, d), rank), _frame(rng, k, rank)
    Y = core @ (U * _spectrum(spectrum, rank)) @ V.T
    return core @ _frame(rng, d, n).T if n < d else core, Y


def orthonormal_columns(rng: np.random.Generator, n: int, d: int, k: int) -> tuple[Array, Array]:
    """XᵀX = I and Y = X A with normal A of spread 2: singular values of order one to ten."""
    X = _orthonormal(rng, n, d)
    return X, X @ (2 * rng.normal(size=(d, k)))


def rank_one(
    rng: np.random.Generator, n: int, d: int, k: int, angle: float, ratio: float, sides: str
) -> tuple[Array, Array]:
    """X = c aᵀ, Y = c₊y₊ᵀ + c₋y₋ᵀ with ‖y₊‖ = 1, ‖y₋‖ = ratio, `angle` degrees between them.

    sides "both": c takes both signs; "one": c ≥ 0. At k = 1 the angle is 0 or 180. c and
    a are multiples of 2⁻¹⁰ and y₋ one of 2⁻⁴⁰, so that both products hold exactly, and length and
    angle up to 2⁻⁴⁰.
    """
    c = rng.uniform(0.25, 2, size=n) * np.where(np.arange(n) % 2 == 0, 1, -1)
    c = _dyadic(np.abs(c) if sides == "one" else c)
    a = _dyadic(rng.normal(size=d))
    plus, minus = np.zeros(k), np.zeros(k)
    turn = np.deg2rad(angle)
    plus[0] = 1
    minus[0] = ratio * np.cos(turn)
    if k > 1:
        minus[1] = ratio * np.sin(turn)
    minus = _dyadic(minus, 40)
    return np.outer(c, a), np.outer(np.maximum(c, 0), plus) + np.outer(np.maximum(-c, 0), minus)


def smallest(rng: np.random.Generator) -> tuple[Array, Array]:
    """X = Y = (1, −1)ᵀ, the smallest problem on which strong duality fails (theory §6)."""
    return np.array([[1.0], [-1.0]]), np.array([[1.0], [-1.0]])


def six_points(rng: np.random.Generator) -> tuple[Array, Array]:
    """Six points of the plane that four layers fit at less cost than three (theory §5)."""
    X = np.array([[-5, 4], [-4, 3], [5, 4], [4, -1], [9, -13], [22, -5]], dtype=float)
    return X, np.array([[4.0], [54], [0], [48], [840], [72]])


def whitened(rng: np.random.Generator, n: int, d: int, k: int) -> tuple[Array, Array]:
    """X Xᵀ = I with normal targets."""
    return _orthonormal(rng, d, n).T, rng.normal(size=(n, k))


def one_hot(rng: np.random.Generator, sizes: Sequence[int], extra: int = 1) -> tuple[Array, Array]:
    """X Xᵀ = I in Σsizes + extra dimensions, Y one-hot with the given class sizes."""
    n = sum(sizes)
    return _orthonormal(rng, n + extra, n).T, np.repeat(np.eye(len(sizes)), sizes, axis=0)


def real(
    rng: np.random.Generator,
    name: str,
    n: int | None = None,
    d: int | None = None,
    target: int | None = None,
    transform: str = "standardised",
) -> tuple[Array, Array]:
    """Iris or wine (one-hot classes), Diabetes or Linnerud (standardised), or cancer (±1).

    All of them come with scikit-learn.

    n: a random subsample (stratified by class for Iris); d: that many principal components;
    target: that column of Y only, as ±1 (one species against the others).
    transform: "standardised" columns, "fitted" (targets replaced by their least-squares fit),
    "orthonormal" (XᵀX = I), or "whitened" (X Xᵀ = I, for n ≤ d). For "fitted" features and
    coefficients are rounded to multiples of 2⁻²⁰, so that Y = X A exactly. One-hot targets have
    fits that add up to a constant, here 0: the last class's coefficients are rounded such that they
    do, and A keeps its rank.
    """
    features, targets = _bundled(name)
    if d is not None:
        features = features @ np.linalg.svd(features, full_matrices=False)[2][:d].T
    if n is not None:
        order = rng.permutation(len(features))
        if targets.shape[1] > 1:
            # Deal the classes in turn, so that none is missing from a small subsample.
            rank = np.empty(len(order), dtype=int)
            for column in targets.T:
                members = order[column[order] > 0]
                rank[members] = np.arange(len(members))
            order = order[np.argsort(rank[order], kind="stable")]
        chosen = np.sort(order[:n])
        features, targets = features[chosen], targets[chosen]
    if target is not None:
        targets = 2 * targets[:, [target]] - 1
    if transform == "fitted":
        features = _dyadic(features, 20)
        A = _dyadic(np.linalg.pinv(features) @ targets, 20)
        if A.shape[1] > 1:
            A[:, -1] = -A[:, :-1].sum(axis=1)
        targets = features @ A
    elif transform == "orthonormal" or transform == "whitened":
        U, _, Vt = np.linalg.svd(features, full_matrices=False)
        features = U @ Vt
    elif transform != "standardised":
        raise TypeError(f"transform {transform!r} is unknown")
    return features, targets


def file(
    rng: np.random.Generator, path: str, targets: Sequence[str] | None = None
) -> tuple[Array, Array]:
    """Data from a file: see `read_file`."""
    return read_file(Path(path), targets)


FAMILIES: dict[str, Callable[..., tuple[Array, Array]]] = {
    "gaussian": gaussian,
    "linear-map": linear_map,
    "orthonormal": orthonormal_columns,
    "rank-one": rank_one,
    "smallest": smallest,
    "six-points": six_points,
    "whitened": whitened,
    "one-hot": one_hot,
    "real": real,
    "file": file,
}


def _orthonormal(rng: np.random.Generator, rows: int, columns: int) -> Array:
    if columns > rows:
        raise ValueError(f"{columns} orthonormal vectors do not fit in {rows} dimensions")
    return np.linalg.qr(rng.normal(size=(rows, columns)))[0]


def _frame(rng: np.random.Generator, rows: int, columns: int) -> Array:
    """Orthonormal columns exactly, of multiples of 2⁻⁶ in a random order and with random signs.

    They are turned by two reflections I − 2vvᵀ/‖v‖², v of small whole numbers with ‖v‖² a power of
    two. In up to three dimensions these only permute; in four they also halve sums.
    """
    if columns > rows:
        raise ValueError(f"{columns} orthonormal vectors do not fit in {rows} dimensions")
    Q = np.eye(rows)[:, rng.permutation(rows)] * rng.choice([-1.0, 1.0], size=rows)
    turns = 0
    while turns < 2:
        v = rng.integers(-2, 3, size=rows)
        square = int(v @ v)
        if square in (2, 4, 8, 16):
            Q -= np.outer(v, v @ Q) * (2 / square)
            turns += 1
    return Q[:, :columns]


def _spectrum(kind: str, rank: int) -> Array:
    if kind == "equal":
        return np.full(rank, 2.0)
    if kind == "distinct":
        return _dyadic(3.0 * 0.6 ** np.arange(rank), 20)
    raise TypeError(f"spectrum {kind!r} is unknown")


def _dyadic(values: Array, digits: int = 10) -> Array:
    """The nearest multiples of 2 to the power −digits."""
    return np.ldexp(np.round(np.ldexp(values, digits)), -digits)


@cache
def _bundled(name: str) -> tuple[Array, Array]:
    from sklearn import datasets

    if name == "iris":
        bunch = datasets.load_iris()
        targets = np.eye(3)[bunch.target]
    elif name == "diabetes":
        bunch = datasets.load_diabetes()
        targets = _standardised(bunch.target[:, None])
    elif name == "wine":
        bunch = datasets.load_wine()
        targets = np.eye(3)[bunch.target]
    elif name == "cancer":
        bunch = datasets.load_breast_cancer()
        targets = (2.0 * bunch.target - 1)[:, None]
    elif name == "linnerud":
        bunch = datasets.load_linnerud()
        targets = _standardised(bunch.target)
    else:
        raise TypeError(
            f"dataset {name!r} is unknown; accepted are iris, diabetes, wine, cancer, linnerud"
        )
    return _standardised(bunch.data), targets


def _standardised(A: Array) -> Array:
    centred = A - A.mean(axis=0)
    return centred / centred.std(axis=0)
