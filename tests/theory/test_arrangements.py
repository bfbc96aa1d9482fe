"""Cells and faces of central arrangements: counts, degenerate rows, completeness."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zerogap.model.errors import MethodError
from zerogap.theory.arrangements import cells, faces, max_cells


@pytest.mark.parametrize(("n", "d"), [(3, 2), (7, 2), (6, 3), (10, 3), (6, 4), (4, 6)])
def test_generic_hyperplanes_cut_the_known_number_of_cells(n: int, d: int) -> None:
    X = np.random.default_rng(n * d).normal(size=(n, d))
    patterns, points = cells(X)
    assert len(patterns) == max_cells(n, min(n, d))
    assert len(np.unique(patterns, axis=0)) == len(patterns)
    assert (patterns == (X @ points.T > 0).T).all()


def test_every_sampled_sign_pattern_is_a_cell() -> None:
    rng = np.random.default_rng(1)
    X = rng.integers(-2, 3, size=(9, 3)).astype(float)
    known = {p.tobytes() for p in cells(X)[0]}
    U = rng.normal(size=(20_000, 3))
    heights = U @ X.T
    inside = (np.abs(heights) > 1e-9)[:, np.abs(X).any(axis=1)].all(axis=1)
    assert {p.tobytes() for p in heights[inside] > 0} == known


@pytest.mark.parametrize(
    ("rows", "count"),
    [
        ([[1, 0], [2, 0], [-3, 0]], 2),
        ([[1, 0], [0, 1], [0, 0], [1, 0]], 4),
        ([[1, 0, 0], [0, 1, 0], [1, 1, 0]], 6),
        ([[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 1]], 12),
        ([[1, 2, 3], [2, 4, 6]], 2),
        ([[0, 0]], 1),
    ],
)
def test_degenerate_rows_are_counted_once(rows: list, count: int) -> None:
    assert len(cells(np.array(rows, float))[0]) == count


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 6), st.integers(2, 3))
def test_faces_satisfy_eulers_relation(seed: int, n: int, d: int) -> None:
    X = np.random.default_rng(seed).normal(size=(n, d))
    groups = faces(X)
    r = min(n, d)
    counts = [len(group.points) for group in groups]
    assert len(counts) == r
    # The faces tile a sphere of dimension r − 1.
    assert sum((-1) ** (r - 1 - i) * c for i, c in enumerate(counts)) == 1 + (-1) ** (r - 1)


def test_too_many_cells_are_refused_with_their_number() -> None:
    with pytest.raises(MethodError, match="cells; accepted are at most"):
        cells(np.random.default_rng(0).normal(size=(200, 8)))
