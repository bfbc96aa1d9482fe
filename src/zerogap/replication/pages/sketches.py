"""Networks and data sets small enough for a page: shapes, ranks, the largest weights, first rows.

A page shows them; proofs are about the certificate, which has every bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from zerogap.model.matrices import Array, numerical_rank
from zerogap.model.network import Network, layer_norms

# Neurons of a layer and branches that are drawn.
_NEURONS = 8
_BRANCHES = 8
# A hidden neuron of less than this share of the largest of its layer is not drawn.
_FAINT = 0.02
# Rows and columns of a table of data, and points of its picture.
_ROWS = 12
_COLUMNS = 8
_POINTS = 200
# Data of fewer samples are a table and no cloud of points, but in the plane.
_CLOUD = 20


def network_sketch(branches: Sequence[Sequence[Array]], activation: str) -> dict[str, Any]:
    """The largest branches: widths, ranks and norms of layers, the largest neurons' weights.

    Weights are in hundredths of the largest of their layer; branches and neurons are said how many
    they are where not all are drawn.
    """
    sizes = [float(np.prod(layer_norms(branch))) for branch in branches]
    kept = sorted(np.argsort(sizes, kind="stable")[::-1][:_BRANCHES].tolist())
    return {
        "branches": [_branch(branches[j], activation) for j in kept],
        "count": len(branches),
        "neurons": sum(W.shape[1] for branch in branches for W in branch[:-1]),
    }


def _branch(layers: Sequence[Array], activation: str) -> dict[str, Any]:
    into = [np.linalg.norm(W, axis=0) for W in layers]
    out = [np.linalg.norm(W, axis=1) for W in layers]
    sizes = [out[0], *(a * b for a, b in zip(into[:-1], out[1:], strict=True)), into[-1]]
    # Neurons that hardly weigh are left out, inputs and outputs are not.
    ends = (0, len(layers))
    shown = [_largest(size, 0 if i in ends else _FAINT) for i, size in enumerate(sizes)]
    picked = [W[np.ix_(a, b)] for W, a, b in zip(layers, shown, shown[1:], strict=False)]
    return {
        "widths": [len(size) for size in sizes],
        "ranks": Network((tuple(layers),), activation).ranks(),
        "norms": [_short(norm) for norm in layer_norms(layers)],
        "shown": shown,
        "weights": [_hundredths(W) for W in picked],
    }


def _largest(sizes: Array, share: float) -> list[int]:
    """The largest, at least one, that are a share of the largest or more; in their order."""
    order = np.argsort(-sizes, kind="stable")[:_NEURONS]
    kept = order[sizes[order] >= share * sizes[order[0]]]
    return sorted(kept.tolist())


def _hundredths(W: Array) -> list[list[int]]:
    largest = np.abs(W).max(initial=0)
    return np.round(100 * W / (largest if largest > 0 else 1)).astype(int).tolist()


def data_sketch(X: Array, Y: Array) -> dict[str, Any]:
    """Sizes, the first rows, and, where two dimensions show something, points and what they are.

    points: (x, y, what colours it), the class of one-hot targets or else the first target.
    """
    classes = bool(np.isin(Y, (0.0, 1.0)).all() and (Y.sum(axis=1) == 1).all() and Y.shape[1] > 1)
    sketch = {
        "n": X.shape[0],
        "d": X.shape[1],
        "k": Y.shape[1],
        "X": _corner(X),
        "Y": _corner(Y),
        "classes": classes,
    }
    found = _plane(X, Y)
    if found is None:
        return sketch
    names, points = found
    chosen = np.unique(np.linspace(0, len(X) - 1, min(len(X), _POINTS)).astype(int))
    colour = Y.argmax(axis=1) if classes else Y[:, 0]
    rows = np.column_stack([points, colour])[chosen]
    return sketch | {"axes": names, "points": [[_short(v, 3) for v in row] for row in rows]}


def _plane(X: Array, Y: Array) -> tuple[list[str], Array] | None:
    """What to draw of the data, and its name on either axis; None where a table says more."""
    if numerical_rank(X) == 1:
        directions = np.linalg.svd(X, full_matrices=False)[2]
        along = X @ directions[0] * _sign(directions[0])
        name = "the feature" if X.shape[1] == 1 else "along the one direction of X"
        return [name, "first target"], np.column_stack([along, Y[:, 0]])
    if X.shape[1] == 2:
        return ["feature 1", "feature 2"], X
    if len(X) < _CLOUD:
        return None
    centred = X - X.mean(axis=0)
    _, values, directions = np.linalg.svd(centred, full_matrices=False)
    signs = np.array([[_sign(v)] for v in directions[:2]])
    shares = values**2 / np.sum(values**2)
    names = [f"principal component {i + 1} ({shares[i]:.0%})" for i in range(2)]
    return names, centred @ (directions[:2] * signs).T


def _sign(direction: Array) -> float:
    """A singular vector's sign is arbitrary: its largest entry is made positive."""
    return float(np.sign(direction[np.abs(direction).argmax()]))


def _corner(A: Array) -> list[list[float]]:
    return [[_short(value) for value in row] for row in A[:_ROWS, :_COLUMNS]]


def _short(value: float, digits: int = 4) -> float:
    return float(f"{value:.{digits}g}")
