"""The study of searches: what it proves, and the table that says so."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import yaml

from zerogap import verify
from zerogap.replication.records import read_json
from zerogap.replication.stages import search_table
from zerogap.replication.studies.search import CASES, certificate
from zerogap.replication.tables.frames import SEARCH_COLUMNS
from zerogap.solving.certificates import write_jsonl

ROOT = Path(__file__).parents[2]


def test_the_table_holds_what_the_checker_proved(tmp_path: Path) -> None:
    proof = certificate("smallest")
    refused = {**proof, "claimed": {**proof["claimed"], "primal_lower": (2.99999).hex()}}
    write_jsonl(tmp_path / "0.jsonl", [proof, refused])
    said, output = tmp_path / "verdicts.json", tmp_path / "search.csv"
    assert search_table.run(tmp_path / "0.jsonl", 1e-6, said, output) == 2
    assert [one["accepted"] for one in read_json(said)] == [True, False]
    table = pd.read_csv(tmp_path / "search.csv")
    assert list(table.columns) == SEARCH_COLUMNS
    assert table["leaves"].tolist() == [CASES["smallest"][1]["leaves"]] * 2
    assert table["certified"].tolist() == [True, False]
    assert 2.99 < table["primal_lower"][0] <= 3


@pytest.mark.parametrize(
    "name", ["gaussian-k1", pytest.param("gaussian-6", marks=pytest.mark.faults)]
)
def test_a_search_proves_a_positive_gap(name: str) -> None:
    verdict = verify(certificate(name))
    assert verdict.accepted, verdict.reason
    assert verdict.status == "positive"


def test_the_full_run_searches_every_case() -> None:
    whole = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    assert whole["search"] == list(CASES)
