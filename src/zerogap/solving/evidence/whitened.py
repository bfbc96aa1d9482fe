"""V_L ⊂ {v ≥ 0 : ‖v‖ ≤ ‖X‖₂}: exact on whitened data, a bound on any other (theory §7)."""

from zerogap.solving.evidence.base import Alone


class Whitened(Alone, kind="whitened"):
    """Λ of a ReLU network of any depth."""
