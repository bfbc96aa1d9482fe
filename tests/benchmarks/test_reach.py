"""The data sets of the benchmark, and one of its rows."""

import numpy as np
import pytest

from benchmarks.reach import CASES, COLUMNS, QUICK, Case, rows


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name}-{case.n}-{case.share}")
def test_data_are_standardised_with_a_column_for_every_class(case: Case) -> None:
    X, Y = case.data()
    assert len(X) == len(Y) == case.n
    if Y.shape[1] > 1:
        assert (Y.sum(axis=1) == 1).all()
    if case.name not in ("spiral", "iris"):
        assert np.allclose(X.std(axis=0), 1)


def test_a_row_says_what_was_proved_and_when() -> None:
    (row,) = rows(QUICK[:1], 30.0)
    assert row["certified"]
    assert row["width"] <= 1e-5
    assert set(row) <= set(COLUMNS)
