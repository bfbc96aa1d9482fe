"""Two or three outputs at three layers: c₃(Λ) over cones of output directions (theory §4)."""

from dataclasses import dataclass

from zerogap.model.matrices import Array
from zerogap.solving.evidence.base import Proof


@dataclass(frozen=True, eq=False)
class Cover(Proof, kind="cover"):
    """Λ, the splits (m, 4) of the cones, and the μ's of each direction's tree as they are met.

    Directions do not depend on the length of Λ, the trees do as a single one does.
    """

    multipliers: Array
    splits: Array
    mu: Array
    proportional = ("multipliers", "mu")
