"""The gap table from the certificates alone."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from tests.replication import small
from zerogap.cli import main


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return small.run(tmp_path)


def compared(results: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = main(["tables", "--from", f"{results}/certificates", "--results", str(results)])
    return code, capsys.readouterr().out


def test_it_equals_the_table_on_disk(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert compared(results, capsys) == (0, "2 rows, equal to those of the table\n")


def test_a_number_that_no_certificate_proves_is_named(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = results / "tables/gaps.csv"
    gaps = pd.read_csv(path, float_precision="round_trip")
    gaps.loc[0, "dual"] *= 1.01
    gaps.to_csv(path, index=False)
    (path.parent / ".gaps.csv.sha256").unlink()
    code, said = compared(results, capsys)
    assert code == 1 and "relu-n3-d2-0-L2: dual is " in said and said.count("\n") == 1


def test_a_row_whose_certificate_is_gone_or_doubled_is_named(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = results / f"certificates/{small.SETTING}/0.jsonl"
    first, second = path.read_text().splitlines()
    path.write_text(f"{first}\n{first}\n{second}\n")
    code, said = compared(results, capsys)
    assert (code, said.count("has no certificate")) == (1, 1)
    renamed = json.loads(second)
    renamed["id"]["instance"] = "another"
    path.write_text(f"{first}\n{json.dumps(renamed)}\n")
    code, said = compared(results, capsys)
    assert code == 1 and "another has no row" in said and "has no certificate" in said
