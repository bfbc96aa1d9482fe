"""What gradient descent reaches: batched multi-restart training of the non-convex problem."""

from zerogap.training.options import INTERPOLATION_TOLERANCE, Training, TrainingOptions
from zerogap.training.run import train

__all__ = ["INTERPOLATION_TOLERANCE", "Training", "TrainingOptions", "train"]
