"""What one certificate may take: operations and memory, counted where the work is.

One operation is a multiplication of two balls inside FLINT, about 25 ns; a step in Python counts as
many as it takes, by measurement. The count is the same on every machine, so what is refused here is
refused everywhere.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from zerogap.checker.limits import MAX_BYTES, MAX_OPERATIONS


class Refused(Exception):
    """What the certificate fails to prove, in one line that names the place."""


# Bytes of a ball in a matrix, and operations that a Python loop takes for a ball or for a step.
BALL = 110
STEP = 40

_spent: ContextVar[list[float] | None] = ContextVar("spent", default=None)


@contextmanager
def budget(spent: list[float]) -> Iterator[None]:
    """Counts into spent[0] what the block spends, all pieces of a certificate together."""
    token = _spent.set(spent)
    try:
        yield
    finally:
        _spent.reset(token)


def spend(operations: float, what: str) -> None:
    """Announce work before it is done; refuses what exceeds the budget of the certificate."""
    spent = _spent.get()
    if spent is not None:
        spent[0] += operations
        if not spent[0] <= MAX_OPERATIONS:
            raise Refused(
                f"budget: {what} brings the certificate to {spent[0]:.2g} operations; accepted are "
                f"{MAX_OPERATIONS:.2g}"
            )


def hold(size: float, what: str) -> None:
    """Announce memory, in bytes, before it is taken."""
    if not size <= MAX_BYTES:
        raise Refused(f"budget: {what} takes {size:.2g} bytes; accepted are {MAX_BYTES:.2g}")
