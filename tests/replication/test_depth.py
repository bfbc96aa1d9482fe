"""Three layers against the path program of four: brackets, ascent, rows."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from zerogap.checker import verify
from zerogap.replication.families import seed_of
from zerogap.replication.studies.depth import (
    DIFFERS,
    EXAMPLE_X,
    EXAMPLES,
    ascend,
    certificate,
    compare,
    study,
)
from zerogap.replication.studies.depth import example as example_of
from zerogap.replication.tables.depth import write
from zerogap.replication.tables.frames import DEPTH_COLUMNS
from zerogap.solving.certificates import matrix


def test_four_unshared_layers_never_cost_more_than_three() -> None:
    rng = np.random.default_rng(3)
    for n, d in ((3, 2), (5, 2), (4, 3)):
        found = compare(rng.normal(size=(n, d)), rng.normal(size=n))
        assert found.four.lower <= found.three.upper * (1 + 1e-9)
        assert found.lower <= found.upper
        assert found.four.upper <= found.three.upper


def test_the_network_of_an_upper_bound_interpolates_at_its_cost() -> None:
    rng = np.random.default_rng(0)
    for _ in range(4):
        X, y = rng.normal(size=(6, 3)), rng.normal(size=6)
    found = compare(X, y)
    assert found.lower > DIFFERS
    for side in (found.three, found.four):
        outputs = sum(w * b.outputs(X) for b, w in zip(side.atoms.U[0], side.weights, strict=True))
        assert outputs == pytest.approx(y, abs=1e-7)
        assert np.abs(side.weights).sum() == pytest.approx(side.upper)


def test_an_optimum_on_a_wall_of_the_orthants_is_proved_by_branches_from_around_it() -> None:
    # Optimal multipliers with two zeros, and a start from which the best neighbour is not opposite.
    for n, replicate in ((6, 33), (5, 6)):
        rng = np.random.default_rng(seed_of("depth-study", "random", n, 2, replicate))
        found = compare(rng.normal(size=(n, 2)), rng.normal(size=n))
        for side in (found.three, found.four):
            assert side.upper == pytest.approx(side.lower, rel=1e-6)


def test_an_ascent_climbs_and_never_descends() -> None:
    rng = np.random.default_rng(0)
    for _ in range(4):
        X, y = rng.normal(size=(6, 3)), rng.normal(size=6)
    start = compare(X, y)
    heights = [ascend(start, np.random.default_rng(1), steps).lower for steps in (0, 2, 14)]
    assert start.lower == heights[0] <= heights[1] < heights[2]


def test_a_study_is_a_function_of_its_options_and_proves_every_difference() -> None:
    rows, proofs = study(6, 2, random=2, ascents=1, steps=1)
    assert (rows, proofs) == study(6, 2, random=2, ascents=1, steps=1)
    columns = {*DEPTH_COLUMNS, "problem"}
    assert [set(row) | {"certified"} for row in rows] == [columns] * 5
    differing = [row["id"] for row in rows if row["relative_lower"] > DIFFERS]
    assert [proof["id"]["instance"] for proof in proofs] == differing != []
    for proof in proofs:
        verdict = verify(proof)
        assert verdict.accepted, verdict.reason
        assert verdict.deeper_upper < verdict.dual


@pytest.mark.parametrize(
    ("name", "y", "squares", "share"),
    [
        ("four-layers", [4, 54, 0, 48, 840, 72], 75 * 83 * 41, 0.02802),
        (
            "four-layers-steep",
            [44930160, 323844048, 0, 167491248, 4710766896, 1258476816],
            229737 * 176769 * 109044,
            0.07087,
        ),
    ],
)
def test_a_four_layer_network_costs_less_than_any_three_layer_one(
    name: str, y: list[int], squares: int, share: float
) -> None:
    found, (X, network) = example_of(name), EXAMPLES[name]
    assert network.outputs(X)[:, 0].tolist() == y
    assert found.four.upper == pytest.approx(np.sqrt(squares))
    assert found.lower == pytest.approx(share, abs=1e-5)
    proof = certificate(found, name, network)
    verdict = verify(proof)
    assert verdict.accepted, verdict.reason
    assert 1 - verdict.deeper_upper / verdict.dual == pytest.approx(found.lower, rel=1e-6)
    first = proof["deeper"]["branches"][0]
    first[0] = matrix(2 * network.branches[0][0])
    assert "deeper" in verify(proof).reason


def test_three_layers_never_reach_the_dual_level_of_the_example() -> None:
    # A second, independent look at the bound: no random branch exceeds c₃(λ) ≤ 1.
    found = example_of()
    rng = np.random.default_rng(0)
    W1 = rng.normal(size=(20_000, 2, 6))
    w2 = rng.normal(size=(20_000, 6, 1))
    hidden = np.maximum(EXAMPLE_X @ W1, 0)
    outputs = np.maximum(hidden @ w2, 0)[:, :, 0]
    size = np.linalg.norm(W1, axis=(1, 2)) * np.linalg.norm(w2, axis=(1, 2))
    values = np.abs(outputs @ found.three.multipliers[:, 0]) / size
    assert 0.1 < values.max() <= 1 + 1e-9


def test_the_table_believes_only_the_one_certificate_of_a_rows_own_data(tmp_path: Path) -> None:
    rows, proofs = study(6, 2, random=0, ascents=0, steps=0)
    proof, name = verify(proofs[0]), rows[0]["id"]
    trivial = replace(proof, deeper_upper=math.inf)
    foreign = replace(proof, problem="another")
    tables = []
    for number, verdicts in enumerate(([proof], [trivial], [foreign], [proof, proof], [])):
        write(rows, {name: verdicts}, tmp_path / f"{number}.csv")
        tables.append(pd.read_csv(tmp_path / f"{number}.csv").iloc[0])
    assert [bool(table["certified"]) for table in tables] == [True, False, False, False, False]
    assert tables[0]["relative_lower"] == 1 - proof.deeper_upper / proof.dual


def test_seeds_are_whole_numbers_where_some_rows_have_none(tmp_path: Path) -> None:
    rows, _ = study(6, 2, random=1, ascents=0, steps=0)
    write(rows, {}, tmp_path / "depth.csv")
    seeds = [line.split(",")[3] for line in (tmp_path / "depth.csv").read_text().splitlines()[1:]]
    assert seeds == ["", "", str(seed_of("depth-study", "random", 6, 2, 0))]
