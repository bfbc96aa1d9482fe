"""How much depth can help (§5): by a factor in the plane, without bound in four dimensions."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations, product
from math import prod

import numpy as np
import pytest

Array = np.ndarray
Tree = tuple[Array, "list[Tree]"]  # a mixture and what it mixes, or a unit neuron's weights and []

# Where Λ of two layers is 1; it is −1 at the opposites.
PLUS = [(1, -1), (-1, 0), (0, 1)]
SIX = [(e, sign) for sign in (1, -1) for e in PLUS]


def tree(rng: np.random.Generator, depth: int, d: int = 2, arity: int = 3) -> Tree:
    """A random element of V_L^path."""
    if depth == 2:
        u = rng.normal(size=d)
        return u / np.linalg.norm(u), []
    a = rng.normal(size=arity) * rng.random(arity) ** 3
    return a / np.abs(a).sum(), [tree(rng, depth - 1, d, arity) for _ in a]


def outputs(v: Tree, X: Array) -> Array:
    weights, below = v
    inputs = np.column_stack([outputs(inner, X) for inner in below]) if below else X
    return np.maximum(inputs @ weights, 0)


def moved(v: Tree, rng: np.random.Generator, length: float) -> Tree:
    weights, below = v
    new = weights + length * rng.normal(size=len(weights))
    size = np.abs(new).sum() if below else np.linalg.norm(new)
    return new / size, [moved(inner, rng, length) for inner in below]


def variation(values: Array, t: Array) -> float:
    """M of the interpolant: the variation of its slope, 0 before and after."""
    slopes = np.concatenate([[0.0], np.diff(values) / np.diff(t), [0.0]])
    return float(np.abs(np.diff(slopes)).sum())


@pytest.mark.parametrize("depth", [3, 4, 5])
def test_no_climb_finds_a_deep_function_whose_slope_varies_more_than_a_neurons(depth: int) -> None:
    rng = np.random.default_rng(depth)
    t = np.linspace(-1, 1, 201)
    segment = np.column_stack([np.ones_like(t), t])
    best = 0.0
    for _ in range(10):
        v = tree(rng, depth)
        value = variation(outputs(v, segment), t)
        for _ in range(40):
            other = moved(v, rng, 0.2)
            trial = variation(outputs(other, segment), t)
            v, value = (other, trial) if trial > value else (v, value)
        best = max(best, value)
    assert 1.5 < best <= 2 + 1e-9


def tents(X: Array, v: Tree) -> Iterator[tuple[Array, Array, float]]:
    """Three layers that take v's values at X (n, 2): first-layer columns, mixture, weight."""
    corners = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]])
    for c, value in zip(corners, outputs(v, corners), strict=True):
        yield c[:, None] / 2, np.ones(1), value
    turn = np.array([[0, -1], [1, 0]])
    for quarter in range(4):
        Q = np.linalg.matrix_power(turn, quarter)
        x, y = (X @ Q).T
        tau = np.unique([-1, 1, *(y / x)[(x > 0) & (abs(y) <= x)]])
        values = outputs(v, np.column_stack([np.ones_like(tau), tau]) @ Q.T)
        changes = np.diff(np.diff(values) / np.diff(tau))
        for t, change in zip(tau[1:-1], changes, strict=True):
            side = 1 if t >= 0 else -1
            edge, kink = (1 - abs(t)) / 2 * np.array([1, side]), np.array([-abs(t), side])
            yield Q @ np.column_stack([edge, kink]), np.array([1, -1]), -change


@pytest.mark.parametrize("depth", [3, 5])
def test_in_the_plane_three_layers_follow_any_depth_at_eighteen_times_the_cost(depth: int) -> None:
    rng = np.random.default_rng(0)
    worst = 0.0
    for _ in range(20):
        v, X = tree(rng, depth), rng.normal(size=(30, 2))
        fit, cost = np.zeros(len(X)), 0.0
        for U, mixture, weight in tents(X, v):
            fit += weight * np.maximum(np.maximum(X @ U, 0) @ mixture, 0)
            cost += abs(weight) * float(np.linalg.norm(U, axis=0).sum())
        assert fit == pytest.approx(outputs(v, X), abs=1e-12)
        worst = max(worst, cost)
    assert 1 < worst <= 12 + 4 * 2**0.5


def relu(x: Fraction) -> Fraction:
    return max(x, Fraction(0))


def deep(y: tuple[Fraction, Fraction]) -> Fraction:
    """F, that three layers make and two cannot."""
    return relu(y[0] + relu(y[1]))


def rows(
    N: int, K: int, eps: Fraction, delta: Fraction
) -> Iterator[tuple[int, int, list[Fraction], Fraction, Fraction]]:
    """i, k, a point of R⁴, its target, λ: the family of §5."""
    for i, k in product(range(1, N + 1), range(K)):
        size = delta / 2**k
        for (e, f), sign in SIX:
            y = (sign * e * size, sign * f * size)
            point = [Fraction(1), Fraction(i), eps * (i**2 + y[0]), eps * (i**3 + y[1])]
            yield i, k, point, eps * deep(y), Fraction(sign) / (N * K * eps * size)


def test_two_layers_do_not_see_what_three_fit() -> None:
    seen = {(b, c): sum(s * max(s * (b * e + c * f), 0) for (e, f), s in SIX)
            for b, c in product(range(-4, 5), repeat=2)}  # fmt: skip
    assert set(seen.values()) == {0}
    assert sum(s * deep((Fraction(s * e), Fraction(s * f))) for (e, f), s in SIX) == 1


def test_four_layers_fit_the_family_of_four_dimensions_at_a_cost_below_three() -> None:
    """In rational arithmetic; the cost is compared with 2.88, squared."""
    N, K = 14, 2
    eps, eta, delta = Fraction(1, N**6), Fraction(1, N**2), Fraction(1, 4 * N + 4)
    one, nil = Fraction(1), Fraction(0)
    steps = [[-eta * i, eta, nil, nil] for i in range(N)]  # φ(t), φ(t − x₀), …
    square = [eps / eta**2 * (2 if i else 1) for i in range(N)]
    cube = [-eps / eta * (6 * i if i else 1) for i in range(N)]
    layers = [
        [[nil, nil, one, nil], [nil, nil, nil, one], *steps],
        [[one, nil, *[nil] * N], [nil, nil, *square], [nil, one, *cube]],
        [[one, -eta, one]],
    ]
    value = nil
    for _, _, x, y, lam in rows(N, K, eps, delta):
        for layer in layers:
            x = [relu(sum((w * s for w, s in zip(row, x, strict=True)), nil)) for row in layer]
        assert x == [y]
        value += lam * y
    assert value == 1
    cost = prod(sum(w**2 for row in layer for w in row) for layer in layers)
    assert cost < Fraction(288, 100) ** 2


def test_a_hyperplane_parts_the_rows_of_three_clusters_at_most() -> None:
    """All determinants of four vertices of four clusters are positive, in integers."""
    scale = 36  # 1/δ for eight i; rows of smaller k lie in the hull of these
    vertices = np.array(
        [
            [(1, i, i**2 * scale + s * e, i**3 * scale + s * f) for (e, f), s in SIX]
            for i in range(1, 9)
        ],
        dtype=object,
    )
    for four in combinations(vertices, 4):
        shaped = [
            v[tuple(slice(None) if s == t else None for s in range(4))] for t, v in enumerate(four)
        ]
        total = 0
        for x, y in combinations(range(4), 2):  # Laplace, by two rows
            z, w = (j for j in range(4) if j not in (x, y))
            a, b, c, d = shaped
            minors = a[..., x] * b[..., y] - a[..., y] * b[..., x]
            minors = minors * (c[..., z] * d[..., w] - c[..., w] * d[..., z])
            total = total + (-1) ** (x + y + 1) * minors
        assert np.min(total) > 0


def test_three_layers_stay_below_their_level_on_the_family() -> None:
    """Climbs from branches that are F at two clusters: none is above what it is allowed."""
    N, K, eps, delta = 10, 4, 1e-3, 1 / 64
    data = list(rows(N, K, Fraction(1, 1000), Fraction(1, 64)))
    X = np.array([[float(entry) for entry in x] for _, _, x, _, _ in data])
    lam = np.array([float(entry) for *_, entry in data])
    centres = np.array([(1.0, i, eps * i**2, eps * i**3) for i in range(1, N + 1)])
    rng, nearest = np.random.default_rng(0), 0.0

    def level(U: Array, a: Array) -> float:
        """λ on the branch; it is checked against what the branch is allowed."""
        U, a = U / np.linalg.norm(U, axis=0), a / np.abs(a).sum()
        signs = (X @ U > 0).reshape(N, -1, len(a))
        parted = signs.any(axis=1) & ~signs.all(axis=1)
        assert parted.sum(axis=0).max() <= 3
        value = abs(float(lam @ np.maximum(np.maximum(X @ U, 0) @ a, 0)))
        assert value <= (2 + 2**0.5) * (parted @ np.abs(a)).mean() + 2**0.5 / K
        return value

    for _ in range(40):
        # Two hyperplanes through the same two clusters make F there, a third parts three others.
        pair = centres[rng.choice(N, 2, replace=False)]
        first, second = np.linalg.svd(pair)[2][2:]
        third = np.linalg.svd(centres[rng.choice(N, 3, replace=False)])[2][-1]
        turn = rng.normal(size=(2, 2))
        line, bend = turn @ np.array([first, second])
        U = np.column_stack([line, -line, bend, third]).astype(float)
        U /= np.linalg.norm(U, axis=0)
        a = np.array([1, -1, rng.choice([1, -1]), 0.1])
        best = level(U, a)
        for _ in range(60):
            size = 2.0 ** -rng.integers(0, 6)
            bumps = eps * delta * size * rng.normal(size=U.shape), 0.3 * size * rng.normal(size=4)
            value = level(U + bumps[0], a + bumps[1])
            if value > best:
                U, a, best = U + bumps[0], a + bumps[1], value
        nearest = max(nearest, best)
    assert nearest > 0.03


def test_where_no_cluster_is_parted_one_neuron_comes_near_what_is_allowed() -> None:
    """(20a − 21b)/29 less its interpolant, at all clusters at once; its cost is 1 as ε → 0."""
    N, K, eps, delta = 10, 4, Fraction(1, 2**60), Fraction(1, 64)
    b, low = (Fraction(20, 29), Fraction(-21, 29)), Fraction(20, 29)  # low = −b·e₂
    offset = 4 * eps * N**3  # keeps the neuron's input positive on all rows
    shift = -eps * delta * low / 2 ** (K - 1)
    value = Fraction(0)
    for _, _, x, _, lam in rows(N, K, eps, delta):
        z = relu(offset * x[0] + b[0] * x[2] + b[1] * x[3]) + (shift - offset) * relu(x[0])
        for i in range(N):
            bend = eps * (b[0] * (2 if i else 1) + b[1] * (6 * i if i else 1))
            z -= bend * relu(x[1] - i * x[0])
        value += lam * relu(z)
    assert value == 2 * low * (1 - Fraction(1, 2**K)) / K
    assert 0.9 * 2**0.5 < value * K <= 2**0.5


def test_a_blow_up_loses_a_layer() -> None:
    """Where a three-layer function bends on the curve, Λ sees two layers; on the lift it sees F."""
    rng = np.random.default_rng(1)
    r, bends = 1e-6, 0
    six = np.array([(0, 0, s * e, s * f) for (e, f), s in SIX])
    signs = np.array([s for _, s in SIX])
    for _ in range(60):
        v = tree(rng, 3, d=4, arity=6)
        mix, below = v

        def inner(t: float, mix: Array = mix, below: list[Tree] = below) -> float:
            point = np.array([[1.0, t, t**2, t**3]])
            return float(sum(w * outputs(b, point)[0] for w, b in zip(mix, below, strict=True)))

        low, high = 0.0, 1.0
        if inner(low) * inner(high) >= 0:
            continue
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if inner(low) * inner(middle) > 0 else (low, middle)
        bends += 1
        at = np.array([1.0, low, low**2, low**3])
        assert abs(signs @ outputs(v, at + r * six)) / r < 1e-6
    assert bends >= 10
    assert signs @ [deep((Fraction(y[2]), Fraction(y[3]))) for y in six] == 1
