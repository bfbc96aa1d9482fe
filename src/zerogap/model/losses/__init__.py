"""The losses, one file each: a class with a name registers itself, its import here is all it takes.

The checker has its own, in `checker/losses/`.
"""

from zerogap.model.losses.base import LOSSES, Loss, loss_of
from zerogap.model.losses.conjugate import Conjugate
from zerogap.model.losses.cross_entropy import CrossEntropy
from zerogap.model.losses.hinge import Hinge
from zerogap.model.losses.huber import Huber
from zerogap.model.losses.logistic import Logistic
from zerogap.model.losses.quantile import Quantile
from zerogap.model.losses.squared import Squared

__all__ = [
    "LOSSES", "Conjugate", "CrossEntropy", "Hinge", "Huber", "Logistic", "Loss", "Quantile",
    "Squared", "loss_of",
]  # fmt: skip
