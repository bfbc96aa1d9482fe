"""Arithmetic that only ever errs on the safe side: balls and exact rationals.

A ball (`flint.arb`) holds the true number; a comparison of balls is true only where it holds for
every number inside, so `if not x <= y: refuse` accepts nothing unproved.
"""

import math
from collections.abc import Iterable

import numpy as np
from flint import arb, arb_mat, fmpq, fmpq_mat

from zerogap.checker.budget import BALL, STEP, Refused, hold, spend

Array = np.ndarray

# Bits of every ball. Twice the conditioning of data that is degenerate up to float64 rounding
# (hyperplanes 1e-16 apart: Gram matrices of condition 1e32) leaves 40 digits.
PRECISION = 256


def up(x: arb) -> float:
    """The least float proved to be at least x; refuses what is not a finite number."""
    value = float(x.upper())
    if not math.isfinite(value):
        raise Refused(f"a bound evaluates to {value}")
    while not arb(value) >= x:
        value = math.nextafter(value, math.inf)
    return value


def down(x: arb) -> float:
    """The greatest float proved to be at most x."""
    return -up(-x)


def balls(A: Array) -> arb_mat:
    """A float64 matrix as exact balls."""
    spend(STEP * A.size, "reading")
    hold(BALL * A.size, "a matrix")
    return arb_mat(A.shape[0], A.shape[1], [arb(x) for x in A.ravel().tolist()])


def rationals(A: Array) -> fmpq_mat:
    """A float64 matrix as exact rationals."""
    spend(4 * STEP * A.size, "reading")
    hold(4 * BALL * A.size, "a matrix of rationals")
    return fmpq_mat(
        A.shape[0], A.shape[1], [fmpq(*x.as_integer_ratio()) for x in A.ravel().tolist()]
    )


def floats(M: arb_mat) -> Array:
    """The midpoints, rounded: for guesses that something else then proves."""
    entries = [float(x) for x in M.entries()]
    return np.array(entries).reshape(M.nrows(), M.ncols())


def total(terms: Iterable[arb]) -> arb:
    """Σ terms."""
    return sum(terms, arb(0))


def inner(A: arb_mat, B: arb_mat) -> arb:
    """tr(AᵀB)."""
    size = A.nrows() * A.ncols()
    spend(STEP * size, "an inner product")
    return (arb_mat(1, size, A.entries()) * arb_mat(size, 1, B.entries()))[0, 0]


def times(A: arb_mat, B: arb_mat) -> arb_mat:
    """A B, of matrices that may be large."""
    spend(A.nrows() * A.ncols() * B.ncols(), "a matrix product")
    hold(BALL * A.nrows() * B.ncols(), "a matrix product")
    return A * B


def frobenius(M: arb_mat) -> arb:
    """‖M‖_F."""
    return root(inner(M, M))


def root(x: arb) -> arb:
    """√x of a number that is not negative, though its ball may reach below zero.

    `arb.sqrt` makes NaN of such a ball, and so does `arb.max(0)` before it, which rounds outward.
    """
    if x > 0 or not x.is_finite():
        return x.sqrt()
    half = x.upper().max(arb(0)).sqrt().upper() / 2
    return arb(half, half)


def diagonal(entries: list[arb]) -> arb_mat:
    """The diagonal matrix of the entries."""
    M = arb_mat(len(entries), len(entries))
    for i, entry in enumerate(entries):
        M[i, i] = entry
    return M
