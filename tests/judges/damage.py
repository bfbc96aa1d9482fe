"""Meaningful damage to certificates, seeded: numbers, claims, statements, pieces of others."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import numpy as np

SIZES = (1e-12, 1e-9, 1e-7, 1e-6, 1e-4, 1e-2, 0.1, 0.5)
JUNK: list[Any] = [None, True, -1, 0, 3.0, 10**30, "", "nan", "0x1.0p+0", [], [[]], {}]
STATEMENTS: dict[str, list[Any]] = {
    "activation": ["relu", "linear"],
    "architecture": ["standard", "parallel"],
    "regularizer": ["weight_decay", "power"],
    "depth": [1, 2, 3, 4, 5, 51],
    "beta": [None, (0.25).hex(), (2.0**-30).hex(), (-1.0).hex()],
    "loss": [
        {"kind": "squared"},
        {"kind": "huber", "parameter": (0.5).hex()},
        {"kind": "quantile", "parameter": (0.5).hex()},
        {"kind": "hinge"},
        {"kind": "logistic"},
        {"kind": "cross-entropy"},
    ],
    "bias": [
        [first, outputs]
        for first in ("none", "decayed", "free")
        for outputs in ("none", "decayed", "free")
    ],
}


def entries(matrix: dict[str, Any]) -> np.ndarray:
    data = np.frombuffer(bytes.fromhex(matrix["data"]), "<f8")
    return data.reshape(matrix["shape"]).copy()


def matrix(values: np.ndarray) -> dict[str, Any]:
    return {"shape": list(values.shape), "data": values.astype("<f8").tobytes().hex()}


def places(node: Any, wanted: Any, path: tuple = ()) -> list[tuple]:
    """Paths of all values that `wanted` picks, matrices not entered."""
    found = [path] if wanted(node) else []
    if isinstance(node, dict) and "data" not in node:
        children: Any = node.items()
    elif isinstance(node, list):
        children = enumerate(node)
    else:
        children = ()
    return found + [p for key, child in children for p in places(child, wanted, (*path, key))]


def is_matrix(node: Any) -> bool:
    return isinstance(node, dict) and set(node) == {"shape", "data"}


def at(node: Any, path: tuple) -> Any:
    for key in path:
        node = node[key]
    return node


def put(node: Any, path: tuple, value: Any) -> None:
    at(node, path[:-1])[path[-1]] = value


def claims(certificate: Any, _: Any, draw: random.Random) -> None:
    """A claim moved, mostly beyond what was proved."""
    claimed = certificate["claimed"]
    name = draw.choice([key for key, value in claimed.items() if value is not None])
    size = draw.choice(SIZES) * draw.choice((-1, 1, 1))
    up = name in ("dual", "primal_lower")
    claimed[name] = (float.fromhex(claimed[name]) * (1 + size if up else 1 - size)).hex()


def invented(certificate: Any, _: Any, draw: random.Random) -> None:
    """A claim where there was none, or one taken back."""
    name = draw.choice(("primal_lower", "dual_upper", "deeper_upper"))
    if certificate["claimed"].get(name) is None:
        certificate["claimed"][name] = certificate["claimed"][draw.choice(("primal", "dual"))]
    else:
        certificate["claimed"][name] = None


def numbers(certificate: Any, _: Any, draw: random.Random) -> None:
    """One entry of a matrix, or all of them, moved, turned, exchanged or removed."""
    path = draw.choice(places(certificate, is_matrix))
    values = entries(at(certificate, path))
    flat = values.reshape(-1)
    i, j = draw.randrange(flat.size), draw.randrange(flat.size)
    kind = draw.randrange(9)
    if kind <= 2:
        flat[i] *= 1 + draw.choice(SIZES) * draw.choice((-1, 1))
    elif kind == 3:
        flat[i] = -flat[i]
    elif kind == 4:
        flat[i] = draw.choice((0.0, 1.0, -1.0, 2.0**-60, 1e200))
    elif kind == 5:
        flat[i], flat[j] = flat[j], flat[i]
    elif kind == 6:
        flat *= 1 + draw.choice(SIZES) * draw.choice((-1, 1))
    elif kind == 7:
        flat *= draw.choice((-1.0, 2.0, 0.5, 0.0))
    else:
        flat[i] = np.nextafter(flat[i], draw.choice((-np.inf, np.inf)))
    put(certificate, path, matrix(values))


def shapes(certificate: Any, _: Any, draw: random.Random) -> None:
    """A row or a column taken away, doubled or exchanged with another."""
    path = draw.choice(places(certificate, is_matrix))
    values = entries(at(certificate, path))
    if draw.random() < 0.3:
        values = values.T
    n = len(values)
    i, j = draw.randrange(n), draw.randrange(n)
    kind = draw.randrange(3)
    if kind == 0 and n > 1:
        values = np.delete(values, i, axis=0)
    elif kind == 1:
        values = np.insert(values, i, values[j], axis=0)
    else:
        values[[i, j]] = values[[j, i]]
    put(certificate, path, matrix(values))


def statements(certificate: Any, _: Any, draw: random.Random) -> None:
    """Another problem than the one that was solved."""
    name = draw.choice((*STATEMENTS, "epsilon"))
    if name == "epsilon":
        epsilon = float.fromhex(certificate["epsilon"])
        certificate["epsilon"] = draw.choice(
            (0.0, epsilon / 2, 2 * epsilon, 1e-9, 0.1, -1e-9)
        ).hex()
    else:
        certificate["problem"][name] = copy.deepcopy(draw.choice(STATEMENTS[name]))
    if draw.random() < 0.5:  # and modest claims, which leave it to the rest
        certificate["claimed"]["dual"] = (0.0).hex()


def fields(certificate: Any, _: Any, draw: random.Random) -> None:
    """A field gone, unknown, or of another type."""
    path = draw.choice([p for p in places(certificate, lambda _: True) if p])
    kind = draw.randrange(3)
    holder = at(certificate, path[:-1])
    if kind == 0:
        del holder[path[-1]]
    elif kind == 1:
        holder[path[-1]] = copy.deepcopy(draw.choice(JUNK))
    elif isinstance(holder, dict):
        holder["more"] = None
    else:
        holder.append(copy.deepcopy(draw.choice((holder[0], None))))


def exchanges(certificate: Any, others: list[str], draw: random.Random) -> None:
    """A piece of another certificate in the place of one's own."""
    other = json.loads(draw.choice(others))
    path = draw.choice(
        [("lower",), ("gap",), ("deeper",), ("upper",), ("claimed",), ("problem", "Y"),
         ("problem", "X"), ("epsilon",), ("problem", "beta")]
    )  # fmt: skip
    put(certificate, path, at(other, path))


KINDS = (claims, claims, invented, numbers, numbers, numbers, shapes, statements, exchanges, fields)


def damaged(certificates: list[str], count: int, seed: int) -> list[str]:
    """Lines of certificates, each damaged in one to three ways."""
    draw = random.Random(seed)
    lines = []
    while len(lines) < count:
        certificate = json.loads(draw.choice(certificates))
        kinds = draw.choices(KINDS, k=draw.choice((1, 1, 1, 2, 3)))
        # What breaks the format comes last.
        for kind in sorted(kinds, key=lambda kind: kind is fields):
            kind(certificate, certificates, draw)
        lines.append(json.dumps(certificate))
    return lines
