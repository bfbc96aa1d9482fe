"""Typed evidence, one class per kind: what it stores, what its Λ is, how it scales."""

from zerogap.solving.evidence.alone import Faces, Linear, Whitened
from zerogap.solving.evidence.base import KINDS, Evidence, Proof, evidence_of
from zerogap.solving.evidence.cones import Cones
from zerogap.solving.evidence.cover import Cover
from zerogap.solving.evidence.layers import Layers
from zerogap.solving.evidence.levels import Levels
from zerogap.solving.evidence.moments import Moments
from zerogap.solving.evidence.outputs import Outputs
from zerogap.solving.evidence.rank_one import RankOne
from zerogap.solving.evidence.shared import Shared
from zerogap.solving.evidence.shifts import Shifts
from zerogap.solving.evidence.tree import Tree

__all__ = [
    "KINDS", "Cones", "Cover", "Evidence", "Faces", "Layers", "Levels", "Linear", "Moments",
    "Outputs", "Proof", "RankOne", "Shared", "Shifts", "Tree", "Whitened", "evidence_of",
]  # fmt: skip
