"""Kinds of evidence for c_L(Λ) = max ‖Λᵀv‖ over branch outputs v, one file each.

A file registers one function by `kind.kind`, and its import here is all that a new kind takes.
"""

from zerogap.checker.kinds import (
    cones,
    cover,
    faces,
    layers,
    linear,
    moments,
    outputs,
    rank_one,
    shared,
    shifts,
    tree,
    whitened,
)
from zerogap.checker.kinds.kind import KINDS, prove

__all__ = ["KINDS", "cones", "cover", "faces", "layers", "linear", "moments", "outputs", "prove"]
__all__ += ["rank_one", "shared", "shifts", "tree", "whitened"]
