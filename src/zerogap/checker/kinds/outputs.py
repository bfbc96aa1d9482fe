"""One direction of the outputs: Λ = λqᵀ has c_L(Λ) = ‖q‖ c_L(λ), at every depth."""

from typing import Any

from flint import arb, arb_mat

from zerogap.checker.balls import Refused, balls, frobenius
from zerogap.checker.kinds.kind import KINDS, prove
from zerogap.checker.reading import get, matrix
from zerogap.checker.statement import Statement


def outputs(s: Statement, fields: Any, outputs: int, place: str) -> tuple[arb_mat, arb]:
    """The direction q (k, 1), and evidence of another kind for scalar multipliers λ."""
    direction = balls(matrix(get(fields, "direction", place), f"{place}.direction"))
    inner, within = get(fields, "inner", place), f"{place}.inner"
    if (direction.nrows(), direction.ncols()) != (outputs, 1):
        raise Refused(f"{place}.direction: accepted is one column, one row per output")
    if get(inner, "kind", within) == "outputs":
        raise Refused(f"{within}.kind: one direction is enough")
    Lambda, level = prove(s, inner, 1, within)
    return Lambda * direction.transpose(), level * frobenius(direction)


KINDS["outputs"] = outputs
