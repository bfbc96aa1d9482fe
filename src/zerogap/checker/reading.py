"""What a certificate says: its JSON as exact numbers, or a refusal that names the place.

Every number is exact: floats in hexadecimal, matrices as the bytes of their float64 entries.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from flint import arb, fmpq

from zerogap.checker.balls import Array, Refused, balls, frobenius

FORMAT, VERSION = "zerogap-certificate", 1

# What one certificate may hold; a refusal names the limit.
MAX_NUMBERS = 5_000_000
MAX_DEPTH = 50
MAX_SIDE = 500
# "Interpolates" means ‖f(X) − Y‖ ≤ epsilon with epsilon at most this share of ‖Y‖: rounding.
MAX_EPSILON = 1e-6

REGULARIZERS = ("weight_decay", "power")
Branches = list[list[Array]]


@dataclass(frozen=True)
class Statement:
    """The problem of a certificate, exactly as written."""

    X: Array
    Y: Array
    activation: str
    architecture: str
    depth: int
    regularizer: str
    beta: arb | None
    epsilon: arb

    @property
    def power(self) -> bool:
        """Whether totals are (L/2)·scaled (the power regulariser) or (L/2)·scaled^{2/L}."""
        return self.regularizer == "power"

    def scaled_total(self, scaled: arb) -> arb:
        """(L/2) D or (L/2) D^{2/L} of a scaled value D."""
        if not scaled > 0:
            return arb(0)
        return arb(self.depth) / 2 * (scaled if self.power else scaled ** arb(fmpq(2, self.depth)))


def get(mapping: Any, key: str, place: str) -> Any:
    if not isinstance(mapping, dict) or key not in mapping:
        raise Refused(f"{place}: the key {key!r} is missing")
    return mapping[key]


def number(text: Any, place: str) -> float:
    if not isinstance(text, str):
        raise Refused(f"{place} is {text!r}; accepted is a hexadecimal float")
    value = float.fromhex(text)
    if not math.isfinite(value):
        raise Refused(f"{place} is {value}; accepted are finite numbers")
    return value


def matrix(value: Any, place: str) -> Array:
    shape, data = get(value, "shape", place), get(value, "data", place)
    whole = isinstance(shape, list) and all(type(size) is int and size > 0 for size in shape)
    if not whole or len(shape) != 2 or not isinstance(data, str):
        raise Refused(f"{place}: accepted is a shape of two positive numbers and hexadecimal data")
    if len(data) != 16 * shape[0] * shape[1] or len(data) > 16 * MAX_NUMBERS:
        raise Refused(f"{place}: {len(data)} digits do not make a matrix of shape {shape}")
    array = np.frombuffer(bytes.fromhex(data), dtype="<f8").reshape(shape)
    if not np.isfinite(array).all():
        raise Refused(f"{place} has an entry that is not finite")
    return array


def branches_of(network: Any, place: str) -> Branches:
    value = get(network, "branches", place)
    if not isinstance(value, list) or not all(isinstance(branch, list) for branch in value):
        raise Refused(f"{place}.branches: accepted is a list of lists of matrices")
    return [
        [matrix(W, f"{place}.branches[{j}][{layer}]") for layer, W in enumerate(branch)]
        for j, branch in enumerate(value)
    ]


def statement_of(certificate: Any) -> Statement:
    problem = get(certificate, "problem", "certificate")
    names = {key: get(problem, key, "problem") for key in ("activation", "architecture", "depth")}
    regularizer = get(problem, "regularizer", "problem")
    depth, beta = names["depth"], get(problem, "beta", "problem")
    X, Y = (matrix(get(problem, key, "problem"), f"problem.{key}") for key in ("X", "Y"))
    epsilon = number(get(certificate, "epsilon", "certificate"), "epsilon")
    if names["activation"] not in ("linear", "relu"):
        raise Refused(f"problem.activation is {names['activation']!r}")
    if names["architecture"] not in ("standard", "parallel"):
        raise Refused(f"problem.architecture is {names['architecture']!r}")
    if regularizer not in REGULARIZERS:
        raise Refused(f"problem.regularizer is {regularizer!r}")
    if type(depth) is not int or not 2 <= depth <= MAX_DEPTH:
        raise Refused(f"problem.depth is {depth!r}; accepted is 2 to {MAX_DEPTH}")
    if names["architecture"] == "standard" and regularizer == "power" and depth > 2:
        raise Refused("problem: 'power' is defined on the branches of a parallel network")
    if len(X) != len(Y) or max(*X.shape, *Y.shape) > MAX_SIDE:
        raise Refused(
            f"problem: X is {X.shape}, Y {Y.shape}; accepted are equally many rows and "
            f"up to {MAX_SIDE} rows and columns"
        )
    strength = None if beta is None else number(beta, "problem.beta")
    if strength is not None and not strength > 0:
        raise Refused("problem.beta: accepted is null or a positive number")
    allowed = arb(MAX_EPSILON) * frobenius(balls(Y)) if strength is None else arb(0)
    if epsilon < 0 or not arb(epsilon) <= allowed:
        raise Refused(f"epsilon is {epsilon!r}; accepted is 0 to 1e-6 ‖Y‖, and 0 where beta is set")
    return Statement(
        X=X,
        Y=Y,
        regularizer="weight_decay" if depth == 2 else regularizer,  # the same at L = 2
        beta=None if strength is None else arb(strength),
        epsilon=arb(epsilon),
        **names,
    )
