"""Facts that the documentation states with numbers, computed again or compared with a kept run."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import combinations, combinations_with_replacement, product
from math import comb, prod
from pathlib import Path

import cvxpy as cp
import numpy as np
import pandas as pd
import pytest
from flint import fmpq, fmpq_mat

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


def _multiples(kinds: Iterable[str], number: dict[str, int]) -> dict[str, int]:
    """How many classes lie so to a sign vector with so many entries of each sign."""
    return {
        kind: comb(number[kind[0]], 2) if kind[0] == kind[-1] and len(kind) == 2 else
        prod(number[sign] for sign in kind)
        for kind in kinds
    }  # fmt: skip


@pytest.mark.parametrize(
    ("r", "h", "c", "ratio"),
    [
        (18, 8, Fraction(1, 2), 0.9976), (24, 11, Fraction(1, 2), 0.876),
        (100, 49, Fraction(1, 4), 0.4313),
    ],
)  # fmt: skip
def test_three_layers_fit_many_classes_below_one_direction_each(
    r: int, h: int, c: Fraction, ratio: float
) -> None:
    """§7: corners and edges of a simplex, all balanced sign vectors; only the cost is in floats.

    A class lies to a sign vector by the signs at its corner or ends: P, N, Z.
    """
    number, value = {"P": h, "N": h, "Z": r - 2 * h}, {"P": 1, "N": -1, "Z": 0}
    kinds = ["P", "N", "Z", *map("".join, combinations_with_replacement("PNZ", 2))]
    # Output weights of a kind, and those of the vector 1 to corners and to edges.
    equations, wanted = [], []
    for sample, target, out in (
        ((0,), (0,), Fraction(1)), ((0,), (1,), 0), ((0,), (0, 1), 0), ((0,), (1, 2), 0),
        ((0, 1), (0,), 0), ((0, 1), (2,), 0), ((0, 1), (0, 1), 1 / c), ((0, 1), (0, 2), 0),
        ((0, 1), (2, 3), 0),
    ):  # fmt: skip
        places = sorted({*sample, *target})
        row = dict.fromkeys(kinds, 0)
        for signs in product("PNZ", repeat=len(places)):
            at = dict(zip(places, signs, strict=True))
            plus, minus = h - signs.count("P"), h - signs.count("N")
            others = r - len(places)
            if min(plus, minus, others - plus - minus) >= 0:
                neurons = comb(others, plus) * comb(others - plus, minus)
                kind = "".join(sorted((at[i] for i in target), key="PNZ".index))
                row[kind] += neurons * max(sum(value[at[i]] for i in sample), 0)
        ones = [len(sample) * (len(target) == size) for size in (1, 2)]
        equations.append([*row.values(), *ones])
        wanted.append(out)
    # The least Σ cost·weight²; kinds that no class is of have no weight.
    neurons = comb(r, h) * comb(r - h, h)
    multiples = _multiples(kinds, number).values()
    cost = [2 * h * neurons**2 * count for count in multiples] + [r * r, r * comb(r, 2)]
    live = [j for j, each in enumerate(cost) if each]
    M = fmpq_mat([[fmpq(row[j]) for j in live] for row in equations])
    b = fmpq_mat([[fmpq(Fraction(out).numerator, Fraction(out).denominator)] for out in wanted])
    scaled = fmpq_mat([[M[i, t] / cost[j] for t, j in enumerate(live)] for i in range(len(wanted))])
    weights = scaled.transpose() * (scaled * M.transpose()).solve(b)
    assert M * weights == b
    parts = [weights[t, 0] ** 2 * cost[j] for t, j in enumerate(live)]
    squares = [sum(part, start=fmpq(0)) for part in (parts[:-2], parts[-2:])]
    last = sum(float(Fraction(int(each.p), int(each.q))) ** 0.5 for each in squares)
    classes = r * (r + 1) // 2
    first = float(r + c * c * r * (r - 1)) ** 0.5
    assert first * last / classes**1.5 == pytest.approx(ratio, abs=5e-5 if r == 18 else 5e-4)
    assert first * last < classes**1.5


def test_random_halves_of_few_places_hold_many_classes() -> None:
    """§7, why orthogonal directions are of the wrong order: neurons and their cost."""
    k = 6
    r = 2 * int(np.ceil(16 * np.log(k)))
    rng = np.random.default_rng(0)
    A = np.array([rng.permutation(np.arange(r) < r // 2) for _ in range(k)]) / np.sqrt(r / 2)
    U = A.T - 0.75 * np.sqrt(2 / r)
    assert (A @ A.T)[~np.eye(k, dtype=bool)].max() <= 0.75
    assert np.maximum(A @ U, 0) == pytest.approx(np.eye(k) / 4, abs=1e-12)
    assert np.linalg.norm(U, axis=0) == pytest.approx(np.sqrt(5 / 8))


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
    jobs = f"The full run, {kept['jobs']:.0f} jobs"
    assert f"{jobs}, took {minutes} min {seconds} s after set-up" in page
    assert f"{kept['share']:.0%}".replace("%", " %") + " of that starting processes" in page


def test_what_is_reached_in_a_minute_is_what_the_kept_table_says() -> None:
    said = lines(pd.read_csv(KEPT / "reach.csv"))
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(said) == 14
    assert [line for line in said if line not in page] == []
