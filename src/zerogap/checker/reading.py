"""The JSON of a certificate as exact numbers, or a refusal that names the place.

Floats are in hexadecimal, matrices are the bytes of their float64 entries.
"""

import math
import re
from typing import Any

import numpy as np

from zerogap.checker.balls import Array, Refused
from zerogap.checker.limits import MAX_NUMBERS

Branches = list[list[Array]]

HEXADECIMAL = re.compile(r"-?0x[01]\.[0-9a-f]{1,13}p[+-][0-9]{1,4}")  # what float.hex writes


def get(mapping: Any, key: str, place: str) -> Any:
    if not isinstance(mapping, dict) or key not in mapping:
        raise Refused(f"{place}: the key {key!r} is missing")
    return mapping[key]


def number(text: Any, place: str) -> float:
    # "1.5" would be read as 1.3125, and more digits than a float64 has as another number.
    if not isinstance(text, str) or not HEXADECIMAL.fullmatch(text):
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


def symmetric(value: Any, size: int, place: str) -> Array:
    """A symmetric matrix by its upper half: dense, or float32 entries at places of {"at": …}.

    Places count row by row, from zero, and increase.
    """
    if not isinstance(value, dict) or "at" not in value:
        full = matrix(value, place)
        if full.shape != (size, size):
            raise Refused(f"{place} has shape {full.shape}; accepted is {(size, size)}")
    else:
        at, data = value["at"], get(value, "data", place)
        if get(value, "shape", place) != [size, size]:
            raise Refused(f"{place}.shape is {value['shape']}; accepted is {[size, size]}")
        if not isinstance(at, str) or not isinstance(data, str):
            raise Refused(f"{place}: accepted are places and numbers in hexadecimal")
        index = np.frombuffer(bytes.fromhex(at), dtype="<u4").astype(np.int64)
        entries = np.frombuffer(bytes.fromhex(data), dtype="<f4").astype(float)
        if len(index) != len(entries):
            raise Refused(f"{place}: {len(index)} places and {len(entries)} numbers")
        if np.any(np.diff(index) <= 0) or np.any(index >= size * size):
            raise Refused(f"{place}.at: accepted are increasing places in the matrix")
        if not np.isfinite(entries).all():
            raise Refused(f"{place} has an entry that is not finite")
        full = np.zeros((size, size))
        full.flat[index] = entries
    upper = np.triu(full)
    return upper + np.triu(upper, 1).T


def branches_of(network: Any, place: str) -> Branches:
    value = get(network, "branches", place)
    if not isinstance(value, list) or not all(isinstance(branch, list) for branch in value):
        raise Refused(f"{place}.branches: accepted is a list of lists of matrices")
    return [
        [matrix(W, f"{place}.branches[{j}][{layer}]") for layer, W in enumerate(branch)]
        for j, branch in enumerate(value)
    ]
