"""Random starts, from small outputs to large ones."""

import math

import numpy as np

from zerogap.model.matrices import Array
from zerogap.training.shape import Shape


def initial(shape: Shape, X: Array, restarts: int, seed: int) -> Array:
    """Random weights (restarts, P), from small outputs to large ones."""
    rng = np.random.default_rng(seed % 2**63)
    draw = rng.normal(size=(restarts, sum(shape.sizes)))
    layers = shape.views(draw)
    depth = len(layers)
    # Output sizes from 0.1 to 3: small starts find few neurons, large ones find the fit.
    size = 10 ** np.linspace(-1, 0.5, restarts)
    size = size / shape.branches**0.5
    scale = 2.0 if shape.activation == "relu" else 1.0
    for layer, W in enumerate(layers):
        fan = W.shape[-2] / (scale if layer else 1.0)
        W *= (size ** (1 / depth) / math.sqrt(fan))[:, None, None, None]
    if shape.activation == "relu":
        _lean(layers[0], X, rng)
    widest = min(shape.n, shape.k) - 1
    if shape.branches == 1 and shape.activation == "relu" and widest >= 2:
        # Every other start of a deep network has a bottleneck, which weight decay may like better
        # than full rank (theory §7) and seldom falls into by itself; its neurons pass on what they
        # get, or few of them would live.
        for start in range(1, restarts, 2):
            width = 2 + start // 2 % (widest - 1)
            for layer in range(1, depth - 2):
                np.abs(layers[layer][start], out=layers[layer][start])
                if layer > 1:
                    layers[layer][start] += np.eye(layers[layer].shape[-1])
                layers[layer][start, :, :, width:] = 0
                layers[layer + 1][start, :, width:] = 0
    return draw


def _lean(W: Array, X: Array, rng: np.random.Generator) -> None:
    """Turn half of the first-layer neurons towards a vertex of the arrangement of X, in place.

    An optimal neuron may sit in a cell so thin that no random direction falls into it; every cell
    touches a vertex, a direction that d − 1 samples are orthogonal to. W: (restarts, m, d, w).
    """
    n, d = X.shape
    if d == 1:
        return
    neurons = W.mT
    draw = rng.random((*neurons.shape[:-1], n + 2))
    rows = X[draw[..., :n].argsort(-1)[..., : d - 1]]
    frame = np.linalg.qr(rows.mT).Q
    share = np.where(draw[..., n] < 0.5, 0.0, 1 - 10 ** (-3 * draw[..., n + 1]))
    along = (frame @ (frame.mT @ neurons[..., None]))[..., 0]
    neurons -= share[..., None] * along
