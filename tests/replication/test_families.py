"""What every data family states of its data."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zerogap.model.errors import DataError
from zerogap.replication.claims import CLAIMS
from zerogap.replication.families import FAMILIES, generate, label_of, seed_of

Property = Callable[[], None]
PROPERTIES: dict[str, list[Property]] = {}


def states(kind: str) -> Callable[[Property], Property]:
    """A property that a family's docstring states."""

    def register(check: Property) -> Property:
        PROPERTIES.setdefault(kind, []).append(check)
        return check

    return register


def _data(kind: str, replicate: int = 0, **parameters: Any) -> tuple[np.ndarray, np.ndarray]:
    return generate({"kind": kind, **parameters}, replicate)


def _specs(kind: str) -> list[dict[str, Any]]:
    """All specifications of a kind that the registry of claims uses."""
    cases = [case for claim in CLAIMS for setting in claim.settings for case in setting.cases]
    found = {label_of(case.data): case.data for case in cases if case.data["kind"] == kind}
    return list(found.values())


def _singular_values(A: np.ndarray) -> np.ndarray:
    return np.linalg.svd(A, compute_uv=False)


def _identity(A: np.ndarray) -> None:
    np.testing.assert_allclose(A, np.eye(len(A)), rtol=0, atol=1e-12)


def _rank(*blocks: np.ndarray) -> int:
    """The rank of the blocks side by side, in rational arithmetic."""
    rows = [[Fraction(x) for x in row] for row in np.hstack(blocks).tolist()]
    rank = 0
    for column in range(len(rows[0])):
        pivot = next((i for i in range(rank, len(rows)) if rows[i][column]), None)
        if pivot is None:
            continue
        rows[rank], rows[pivot] = rows[pivot], rows[rank]
        top = rows[rank]
        for i in range(rank + 1, len(rows)):
            if factor := rows[i][column] / top[column]:
                rows[i] = [x - factor * y for x, y in zip(rows[i], top, strict=True)]
        rank += 1
    return rank


def _feasible(features: np.ndarray, Y: np.ndarray) -> None:
    """Y is in the span of the features exactly."""
    assert _rank(features, Y) == _rank(features)


@states("gaussian")
def gaussian_entries_are_independent_standard_normal() -> None:
    first, second = (_data("gaussian", n=2, d=2, k=1, draw=draw)[0] for draw in (1, 2))
    assert not np.array_equal(first, second)
    X, Y = _data("gaussian", n=400, d=30, k=20)
    assert (X.shape, Y.shape) == ((400, 30), (400, 20))
    entries = np.sort(np.concatenate([X.ravel(), Y.ravel()]))
    # Five standard errors for the mean, the variance and the correlations.
    assert abs(entries.mean()) < 5 / np.sqrt(len(entries))
    assert abs(entries.var() - 1) < 5 * np.sqrt(2 / len(entries))
    assert abs(np.mean(np.abs(entries) < 1) - 0.6827) < 5 * np.sqrt(0.22 / len(entries))
    off = np.corrcoef(np.hstack([X, Y]).T) - np.eye(50)
    assert np.abs(off).max() < 5 / np.sqrt(400)


@states("linear-map")
def linear_maps_have_the_stated_rank_and_spectrum() -> None:
    for n, d in ((12, 6), (5, 7)):
        for rank in (1, 2, 3, 4):
            for spectrum, known in (
                ("distinct", 3 * 0.6 ** np.arange(rank)),
                ("equal", [2] * rank),
            ):
                X, Y = _data("linear-map", n=n, d=d, k=4, rank=rank, spectrum=spectrum)
                A = np.linalg.pinv(X) @ Y
                np.testing.assert_allclose(X @ A, Y, rtol=0, atol=1e-10)
                # 3·0.6ⁱ is rounded to a multiple of 2⁻²⁰, 2 is exact.
                error = 1e-12 if spectrum == "equal" else 2.0**-20
                np.testing.assert_allclose(_singular_values(A)[:rank], known, rtol=0, atol=error)
                assert (_singular_values(A)[rank:] < 1e-12).all()


@states("linear-map")
def linear_maps_are_feasible_and_of_their_rank_exactly() -> None:
    for spec in _specs("linear-map"):
        for replicate in range(3):
            X, Y = generate(spec, replicate)
            _feasible(X, Y)
            assert _rank(Y) == spec["rank"]


@states("linear-map")
def linear_maps_point_in_many_directions() -> None:
    spec = {"n": 12, "d": 6, "k": 4, "rank": 2, "spectrum": "distinct"}
    images = [np.linalg.pinv(X) @ Y for X, Y in (_data("linear-map", r, **spec) for r in range(40))]
    assert len({np.round(A, 6).tobytes() for A in images}) > 35
    # Not only columns of X: on average, entries are as small as those of turned frames.
    assert np.mean([np.mean(np.abs(A) > 1e-6) for A in images]) > 0.5


@states("linear-map")
def linear_maps_of_another_spectrum_are_refused() -> None:
    with pytest.raises(DataError, match="spectrum 'flat' is unknown"):
        _data("linear-map", n=4, d=2, k=2, rank=1, spectrum="flat")


@states("orthonormal")
def orthonormal_columns_and_singular_values_of_order_one_to_ten() -> None:
    for replicate in range(5):
        X, Y = _data("orthonormal", replicate, n=12, d=6, k=4)
        _identity(X.T @ X)
        np.testing.assert_allclose(X @ X.T @ Y, Y, rtol=0, atol=1e-12)
        values = _singular_values(X.T @ Y)
        assert 0.1 < values.min() < values.max() < 20
        assert 1 < np.sqrt(np.mean((X.T @ Y) ** 2)) < 4


@states("rank-one")
def rank_one_data_are_of_rank_one_in_rational_arithmetic() -> None:
    for sides in ("both", "one"):
        X, _ = _data("rank-one", n=6, d=3, k=2, angle=40, ratio=0.6, sides=sides)
        exact = [[Fraction(entry) for entry in row] for row in X]
        pivot = exact[0]
        assert all(
            row[i] * pivot[j] == row[j] * pivot[i]
            for row in exact
            for i in range(3)
            for j in range(3)
        )
        # Factors are multiples of 2⁻¹⁰.
        assert all((entry * 2**20).denominator == 1 for row in exact for entry in row)


@states("rank-one")
def rank_one_targets_are_feasible_exactly() -> None:
    """In the span of c₊ and c₋, which is what networks put out on c aᵀ."""
    for spec in _specs("rank-one"):
        X, Y = generate(spec)
        _feasible(np.hstack([np.maximum(X, 0), np.maximum(-X, 0)]), Y)


@states("rank-one")
def rank_one_targets_have_the_stated_norms_angle_and_sides() -> None:
    for angle, ratio, sides in ((0, 0.6, "both"), (75, 0.2, "both"), (180, 1.0, "one")):
        X, Y = _data("rank-one", n=6, d=3, k=2, angle=angle, ratio=ratio, sides=sides)
        c = X[:, np.argmax(np.abs(X).max(axis=0))]
        plus, minus = (np.linalg.lstsq(np.maximum(s * c, 0)[:, None], Y, rcond=None)[0][0]
                       for s in (1, -1))  # fmt: skip
        if sides == "one":
            assert (c > 0).all() or (c < 0).all()
            assert np.linalg.matrix_rank(Y) == 1
            continue
        assert (c > 0).any() and (c < 0).any()
        lengths = np.linalg.norm([plus, minus], axis=1)
        np.testing.assert_allclose(max(lengths) * ratio, min(lengths), rtol=1e-9)
        cosine = plus @ minus / np.prod(lengths)
        np.testing.assert_allclose(cosine, np.cos(np.deg2rad(angle)), rtol=0, atol=1e-9)


@states("smallest")
def the_smallest_problem_is_one_and_minus_one() -> None:
    for array in _data("smallest"):
        assert array.tolist() == [[1.0], [-1.0]]


@states("six-points")
def six_points_are_fitted_by_one_branch_of_integers() -> None:
    X, Y = _data("six-points")
    for W in ([[2, 3, -3], [-4, 6, 1]], [[-3, 3], [6, -4], [-2, 3]], [[-5], [4]]):
        X = np.maximum(X @ np.array(W), 0)
    assert X.tolist() == Y.tolist()


@states("whitened")
def whitened_rows_are_orthonormal() -> None:
    for n, d in ((5, 7), (4, 4)):
        X, Y = _data("whitened", n=n, d=d, k=2)
        assert (X.shape, Y.shape) == ((n, d), (n, 2))
        _identity(X @ X.T)


@states("one-hot")
def one_hot_targets_have_the_stated_class_sizes_on_whitened_data() -> None:
    for sizes, extra in (((3, 2), 1), ((1, 1, 1), 0), ((4, 1, 1), 3)):
        X, Y = _data("one-hot", sizes=list(sizes), extra=extra)
        assert X.shape == (sum(sizes), sum(sizes) + extra)
        _identity(X @ X.T)
        assert Y.sum(axis=0).tolist() == list(sizes)
        assert set(np.unique(Y)) == {0, 1}
        assert (Y.sum(axis=1) == 1).all()


@states("real")
def real_data_are_standardised_and_iris_is_one_hot() -> None:
    for name, shape in (("iris", (150, 4)), ("diabetes", (442, 10))):
        X, Y = _data("real", name=name)
        assert X.shape == shape
        np.testing.assert_allclose(X.mean(axis=0), 0, atol=1e-12)
        np.testing.assert_allclose(X.std(axis=0), 1, rtol=1e-12)
        if name == "iris":
            assert Y.sum(axis=0).tolist() == [50, 50, 50]
            assert (np.sort(Y, axis=1) == [0, 0, 1]).all()
        else:
            np.testing.assert_allclose([Y.mean(), Y.std()], [0, 1], atol=1e-12)


@states("real")
def real_subsamples_are_rows_of_the_data_and_hold_every_class_evenly() -> None:
    whole, _ = _data("real", name="iris")
    for n in (4, 12, 30):
        X, Y = _data("real", name="iris", n=n)
        assert {tuple(row) for row in X} <= {tuple(row) for row in whole}
        assert len(X) == n
        assert np.ptp(Y.sum(axis=0)) <= 1
    X, _ = _data("real", name="diabetes", n=8)
    assert len(np.unique(X, axis=0)) == 8


@states("real")
def real_components_are_the_principal_ones_and_one_species_is_plus_or_minus_one() -> None:
    whole, one_hot = _data("real", name="iris")
    X, Y = _data("real", name="iris", d=2, target=1)
    np.testing.assert_allclose(_singular_values(X), _singular_values(whole)[:2], rtol=1e-12)
    assert Y[:, 0].tolist() == np.where(one_hot[:, 1] == 1, 1, -1).tolist()


@states("real")
def real_transforms_are_what_they_are_called() -> None:
    for name, rank in (("iris", 2), ("diabetes", 1)):
        X, Y = _data("real", name=name, transform="fitted")
        plain, targets = _data("real", name=name)
        np.testing.assert_allclose(X, plain, rtol=0, atol=2.0**-21)
        A = np.linalg.lstsq(X, targets, rcond=None)[0]
        np.testing.assert_allclose(np.linalg.pinv(X) @ Y, A, rtol=0, atol=2.0**-19)
        _feasible(X, Y)
        # One-hot targets add up to one, and their fits to nothing.
        assert _rank(Y) == rank
    X, _ = _data("real", name="iris", transform="orthonormal")
    _identity(X.T @ X)
    X, _ = _data("real", name="iris", n=4, transform="whitened")
    _identity(X @ X.T)
    with pytest.raises(DataError, match="transform 'rotated' is unknown"):
        _data("real", name="iris", transform="rotated")


@states("file")
def files_are_read_as_they_are() -> None:
    X, Y = np.arange(6.0).reshape(3, 2), np.ones((3, 1))
    np.savez("mine.npz", X=X, Y=Y)
    for read, written in zip(_data("file", path="mine.npz"), (X, Y), strict=True):
        np.testing.assert_array_equal(read, written)
    Path("mine.csv").write_text("a,y,b\n1,2,3\n")
    read = _data("file", path="mine.csv", targets=["y"])
    assert [array.tolist() for array in read] == [[[1.0, 3.0]], [[2.0]]]


@pytest.mark.parametrize(
    "check", [check for checks in PROPERTIES.values() for check in checks], ids=lambda c: c.__name__
)
def test_a_family_keeps_what_it_states(
    check: Property, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    check()


def test_every_registered_family_has_a_property() -> None:
    assert set(PROPERTIES) == set(FAMILIES)


# --- identity, not order --------------------------------------------------------------------------

# One specification of every kind that the registry of claims uses.
SPECS = {
    case.data["kind"]: case.data
    for claim in CLAIMS
    for setting in claim.settings
    for case in setting.cases
}
RANDOM = sorted(set(SPECS) - {"smallest", "six-points"})


@pytest.mark.parametrize("kind", sorted(SPECS))
def test_the_same_identity_gives_the_same_data_in_any_order(kind: str) -> None:
    spec = SPECS[kind]
    X, Y = generate(spec, 1)
    for other in SPECS.values():
        generate(other)
    np.random.default_rng(0).normal()
    # The order in which a specification is written is no part of it.
    again = generate(dict(reversed(spec.items())), 1)
    assert [A.tobytes() for A in again] == [X.tobytes(), Y.tobytes()]


@pytest.mark.parametrize("kind", [kind for kind in RANDOM if kind != "real"])
def test_another_replicate_is_other_data(kind: str) -> None:
    first, second = (generate(SPECS[kind], replicate)[0] for replicate in (0, 1))
    assert first.shape == second.shape
    assert not np.array_equal(first, second)


def test_data_are_the_same_in_another_process_and_after_others() -> None:
    code = (
        "from zerogap.replication.families import generate; import sys; "
        "[generate({'kind': 'gaussian', 'n': n, 'd': 2, 'k': 1}) for n in (3, 4)]; "
        "print(generate({'kind': 'whitened', 'n': 3, 'd': 4, 'k': 2}, 5)[0].tobytes().hex())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    here = generate({"kind": "whitened", "n": 3, "d": 4, "k": 2}, 5)[0]
    assert done.stdout.strip() == here.tobytes().hex()


def test_seeds_have_63_bits_and_differ_by_identity() -> None:
    seeds = {seed_of(kind, number) for kind in FAMILIES for number in range(50)}
    assert len(seeds) == 50 * len(FAMILIES)
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert max(seeds) > 2**62
    assert seed_of("a", {"x": 1, "y": 2}) == seed_of("a", {"y": 2, "x": 1})
