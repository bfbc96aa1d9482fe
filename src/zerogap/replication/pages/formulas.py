"""Formulas as MathML, which browsers show without a script."""

import re
from html import unescape

from latex2mathml.converter import convert

from zerogap.model.errors import DataError

_DOUBLE = {"N": "ℕ", "Q": "ℚ", "R": "ℝ", "Z": "ℤ"}


def mathml(formula: str, display: bool = False) -> str:
    """A formula of LaTeX, written without its dollars, as a <math> element.

    Raises DataError where a command is unknown.
    """
    made = convert(formula, display="block" if display else "inline")
    if unknown := re.search(r">(\\\w+)<", unescape(made)):
        raise DataError(f"formula {formula!r}: no MathML is known for {unknown[1]}")
    # Browsers know no variant but the upright one.
    return re.sub(
        '<mi mathvariant="double-struck">([NQRZ])</mi>',
        lambda match: f"<mi>{_DOUBLE[match[1]]}</mi>",
        made,
    )
