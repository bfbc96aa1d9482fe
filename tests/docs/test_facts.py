"""Facts that the documentation states with numbers, computed again or compared with a kept run."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import combinations
from pathlib import Path

import cvxpy as cp
import numpy as np
import pandas as pd
import pytest

from benchmarks.reach import lines
from zerogap.theory.arrangements import cells, max_cells
from zerogap.theory.linear import shrink
from zerogap.theory.rank_one import RankOne

Matrix = list[list[Fraction]]
ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / "results/reference/benchmarks"


def _matrix(*rows: Iterable[object]) -> Matrix:
    return [[Fraction(str(entry)) for entry in row] for row in rows]


def _product(A: Matrix, B: Matrix) -> Matrix:
    columns = list(zip(*B, strict=True))
    return [
        [sum((a * b for a, b in zip(row, column, strict=True)), Fraction(0)) for column in columns]
        for row in A
    ]


def _phi(A: Matrix) -> Matrix:
    return [[max(entry, Fraction(0)) for entry in row] for row in A]


@pytest.mark.parametrize(
    ("depth", "below"), [(5, (15.27, 15.58)), (6, (21.60, 27.0)), (12, (172.8, 729.0))]
)
def test_a_bottleneck_of_two_fits_three_classes_below_the_orthogonal_cost(
    depth: int, below: tuple[float, float]
) -> None:
    """§7, in rational arithmetic; only the norms are floats."""
    c = Fraction(17, 20)
    h = 1 / (2 * c)
    first = _matrix((1, 0), (c, c), (0, 1))
    last = _matrix((1, -h, 0), (0, -h, 1), (0, h, 0))
    hidden = _phi(first)  # and so through the layers I₂
    outputs = _product(_phi(_product(hidden, _matrix((1, -1, 1), (-1, 1, 1)))), last)
    assert outputs == _matrix((1, 0, 0), (0, 1, 0), (0, 0, 1))
    edge = float(h)
    cost = (2 + 2 * float(c) ** 2) ** 0.5 * 2 ** ((depth - 3) / 2)
    cost *= 2**0.5 * (2 * (1 + edge**2) ** 0.5 + edge)
    assert cost < below[0] < below[1] <= 3 ** (depth / 2)


def test_one_branch_of_four_layers_fits_six_points_of_the_plane_below_505_2() -> None:
    """§5, Proposition 1, in integers."""
    X = _matrix((-5, 4), (-4, 3), (5, 4), (4, -1), (9, -13), (22, -5))
    layers = (
        _matrix((2, 3, -3), (-4, 6, 1)),
        _matrix((-3, 3), (6, -4), (-2, 3)),
        _matrix((-5,), (4,)),
    )
    A = X
    for layer in layers:
        A = _phi(_product(A, layer))
    assert [row[0] for row in A] == [4, 54, 0, 48, 840, 72]
    squares = [sum(entry**2 for row in layer for entry in row) for layer in layers]
    assert squares == [75, 83, 41]
    assert 75 * 83 * 41 < 505.2**2


def test_five_whitened_samples_separate_the_copositive_program_from_its_relaxation() -> None:
    """§7: Y is a regular pentagon; D₁ = 5/√(1 + cos 72°), the program gives less."""
    turns = 2 * np.pi * np.arange(5) / 5
    Y = np.column_stack([np.cos(turns), np.sin(turns)])
    squares = [0.0]
    for size in range(1, 6):
        for support in combinations(range(5), size):
            values, vectors = np.linalg.eigh(Y[list(support)] @ Y[list(support)].T)
            squares += [
                value
                for value, vector in zip(values, vectors.T, strict=True)
                if (vector >= -1e-12).all() or (vector <= 1e-12).all()
            ]
    cosine = np.cos(turns[1])
    assert max(squares) == pytest.approx(1 + cosine, rel=1e-12)
    Lambda, S = cp.Variable((5, 2)), cp.Variable((5, 5), symmetric=True)
    block = cp.bmat([[np.eye(5) - S, Lambda], [Lambda.T, np.eye(2)]])
    relaxed = cp.Problem(cp.Maximize(cp.trace(Lambda.T @ Y)), [block >> 0, S >= 0])
    relaxed.solve(solver=cp.CLARABEL)
    assert relaxed.value == pytest.approx(np.sqrt(10 * (1 + np.cos(np.pi / 5))), rel=1e-6)
    assert relaxed.value < 4.26 < 4.37 < 5 / np.sqrt(1 + cosine)


def test_zero_has_a_pattern_that_no_cell_has() -> None:
    """§3: two opposite points have two cells, and three patterns 1[Xu ≥ 0]."""
    patterns, _ = cells(np.array([[1.0], [-1.0]]))
    assert len(patterns) == max_cells(2, 1) == 2
    assert not patterns.all(axis=1).any()


@pytest.mark.parametrize("depth", [3, 4, 5, 6])
@pytest.mark.parametrize("beta", [0.05, 1.0, 20.0])
def test_singular_values_jump_to_zero_at_the_threshold(depth: int, beta: float) -> None:
    """§2."""
    threshold = (depth - 1) / (depth - 2) * (beta * (depth - 2)) ** (depth / (2 * depth - 2))
    assert shrink(threshold * (1 - 1e-9), beta, depth) == 0
    least = (beta * (depth - 2)) ** (depth / (2 * depth - 2))
    assert shrink(threshold * (1 + 1e-9), beta, depth) == pytest.approx(least, rel=1e-6)


@pytest.mark.parametrize("depth", [3, 4, 5, 8])
def test_obtuse_angles_are_as_good_as_right_ones(depth: int) -> None:
    """§6: from 90° on one chain per side is the best, and nothing is lost at 90° itself."""
    for degrees in (90 - 1e-5, 90, 135, 180):
        turn = np.deg2rad(degrees)
        plus, minus = np.array([1.0, 0.0]), 0.6 * np.array([np.cos(turn), np.sin(turn)])
        line = RankOne(np.array([1.0, -1.0]), np.array([1.0]), plus, minus)
        chains = (1 + 0.6 ** (2 / depth)) ** (depth / 2)
        assert line.primal(depth) == pytest.approx(chains, rel=1e-6)


def test_the_table_of_planning_is_that_of_the_kept_run() -> None:
    page = (ROOT / "config/README.md").read_text(encoding="utf-8")
    said = [line for line in page.splitlines() if line.endswith(" MB |") and line.count("|") == 7]
    kept = pd.read_csv(KEPT / "planning.csv")
    made = [
        f"| {row.problems:,} | {row.batch_size} | {row.jobs:,} | {row.files:,} | "
        f"{row.seconds:.{0 if row.seconds >= 10 else 1}f} s | {row.megabytes:,.0f} MB |"
        for row in kept.itertuples()
    ]
    assert len(said) >= 8
    assert [line for line in said if line not in made] == []


def test_the_time_of_a_full_run_is_that_of_the_kept_run() -> None:
    kept = pd.read_csv(KEPT / "pipeline.csv").set_index("rule").loc["total"]
    minutes, seconds = divmod(round(kept["seconds"]), 60)
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"took {minutes} min {seconds} s after set-up" in page
    assert f"{kept['share']:.0%}".replace("%", " %") + " of that starting processes" in page


def test_what_is_reached_in_a_minute_is_what_the_kept_table_says() -> None:
    said = lines(pd.read_csv(KEPT / "reach.csv"))
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(said) == 14
    assert [line for line in said if line not in page] == []
