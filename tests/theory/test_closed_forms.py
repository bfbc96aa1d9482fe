"""Facts of the theory, through the public API."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from zerogap import Problem, solve, verify
from zerogap.solving.bottlenecks import _groups, bottleneck
from zerogap.theory.linear import shrink
from zerogap.theory.rank_one import RankOne
from zerogap.theory.whitened import one_hot_lower, one_hot_orthogonal, simplex


def bracket(X: np.ndarray, Y: np.ndarray, **options):
    bounds = solve(Problem(X, Y, **options), restarts=0)
    proved = verify(bounds.certificate)
    assert proved.accepted, proved.reason
    assert bounds.primal >= bounds.dual * (1 - 1e-9)
    return bounds, proved


def test_the_smallest_counterexample_has_value_three_against_two_point_three_eight() -> None:
    X = Y = np.array([[1.0], [-1.0]])
    bounds, proved = bracket(X, Y, activation="relu", architecture="standard", depth=3)
    assert bounds.primal == pytest.approx(3, rel=1e-12)
    assert bounds.dual == pytest.approx(1.5 * 2 ** (2 / 3), rel=1e-12)
    assert proved.status == bounds.status == "positive"


@pytest.mark.parametrize("depth", [3, 4, 6])
def test_equal_singular_values_do_not_close_the_gap(depth: int) -> None:
    bounds, proved = bracket(
        np.eye(3), 2 * np.eye(3), activation="linear", architecture="standard", depth=depth
    )
    assert proved.status == "positive"
    scaled = (2 / depth * bounds.primal) ** (depth / 2) / (2 / depth * bounds.dual) ** (depth / 2)
    assert scaled == pytest.approx(3 ** ((depth - 2) / 2), rel=1e-9)


@pytest.mark.parametrize(
    ("classes", "depth", "ratio", "rank"),
    [
        (3, 4, 1, 3), (3, 5, 0.9728, 2), (3, 12, 0.2353, 2), (6, 6, 0.5731, 3), (10, 5, 0.653, 4),
        (12, 4, 1, 12), (13, 4, 0.9928, 5), (14, 4, 0.9522, 5), (15, 4, 0.907, 5),
    ],
)  # fmt: skip
def test_bottlenecks_beat_one_direction_per_class(
    classes: int, depth: int, ratio: float, rank: int
) -> None:
    """§7: from five layers on for three classes, from thirteen classes on for four layers."""
    bounds, proved = bracket(
        np.eye(classes), np.eye(classes), activation="relu", architecture="standard", depth=depth
    )
    orthogonal = one_hot_orthogonal(np.ones(classes), depth)
    assert (2 / depth * bounds.primal) ** (depth / 2) / orthogonal == pytest.approx(ratio, abs=1e-4)
    assert min(bounds.weights.ranks()) == rank
    assert proved.status == "positive"


@settings(max_examples=20, deadline=None)
@given(sizes=st.lists(st.integers(1, 4), min_size=3, max_size=6), depth=st.integers(3, 7))
def test_bottlenecks_fit_classes_of_any_sizes_at_no_more_than_a_direction_each(
    sizes: list[int], depth: int
) -> None:
    labels = np.repeat(np.arange(len(sizes)), sizes)
    Y = np.random.default_rng(sum(sizes)).permutation(np.eye(len(sizes))[labels])
    X = np.linalg.qr(np.random.default_rng(depth).normal(size=(len(Y), len(Y))))[0]
    problem = Problem(X, Y, activation="relu", architecture="standard", depth=depth)
    count = Y.sum(axis=0)
    network = bottleneck(problem, count)
    assert network.error(problem) < 1e-9
    scaled = (2 / depth * network.objective(problem)) ** (depth / 2)
    assert one_hot_lower(count, depth) <= scaled * (1 + 1e-9)
    assert scaled <= one_hot_orthogonal(count, depth) * (1 + 1e-9)


@pytest.mark.parametrize("classes", [5, 6])
def test_sign_vectors_are_the_best_weights_on_corners_and_edges_of_a_triangle(classes: int) -> None:
    features = simplex(classes, 3)
    (group,) = [group for group in _groups(classes) if len(group.features.T) == 3]
    assert np.maximum(features @ group.U, 0) @ group.W == pytest.approx(np.eye(classes), abs=1e-9)
    two = Problem(features, np.eye(classes), activation="relu", architecture="parallel", depth=2)
    assert solve(two).dual * (1 - 1e-6) <= group.cost <= solve(two).primal * 1.01


@settings(max_examples=15, deadline=None)
@given(st.floats(0, 180), st.floats(0.1, 3))
def test_rank_one_data_has_no_gap_exactly_when_targets_point_the_same_way(
    angle: float, ratio: float
) -> None:
    turn = np.deg2rad(angle)
    c = np.array([1.0, -1.0, 0.5])
    plus, minus = np.array([1.0, 0]), ratio * np.array([np.cos(turn), np.sin(turn)])
    Y = np.outer(np.maximum(c, 0), plus) + np.outer(np.maximum(-c, 0), minus)
    X = np.outer(c, [1.0, 0.5])
    bounds, proved = bracket(X, Y, activation="relu", architecture="standard", depth=3)
    if angle > 1:
        assert proved.status == "positive"
    elif angle == 0:
        assert proved.status == "zero"
    assert bounds.primal == pytest.approx(bounds.exact_primal, rel=1e-9)


def test_the_closed_form_of_rank_one_data_meets_the_values_of_training() -> None:
    expected = {0: 2.0520, 45: 2.4388, 80: 2.5607, 90: 2.5671, 135: 2.5671, 180: 2.5671}
    for angle, value in expected.items():
        turn = np.deg2rad(angle)
        minus = 0.6 * np.array([np.cos(turn), np.sin(turn)])
        data = RankOne(np.array([1.0, -1.0]), np.ones(1), np.array([1.0, 0]), minus)
        assert 1.5 * data.primal(3) ** (2 / 3) == pytest.approx(value, abs=1e-4)


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1), depth=st.integers(3, 6),
    angle=st.floats(0.5, 180), ratio=st.floats(0.05, 1),
)  # fmt: skip
def test_the_network_of_rank_one_data_attains_the_closed_form(
    seed: int, depth: int, angle: float, ratio: float
) -> None:
    rng = np.random.default_rng(seed)
    c, a = np.append(rng.normal(size=3), [1.0, -1.0]), rng.normal(size=2)
    turn = np.deg2rad(angle)
    plus, minus = np.array([1.0, 0]), ratio * np.array([np.cos(turn), np.sin(turn)])
    Y = np.outer(np.maximum(c, 0), plus) + np.outer(np.maximum(-c, 0), minus)
    problem = Problem(
        np.outer(c, a), Y, activation="relu", architecture="standard", depth=depth
    ).reduced
    line = RankOne.of(problem)
    assert line is not None
    network = line.standard_network(depth)
    assert network.error(problem) <= 1e-9 * np.linalg.norm(Y)
    assert network.objective(problem) == pytest.approx(problem.total(line.primal(depth)), rel=1e-9)
    assert line.dual() < line.primal(depth)


@pytest.mark.parametrize("depth", [3, 4, 6])
@pytest.mark.parametrize("Y", [[[5.0, 0.0], [3.0, 4.0]], [[1.0, 0.5], [0.5, 1.0]]])
def test_sides_of_one_length_have_a_gap(Y: list[list[float]], depth: int) -> None:
    X = np.array([[1.0], [-1.0]])
    bounds, proved = bracket(
        X, np.array(Y), activation="relu", architecture="standard", depth=depth
    )
    assert proved.status == "positive"
    assert proved.primal_lower == pytest.approx(bounds.primal, rel=1e-9)


def test_small_angles_cost_something_at_great_depth() -> None:
    plus, minus = np.array([1.0, 0.0]), 0.6 * np.array([1.0, 1e-8])
    line = RankOne(np.array([1.0, -1.0]), np.ones(1), plus, minus)
    values = [line.primal(depth) ** (2 / depth) for depth in (2, 3, 50)]
    assert values[:2] == pytest.approx([1.6, 1.6 ** (2 / 3)], rel=1e-7)
    assert 25 * values[2] == pytest.approx(36.849, abs=1e-3)  # by 400 bits and a fine grid
    nearly = RankOne(line.c, line.a, plus, 0.6 * np.array([1.0, 5e-10]))
    assert nearly.certain(3) and not nearly.certain(50)


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_two_rows_lose_nothing_by_linear_layers(seed: int) -> None:
    """§6: after a ReLU layer two non-negative rows are those of a linear layer of no larger norm,
    and with the cost of all further layers between them no product of norms is below the bound."""
    rng = np.random.default_rng(seed)
    first = rows = np.maximum(rng.normal(size=(2, 3)), 0) + 1e-3 * rng.random((2, 3))
    layers = []
    for width in rng.integers(2, 5, size=rng.integers(1, 4)):
        W = rng.normal(size=(rows.shape[1], width))
        after = np.maximum(rows @ W, 0)
        assert np.linalg.norm(np.linalg.pinv(rows) @ after) <= np.linalg.norm(W) * (1 + 1e-9)
        layers.append(np.linalg.norm(W))
        rows = after
    assume(np.linalg.svd(rows, compute_uv=False)[-1] > 1e-6)
    last = np.linalg.pinv(rows)  # to one-hot targets
    product = float(np.prod(layers)) * np.linalg.norm(last)
    power = 2 / (len(layers) + 1)
    lengths = np.linalg.norm(first, axis=1)
    assert product >= float(np.sum(lengths**-power)) ** (1 / power) * (1 - 1e-9)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=2, max_size=5))
def test_the_proved_whitened_bound_is_below_the_orthogonal_network(sizes: list[int]) -> None:
    counts = np.array(sizes, float)
    for depth in (2, 3, 4, 7):
        orthogonal = one_hot_orthogonal(counts, depth)
        assert one_hot_lower(counts, depth) <= orthogonal * (1 + 1e-12)
        if len(sizes) == 2:
            assert one_hot_lower(counts, depth) == pytest.approx(orthogonal)


@settings(max_examples=50, deadline=None)
@given(st.floats(0.01, 10), st.floats(0.01, 5), st.integers(2, 6))
def test_shrinkage_is_the_minimum_over_a_grid(sigma: float, beta: float, depth: int) -> None:
    def value(s: np.ndarray | float) -> np.ndarray | float:
        return 0.5 * (s - sigma) ** 2 + beta * depth / 2 * np.power(s, 2 / depth)

    s = shrink(sigma, beta, depth)
    assert value(s) <= np.min(value(np.linspace(0, sigma, 2001))) + 1e-9


def test_scaling_the_data_scales_the_bracket() -> None:
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(5, 2)), rng.normal(size=(5, 1))
    options = dict(activation="relu", architecture="parallel", depth=3, regularizer="power")
    base, _ = bracket(X, Y, **options)
    scaled, _ = bracket(3 * X, 2 * Y, **options)
    assert scaled.dual == pytest.approx(base.dual * 2 / 3, rel=1e-6)


def test_zero_targets_cost_nothing() -> None:
    for activation in ("linear", "relu"):
        bounds, proved = bracket(
            np.eye(2), np.zeros((2, 1)), activation=activation, architecture="standard", depth=3
        )
        assert bounds.primal == bounds.dual == 0
        assert proved.status == "zero"


@pytest.mark.parametrize("beta", [None, 0.1])
@pytest.mark.parametrize(("size", "k"), [(1e-25, 1), (1e-6, 1), (1e12, 1), (1e-6, 2)])
def test_data_in_other_units_have_the_same_bracket(size: float, k: int, beta: float | None) -> None:
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(4, 2)), rng.normal(size=(4, k))
    options = {"activation": "relu", "architecture": "parallel", "depth": 3}
    unit, _ = bracket(X, Y, beta=beta, regularizer="power", **options)
    # f is homogeneous in X, so the cost of the same outputs changes by 1 / size.
    factor = 1 / size if beta is None else 1.0
    beta = None if beta is None else beta * size
    other, proved = bracket(X * size, Y, beta=beta, regularizer="power", **options)
    assert other.primal == pytest.approx(unit.primal * factor, rel=1e-6)
    assert other.dual == pytest.approx(unit.dual * factor, rel=1e-6)
    assert proved.status == unit.status == "zero"


@pytest.mark.parametrize("activation", ["linear", "relu"])
@pytest.mark.parametrize(("size", "beta"), [(1.0, 1e6), (0.0, None), (0.0, 1.0)])
def test_where_no_weight_pays_the_zero_network_is_proved_optimal(
    activation: str, size: float, beta: float | None
) -> None:
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(4, 2)), size * rng.normal(size=(4, 1))
    bounds, proved = bracket(
        X, Y, activation=activation, architecture="parallel", depth=3, beta=beta
    )
    assert bounds.primal == pytest.approx(0.5 * float(np.sum(Y**2)))
    assert proved.status == "zero"
