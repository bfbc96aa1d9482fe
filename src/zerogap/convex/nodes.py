"""What multipliers of layered moments prove of a level, in float64 (checker/kinds/layers.py)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from zerogap.checker.kinds.layers import Frame, features
from zerogap.model.matrices import Array

# Shifts δ among which the best is chosen, in units of the level.
_SHIFTS = np.geomspace(1e-13, 1, 66)


@dataclass(frozen=True, eq=False)
class Node:
    """Multipliers of the moments M of one layer's vectors τ: a valid form (theory §9).

    pairs (m, m): of the products of y = Eτ. cones (1 + h, m), trace: of products with (1, u) or
    (1, r), where there is such a unit vector. cross, below: where it mixes what two nodes describe.
    """

    pairs: Array
    cones: Array | None = None
    trace: float | None = None
    cross: Array | None = None
    below: tuple[Node | Split, ...] = ()

    def map(self, change: Callable[[Array], Array]) -> Node:
        """The node with every one of its matrices changed."""
        return Node(
            change(self.pairs),
            None if self.cones is None else change(self.cones),
            None if self.trace is None else float(change(np.array(self.trace))),
            None if self.cross is None else change(self.cross),
            tuple(node.map(change) for node in self.below),
        )

    def __mul__(self, factor: float) -> Node:
        return self.map(lambda A: A * factor)

    def compact(self, share: float) -> Node:
        """Pairs in float32, without those below this share of the largest: any multipliers prove
        something, and a file holds these in a tenth of the room."""
        least = share * np.abs(self.pairs).max()
        pairs = np.where(np.abs(self.pairs) >= least, self.pairs, 0).astype(np.float32)
        below = tuple(node.compact(share) for node in self.below)
        return replace(self, pairs=pairs.astype(float), below=below)

    def form(self, frames: list[Frame]) -> tuple[Array, list[float]]:
        """F with τᵀFτ ≥ −Σ ε_l ‖τ_l‖² on the vectors of its layer, and the ε of all layers."""
        frame = frames[-1]
        F, defects = frame.signed.T @ self.pairs @ frame.signed, [0.0]
        if frame.heads is not None and self.cones is not None and self.trace is not None:
            side = frame.heads.T @ self.cones @ frame.signed
            F += side + side.T + self.trace * sphere(frame.heads)
        if self.below and self.cross is not None:
            (plus, left), (minus, right) = (node.form(frames[:-1]) for node in self.below)
            G = np.block([[plus, self.cross], [self.cross.T, minus]])
            F[: len(G), : len(G)] += G
            worst = float(np.linalg.eigvalsh(frames[-2].reduced(G))[-1])
            defects = [max(pair) for pair in zip(left, right, strict=True)] + [0.0]
            defects[-2] += max(0.0, worst)
        return F, defects


@dataclass(frozen=True, eq=False)
class Split:
    """A form F (o, o) of one layer, and nodes of cells of its vectors, whose forms it is above.

    sides (c, n): of each cell, as of a block.
    """

    whole: Array
    sides: Array
    cells: tuple[Node, ...]

    def map(self, change: Callable[[Array], Array]) -> Split:
        """The same with every one of its matrices changed."""
        cells = tuple(cell.map(change) for cell in self.cells)
        return replace(self, whole=change(self.whole), cells=cells)

    def compact(self, share: float) -> Split:
        return replace(self, cells=tuple(cell.compact(share) for cell in self.cells))

    def form(self, frames: list[Frame]) -> tuple[Array, list[float]]:
        """As that of a node."""
        found = [cell.form(frames) for cell in self.cells]
        lacks = [float(np.linalg.eigvalsh(F - self.whole)[-1]) for F, _ in found]
        defects = [max(each) for each in zip(*(own for _, own in found), strict=True)]
        defects[-1] += max(0.0, *lacks)
        return self.whole, defects


@dataclass(frozen=True, eq=False)
class Block:
    """What proves the level of one part of the branches: their output's sign (0 for several
    outputs), sides (n,): +1 where g⁺_i ≥ g⁻_i, −1 where ≤, 0 where either."""

    sign: int
    sides: Array
    node: Node

    def __mul__(self, factor: float) -> Block:
        return replace(self, node=self.node * factor)

    def compact(self, share: float) -> Block:
        return replace(self, node=self.node.compact(share))


def sphere(heads: Array) -> Array:
    """The form 1 − ‖u‖² of heads (1, u)."""
    signs = np.where(np.arange(len(heads)) == 0, 1.0, -1.0)
    return heads.T @ (signs[:, None] * heads)


def frames_of(X: Array, outputs: int, depth: int) -> list[Frame]:
    """The frames of all layers that mix others, from the features up, r beside the last."""
    frames = [features(X)]
    for _ in range(depth - 2):
        frames.append(frames[-1].above(len(X)))
    if outputs > 1:
        frames[-1] = frames[-1].beside(outputs)
    return frames


def coordinates(n: int, d: int, outputs: int, depth: int) -> int:
    """How many coordinates (τ, r) has in the last layer that mixes others."""
    order = 1 + d + n
    for _ in range(depth - 2):
        order = 2 * order + n
    return order + (outputs if outputs > 1 else 0)


def lengths_of(X: Array, outputs: int, depth: int) -> list[float]:
    """Bounds on ‖τ‖² in every layer."""
    stretch = float(np.linalg.norm(X, 2)) ** 2
    longest = [2 + stretch * (1 + layer / 4) for layer in range(depth - 1)]
    longest[-1] += outputs > 1
    return longest


def level(X: Array, multipliers: Array, blocks: list[Block], depth: int) -> tuple[float, float]:
    """(c, c₀) with c(Λ) ≤ c, as the checker proves it with level c₀; X and Λ in the scale of v."""
    k = multipliers.shape[1]
    frames, longest = frames_of(X, k, depth), lengths_of(X, k, depth)
    frame = frames[-1]
    v, found = frame.signed[: len(X)], []
    for block in blocks:
        r = block.sign * frame.one[None] if k == 1 else frame.heads[1:]  # type: ignore[index]
        F, defects = block.node.form(frames)
        side = v.T @ (multipliers / 2) @ r
        cost = sum(e * size for e, size in zip(defects, longest, strict=True))
        found.append((F + side + side.T, cost))
    bounds = [_best(M, frame.one, longest[-1], cost) for M, cost in found]
    c, start = max(bounds)
    for (M, cost), (_, own) in zip(found, bounds, strict=True):
        if own != start:
            top = float(np.linalg.eigvalsh(M - start * np.outer(frame.one, frame.one))[-1])
            c = max(c, start + cost + longest[-1] * max(0.0, top))
    return c, start


def _best(M: Array, one: Array, longest: float, cost: float) -> tuple[float, float]:
    """The least c of one block, and its c₀.

    M − c₀ 1·1ᵀ ⪯ δ where c₀ is at least a Schur complement of δ − M; the best δ is searched.
    """
    size = float(np.linalg.norm(one))
    Q = np.linalg.qr(np.column_stack([one / size, np.eye(len(one))[:, 1:]]))[0]
    H = -(Q.T @ M @ Q)
    values, vectors = np.linalg.eigh(H[1:, 1:])
    seen = vectors.T @ H[1:, 0]
    bounds = []
    for shift in max(0.0, -float(values[0])) + _SHIFTS:
        start = (float(seen @ (seen / (values + shift))) - float(H[0, 0]) - shift) / size**2
        bounds.append((start + longest * shift + cost, start))
    return min(bounds)
