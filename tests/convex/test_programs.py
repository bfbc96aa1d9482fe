"""Column generation and the path program against the whole convex programs, and invariances."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zerogap.convex.columns import gauge
from zerogap.convex.oracles import Features, Orthant
from zerogap.convex.path import Branch, PathGauge, leaves_of, path_gauge, path_level, subsets
from zerogap.convex.programs import copositive_sdp, three_layer_socp, two_layer_sdp, two_layer_socp
from zerogap.model.errors import MethodError
from zerogap.model.fit import Fit


def data(seed: int, n: int, d: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)), rng.normal(size=(n, k))


@pytest.mark.parametrize(("n", "d"), [(5, 2), (8, 2), (6, 3), (5, 4)])
def test_column_generation_equals_the_whole_two_layer_program(n: int, d: int) -> None:
    X, Y = data(n + d, n, d, 1)
    found = gauge(Features(X), Fit(Y))
    assert found.lower == pytest.approx(two_layer_socp(X, Y[:, 0]), rel=1e-6)
    assert found.upper == pytest.approx(found.lower, rel=1e-7)
    assert len(found.weights) <= n


@pytest.mark.parametrize("level", [0.05, 0.5, 5.0])
def test_the_regularised_optimum_equals_the_whole_program(level: float) -> None:
    X, Y = data(3, 7, 2, 1)
    found = gauge(Features(X), Fit(Y), level)
    assert found.lower == pytest.approx(two_layer_socp(X, Y[:, 0], level), rel=1e-6)


@pytest.mark.parametrize(("n", "d", "k"), [(4, 2, 2), (5, 2, 3), (4, 3, 2), (5, 3, 2)])
def test_vector_outputs_equal_the_semidefinite_program(n: int, d: int, k: int) -> None:
    X, Y = data(n * d * k, n, d, k)
    found = gauge(Features(X), Fit(Y))
    assert found.lower == pytest.approx(two_layer_sdp(X, Y), rel=1e-5)
    assert len(found.weights) <= n * k + 1


@pytest.mark.parametrize(("n", "d", "seed"), [(3, 2, 1), (4, 2, 2), (4, 3, 5)])
def test_three_layers_equal_the_whole_program(n: int, d: int, seed: int) -> None:
    X, Y = data(seed, n, d, 1)
    found = path_gauge(Features(X), Fit(Y[:, :1]), 3)
    assert found.lower == pytest.approx(three_layer_socp(X, Y[:, 0]), rel=1e-5)
    assert found.upper == pytest.approx(found.lower, rel=1e-6)


@pytest.mark.parametrize(("n", "k"), [(2, 2), (3, 2), (4, 3)])
def test_whitened_data_equal_the_copositive_program(n: int, k: int) -> None:
    _, Y = data(n, n, n, k)
    assert gauge(Orthant(np.eye(n)), Fit(Y)).lower == pytest.approx(copositive_sdp(Y), rel=1e-6)


def test_depth_never_raises_the_optimum() -> None:
    X, Y = data(11, 5, 2, 1)
    features = Features(X)
    values = [gauge(features, Fit(Y)).lower] + [
        path_gauge(features, Fit(Y[:, :1]), depth).lower for depth in (3, 4, 5)
    ]
    assert all(b <= a * (1 + 1e-7) for a, b in pairwise(values))


@pytest.fixture(scope="module")
def counterexample() -> tuple[np.ndarray, PathGauge, PathGauge]:
    """A small instance on which the path program falls from three layers to four: X, and both."""
    rng = np.random.default_rng(0)
    for _ in range(4):
        X, y = rng.normal(size=(6, 3)), rng.normal(size=6)
    features, fit = Features(X), Fit(y[:, None])
    three = path_gauge(features, fit, 3)
    return X, three, path_gauge(features, fit, 4, signs=three.multipliers[:, 0])


def mixture_norm(branch: Branch) -> float:
    """The largest Σ|m_j| of any neuron of a path network's branch."""
    below = branch.inputs if isinstance(branch.inputs, tuple) else ()
    return max([float(np.abs(branch.mixture).sum()), *map(mixture_norm, below)])


def test_the_depth_four_relaxation_can_be_strictly_below_three_layers(
    counterexample: tuple[np.ndarray, PathGauge, PathGauge],
) -> None:
    _, three, four = counterexample
    assert three.upper == pytest.approx(three.lower, rel=1e-6)
    assert four.upper == pytest.approx(four.lower, rel=1e-6)
    assert four.upper < three.lower * (1 - 5e-4)


@pytest.mark.parametrize(("n", "d", "depth"), [(5, 2, 4), (6, 2, 4), (5, 3, 4), (4, 2, 5)])
@pytest.mark.parametrize("level", [None, 0.3])
def test_the_path_program_is_attained_by_a_path_network(
    n: int, d: int, depth: int, level: float | None
) -> None:
    X, Y = data(n + d, n, d, 1)
    found = path_gauge(Features(X), Fit(Y[:, :1]), depth, level)
    assert found.upper == pytest.approx(found.lower, rel=1e-6)
    assert max(map(mixture_norm, found.atoms.U[0])) <= 1 + 1e-12
    V = np.column_stack([branch.outputs(X) for branch in found.atoms.U[0]])
    value, error = np.abs(found.weights).sum(), np.linalg.norm(V @ found.weights - Y)
    if level is None:
        assert error <= 1e-8
    else:
        value = 0.5 * error**2 + level * value
    assert value == pytest.approx(found.upper, rel=1e-9)


def test_only_a_three_layer_branch_is_turned_into_layers(
    counterexample: tuple[np.ndarray, PathGauge, PathGauge],
) -> None:
    X, *found = counterexample
    three, four = (program.atoms.U[0, 0] for program in found)
    W, w = three.layers()
    assert max(np.linalg.norm(W), np.linalg.norm(w)) <= 1 + 1e-12
    assert np.maximum(np.maximum(X @ W, 0) @ w, 0)[:, 0] == pytest.approx(three.outputs(X))
    with pytest.raises(MethodError, match="only a three-layer branch"):
        four.layers()


def test_the_tree_re_proves_its_level_and_bounds_sampled_networks() -> None:
    X, Y = data(4, 5, 2, 1)
    features = Features(X)
    found = path_gauge(features, Fit(Y[:, :1]), 4)
    assert path_level(features, found.multipliers[:, 0], found.mu, 4) == pytest.approx(1, rel=1e-9)
    rng = np.random.default_rng(0)
    for _ in range(300):
        A = X
        for width in (4, 3):
            W = rng.normal(size=(A.shape[1], width))
            A = np.maximum(A @ (W / np.linalg.norm(W)), 0)
        w = rng.normal(size=A.shape[1])
        v = np.maximum(A @ (w / np.linalg.norm(w)), 0)
        assert abs(found.multipliers[:, 0] @ v) <= 1 + 1e-9


def test_the_number_of_leaves_is_counted_right() -> None:
    assert leaves_of(3, 2, 3) == 2**3 + 2**2
    assert leaves_of(3, 2, 4) == 3**3 + 2 * 2**5 + 3**2
    assert [s.tolist() for s in subsets(np.array([1, 4]))] == [[], [1], [4], [1, 4]]


def test_pricing_is_never_exceeded_by_sampled_neurons() -> None:
    rng = np.random.default_rng(5)
    for k in (1, 3):
        X, multipliers = rng.normal(size=(7, 3)), rng.normal(size=(7, k))
        features = Features(X)
        level = features.price(multipliers, np.inf)[0][0]
        U = rng.normal(size=(3, 20_000))
        V = np.maximum(X @ (U / np.linalg.norm(U, axis=0)), 0)
        sampled = np.linalg.norm(multipliers.T @ V, axis=0).max()
        assert sampled <= level * (1 + 1e-12)
        assert sampled >= 0.98 * level


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.1, 10), st.floats(0.1, 10))
def test_d1_scales_like_y_over_x_and_ignores_order_and_rotation(
    seed: int, s: float, t: float
) -> None:
    X, Y = data(seed, 5, 2, 1)
    rng = np.random.default_rng(seed)
    base = gauge(Features(X), Fit(Y)).lower
    assert gauge(Features(s * X), Fit(t * Y)).lower == pytest.approx(base * t / s, rel=1e-6)
    order = rng.permutation(5)
    assert gauge(Features(X[order]), Fit(Y[order])).lower == pytest.approx(base, rel=1e-6)
    rotation = np.linalg.qr(rng.normal(size=(2, 2)))[0]
    assert gauge(Features(X @ rotation), Fit(Y)).lower == pytest.approx(base, rel=1e-6)


def test_programs_too_large_to_write_out_say_so() -> None:
    with pytest.raises(MethodError, match="accepted is n ≤ 6"):
        three_layer_socp(*(a if a.shape[1] > 1 else a[:, 0] for a in data(0, 7, 2, 1)))
    with pytest.raises(MethodError, match="only for n ≤ 4"):
        copositive_sdp(np.ones((5, 2)))
    with pytest.raises(MethodError, match="rank at most 3"):
        two_layer_sdp(*data(0, 6, 4, 2))
