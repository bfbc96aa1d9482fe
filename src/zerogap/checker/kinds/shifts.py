"""Two ReLU layers whose first has free biases: c(Λ) = max_i c(Λ; X − 1x_iᵀ), if Λᵀ1 = 0 (§10).

b ↦ Λᵀφ(Xw + b1) is linear between the −x_i·w, zero before the least of them and ΛᵀXw beyond the
largest, since Λᵀ1 = 0: its length, which is convex in between, is largest at some b = −x_i·w.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from flint import arb, arb_mat

from zerogap.checker.balls import Refused, balls, frobenius
from zerogap.checker.budget import STEP, spend
from zerogap.checker.kinds.kind import KINDS
from zerogap.checker.reading import get
from zerogap.checker.statement import NO_BIAS, Statement

# Kinds that need no more than Λ.
_ALONE = ("faces", "cones", "whitened")


def shifts(s: Statement, fields: Any, outputs: int, place: str) -> tuple[arb_mat, arb]:
    """Λ, and the largest level of kind `by` on the data shifted by each of its rows."""
    by = get(fields, "by", place)
    if not s.free or s.depth > 2 or by not in _ALONE:
        raise Refused(
            f"{place}: this kind is for two layers, the first with free biases, by one of "
            f"{', '.join(_ALONE)}"
        )
    alone = {"kind": by, "multipliers": get(fields, "multipliers", place)}
    level = arb(0)
    for row in np.unique(s.stated, axis=0):
        spend(4 * STEP * s.stated.size, "a shift of the data")
        moved = s.stated - row
        if not np.isfinite(moved).all():
            raise Refused(f"{place}: differences of rows of X are not finite")
        shifted = replace(s, stated=moved, bias=NO_BIAS)
        Lambda, found = KINDS[by](shifted, alone, outputs, place)
        # Neurons of unit weights are 1-Lipschitz in their data, here rounded.
        ones = balls(np.ones((len(moved), 1)))
        error = frobenius(balls(s.stated) - ones * balls(row[None]) - balls(moved))
        level = level.max(found + error * frobenius(Lambda))
    return Lambda, level


KINDS["shifts"] = shifts
