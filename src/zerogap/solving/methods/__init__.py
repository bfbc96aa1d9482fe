"""The methods that bracket a dual value, one module each, from most to least exact."""

from zerogap.solving.methods import (
    columns,
    cones,
    cover,
    layers,
    linear,
    moments,
    orthant,
    outputs,
    path,
    rank_one,
    spectral,
    whitened,
    zero,
)
from zerogap.solving.methods.base import Method

METHODS: tuple[Method, ...] = (
    zero, linear, rank_one, whitened, orthant, columns, cones, moments, path, cover, outputs,
    layers, spectral,
)  # fmt: skip
# Those that know of free biases of the first layer.
FREE: tuple[Method, ...] = (zero, columns, spectral)
