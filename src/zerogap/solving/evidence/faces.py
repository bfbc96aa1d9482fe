"""Two layers: c(Λ) = max ‖Λᵀφ(Xu)‖ over all faces of the arrangement of X's rows (theory §3)."""

from zerogap.solving.evidence.base import Alone


class Faces(Alone, kind="faces"):
    """Λ whose level the checker finds by visiting every face."""
