"""Λ alone: the checker computes c(Λ) from it."""

from dataclasses import dataclass

from zerogap.model.matrices import Array
from zerogap.solving.evidence.base import Proof


@dataclass(frozen=True, eq=False)
class Alone(Proof):
    """Nothing is stored but Λ."""

    multipliers: Array


class Faces(Alone, kind="faces"):
    """Two layers: c(Λ) = max ‖Λᵀφ(Xu)‖ over all faces of X's arrangement (theory §3)."""


class Linear(Alone, kind="linear"):
    """Linear networks: c_L(Λ) = ‖XᵀΛ‖₂ at every depth (theory §2)."""


class Whitened(Alone, kind="whitened"):
    """V_L ⊂ {v ≥ 0 : ‖v‖ ≤ ‖X‖₂}: exact on whitened data, a bound on any other (theory §7)."""
