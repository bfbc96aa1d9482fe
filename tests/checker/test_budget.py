"""One budget per certificate: what it admits ends soon and stays small, the rest is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.checker import worst
from zerogap.checker import verify
from zerogap.checker.limits import MAX_OPERATIONS

QUICK = ("path", "cones", "tree")


@pytest.mark.parametrize(
    "name",
    [n if n in QUICK else pytest.param(n, marks=pytest.mark.faults) for n in worst.WORST],
)
def test_the_worst_certificate_takes_less_than_a_minute_and_two_gigabytes(name: str) -> None:
    found = worst.measure(name)
    print(found)
    assert found["seconds"] < 60 and found["MB"] < 2000
    # Searches run until the budget ends them.
    ended = found["reason"].startswith("budget: ")
    assert ended or found["operations"] <= MAX_OPERATIONS


@pytest.mark.parametrize(
    "certificate",
    [
        pytest.param(lambda: worst.whitened(12, 60, 5), marks=pytest.mark.faults),
        lambda: worst.faces(50, 48, 1),
        pytest.param(lambda: worst.rank_one(400, 40), marks=pytest.mark.faults),
        lambda: worst.network(500, 4, 300_000),
    ],
)
def test_what_exceeds_the_budget_is_refused_with_the_number(
    certificate: Callable[[], dict[str, Any]],
) -> None:
    verdict = verify(certificate())
    assert verdict.reason.startswith("budget: ") and "accepted are" in verdict.reason


def test_the_count_is_the_same_every_time() -> None:
    counts = {verify(worst.moments(8, 2, 1)).operations for _ in range(2)}
    assert len(counts) == 1 and counts.pop() > 0
