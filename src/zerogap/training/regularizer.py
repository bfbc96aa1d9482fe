"""The regulariser R of a batch of equal networks, from their weights alone."""

import numpy as np

from zerogap.model.matrices import Array
from zerogap.training.shape import Shape


def regularizer(shape: Shape, weights: Array) -> Array:
    """R (B,) of weights (B, P)."""
    if shape.degree == 2:
        return 0.5 * (weights**2).sum(1)
    total = np.zeros(len(weights))
    for W in shape.views(weights):
        squares = (W**2).sum((-2, -1), keepdims=True)
        total += 0.5 * (_power(shape, squares) * squares).sum((-3, -2, -1))
    return total


def regularizer_gradient(shape: Shape, weights: Array) -> Array:
    """The gradient of R (B, P)."""
    if shape.degree == 2:
        return weights
    gradient = np.empty_like(weights)
    for part, W in zip(shape.views(gradient), shape.views(weights), strict=True):
        squares = (W**2).sum((-2, -1), keepdims=True)
        np.multiply(0.5 * shape.degree * _power(shape, squares), W, out=part)
    return gradient


def _power(shape: Shape, squares: Array) -> Array:
    """‖W‖^{degree − 2} of layers, from their squared norms.

    Products, not pow: its vector and scalar code differ in the last bit, and a result must not
    depend on where in the batch it stands.
    """
    power = np.sqrt(squares) if shape.degree % 2 else np.ones_like(squares)
    for _ in range((shape.degree - 2) // 2):
        power = power * squares
    return power
