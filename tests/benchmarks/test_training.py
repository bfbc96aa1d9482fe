"""The training benchmark writes what it promises, and compares like with like."""

from __future__ import annotations

import pandas as pd

from benchmarks.training import COLUMNS, METHODS, TOLERANCE, main


def test_every_method_solves_to_the_same_accuracy(tmp_path):
    output = tmp_path / "training.csv"
    assert main([str(output), "--quick"]) == 0
    rows = pd.read_csv(output)
    assert list(rows.columns) == COLUMNS
    assert list(rows.method) == list(METHODS)
    assert (rows.accuracy <= TOLERANCE).all()
    assert (rows.throughput > 0).all()
    alone = rows[rows.method.str.startswith("torch")]
    assert alone.ratio.max() == 1
