"""The losses, one file each: a class with a name registers itself, its import here is all it takes.

Their counterparts for solving are in `model/losses/`.
"""

from zerogap.checker.losses import cross_entropy, hinge, huber, logistic, quantile, squared
from zerogap.checker.losses.loss import LOSSES, Loss, Parabola, Ray

__all__ = ["LOSSES", "Loss", "Parabola", "Ray"]
__all__ += ["cross_entropy", "hinge", "huber", "logistic", "quantile", "squared"]
