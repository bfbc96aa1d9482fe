"""One output and three or more layers: c_L(λ) by the tree of the path program (theory §4, §5)."""

from dataclasses import dataclass

from zerogap.model.matrices import Array
from zerogap.solving.evidence.base import Proof


@dataclass(frozen=True, eq=False)
class Tree(Proof, kind="tree"):
    """λ (n, 1) and the μ's of the tree's nodes, one a row, depth first; a leaf is linear in both.

    X enters in the levels of the leaves alone, so nothing else changes with its size.
    """

    multipliers: Array
    mu: Array
    proportional = ("multipliers", "mu")
