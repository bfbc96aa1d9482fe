"""Any depth beyond enumeration: c_L(Λ) by moments of branches, layer by layer (theory §9)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from zerogap.convex.nodes import Block, Node, Split
from zerogap.solving.evidence.blocks import Blocks


@dataclass(frozen=True, eq=False)
class Layers(Blocks, kind="layers"):
    """Λ, c₀ (`level`), and for each block of signs the multipliers of its moments' cones.

    The moments are those of branches on s·X, with s the `scale`. All but s is linear in Λ. On
    size·X, s/size leaves the branches as they are, and rᵀΛᵀv/s is size times as large.
    """

    blocks: tuple[Block, ...]

    def record(self) -> dict[str, Any]:
        blocks = [{"sign": b.sign, "sides": b.sides, **_stored(b.node)} for b in self.blocks]
        return super().record() | {"blocks": blocks}

    @classmethod
    def of(cls, stored: dict[str, Any]) -> Layers:
        blocks = [dict(block) for block in stored["blocks"]]
        read = [Block(b.pop("sign"), b.pop("sides"), _read(b)) for b in blocks]
        return cls(**stored | {"blocks": tuple(read)})


def _stored(node: Node | Split) -> dict[str, Any]:
    if isinstance(node, Split):
        cells = zip(node.sides, node.cells, strict=True)
        return {
            "form": node.whole,
            "cells": [{"sides": sides, **_stored(cell)} for sides, cell in cells],
        }
    below = [_stored(inner) for inner in node.below] or None
    return {k: v for k, v in {**vars(node), "below": below}.items() if v is not None}


def _read(stored: dict[str, Any]) -> Node:
    return Node(**stored | {"below": tuple(_below(inner) for inner in stored.get("below", ()))})


def _below(stored: dict[str, Any]) -> Node | Split:
    if "cells" not in stored:
        return _read(stored)
    cells = [dict(cell) for cell in stored["cells"]]
    sides = np.array([cell.pop("sides") for cell in cells])
    return Split(stored["form"], sides, tuple(_read(cell) for cell in cells))
