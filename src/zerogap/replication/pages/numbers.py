"""Numbers for readers: bounds are rounded outward, so that what is printed is true."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from math import isfinite

_DIGITS = 7
_NONE = "not known"


def down(value: float, digits: int = _DIGITS) -> str:
    """The largest number of so many digits that is not above a value."""
    return _rounded(value, digits, ROUND_FLOOR)


def up(value: float, digits: int = _DIGITS) -> str:
    """The least number of so many digits that is not below a value."""
    return _rounded(value, digits, ROUND_CEILING)


def share(value: float) -> str:
    """A relative gap, rounded up: in percent, or as a power of ten where it is tiny."""
    if not isfinite(value):
        return _NONE
    if value <= 0:
        return "0"
    if value < 1e-4:
        number = Decimal(up(value, 2))
        return f"{number.scaleb(-number.adjusted()):f}e{number.adjusted()}"
    return f"{up(100 * value, 3)} %"


def _rounded(value: float, digits: int, way: str) -> str:
    exact = Decimal(value)
    if not exact.is_finite():
        return _NONE
    place = Decimal(1).scaleb(exact.adjusted() - digits + 1) if exact else Decimal(1)
    return f"{exact.quantize(place, rounding=way):f}"
