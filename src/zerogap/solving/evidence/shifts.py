"""Two layers, the first with free biases: c(Λ) = max_i c(Λ; X − 1x_iᵀ) (theory §10)."""

from dataclasses import dataclass

from zerogap.model.matrices import Array
from zerogap.solving.evidence.base import Proof


@dataclass(frozen=True, eq=False)
class Shifts(Proof, kind="shifts"):
    """The kind of evidence that proves every level, by Λ alone, and Λ."""

    by: str
    multipliers: Array
