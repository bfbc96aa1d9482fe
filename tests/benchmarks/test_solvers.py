"""The benchmarks measure what they say: every method answers the same problem as accurately."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pandas as pd
import pytest

from benchmarks import figure, outputs, scaling, solvers
from benchmarks.measure import measure


def test_every_method_reaches_the_accuracy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output = tmp_path / "solvers.csv"
    monkeypatch.setattr(sys, "argv", ["solvers", str(output), "--quick"])
    solvers.main()
    table = pd.read_csv(output)
    assert list(table) == solvers.COLUMNS
    exact = table[table["case"] == "interpolation"].set_index("method")
    assert set(exact.index) == {"columns", "clarabel", "scs"}
    assert exact["reason"].isna().all()
    assert (exact["error"].abs() < 1e-5).all()
    assert exact.loc["columns", "proved"] <= solvers.ACCURACY
    assert (table["seconds"] > 0).all()
    assert (table["megabytes"] > 10).all()
    large = table[table["case"] == "large"].set_index("method")
    assert 0 <= large.loc["bracket", "proved"] < 0.1

    monkeypatch.setattr(sys, "argv", ["scaling", str(tmp_path / "scaling.csv"), "--quick"])
    scaling.main()
    sizes = pd.read_csv(tmp_path / "scaling.csv")
    assert (sizes["proved"] <= solvers.ACCURACY).all()
    assert (sizes["cells"] > sizes["n"]).all()

    kept = Path(__file__).resolve().parents[2] / "results/reference/benchmarks/reach.csv"
    shutil.copy(kept, tmp_path)
    monkeypatch.setattr(sys, "argv", ["figure", str(tmp_path)])
    figure.main()
    for name in ("cost", "reach"):
        assert (tmp_path / f"{name}.png").stat().st_size > 10_000


def test_several_outputs_are_solved_and_proved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "outputs.csv"
    monkeypatch.setattr(sys, "argv", ["outputs", str(output), "--quick"])
    outputs.main()
    table = pd.read_csv(output)
    assert list(table) == outputs.COLUMNS
    assert table["reason"].isna().all() and (table["k"] == 3).all()
    assert table["proved"].between(0, solvers.ACCURACY).all()


def test_what_fails_or_takes_too_long_is_a_row_with_a_reason() -> None:
    case = solvers.QUICK[0]
    X, Y, beta = case.data()
    slow = measure(solvers.columns, X, Y, beta, case, limit=0.0)
    assert slow.answer is None
    assert "no answer" in slow.reason
    failed = measure(solvers.columns, X, Y[:-1], beta, case, limit=60.0)
    assert failed.answer is None
    assert "Error" in failed.reason
