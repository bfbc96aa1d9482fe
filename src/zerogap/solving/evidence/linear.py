"""Linear networks: c_L(Λ) = ‖XᵀΛ‖₂ at every depth (theory §2)."""

from zerogap.solving.evidence.base import Alone


class Linear(Alone, kind="linear"):
    """Λ of a linear network."""
