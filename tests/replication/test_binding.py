"""A row is certified by the one certificate of its own problem, and by nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from zerogap.replication.rows import Proved, Row
from zerogap.replication.tables.gaps import gather

ROW = Row(
    claim="c", setting="s", instance="i", problem="abc", seed=1, architecture="standard",
    activation="relu", regularizer="weight_decay", depth=3, beta=None, n=2, d=1, k=1, rank=1,
    data="d", paper="zero", holds=True, branches_allowed=None, tags={},
    seconds_primal=None, seconds_dual=None, curve=None, constructed={}, status="solved", reason="",
    trained={"best": None, "median": None, "values": [], "error": None, "restarts": 0,
             "ranks": None},
    primal=3.0, dual=2.0,
)  # fmt: skip
PROOF = Proved(
    claim="c", setting="s", instance="i", accepted=True, reason="proved", primal=3.0000001,
    dual=1.9999999, primal_lower=2.9, dual_upper=2.1, deeper_upper=None, status="positive",
    epsilon=0.0,
    problem="abc",
)  # fmt: skip


def row(folder: Path, *verdicts: Proved) -> pd.Series:
    gather([ROW], list(verdicts), folder)
    return pd.read_csv(folder / "gaps.csv").iloc[0]


def test_the_numbers_of_a_certified_row_are_those_of_the_verdict(tmp_path: Path) -> None:
    found = row(tmp_path, PROOF)
    assert found["certified"] and found["verdict"] == "positive"
    assert (found["primal"], found["dual"]) == (PROOF.primal, PROOF.dual)
    assert found["relative_gap"] == pytest.approx(1 - PROOF.dual / PROOF.primal)


REFUSED = {
    "states another problem": [replace(PROOF, problem="another")],
    "bear this id": [PROOF, PROOF],
    "too large": [replace(PROOF, accepted=False, reason="too large")],
}


@pytest.mark.parametrize("reason", REFUSED)
def test_no_other_certificate_certifies_it(tmp_path: Path, reason: str) -> None:
    found = row(tmp_path, *REFUSED[reason])
    assert not found["certified"] and found["verdict"] == "open"
    assert found["status"] == "refused" and reason in found["reason"]
    assert found["primal"] == ROW.primal


def test_a_certificate_under_another_id_certifies_nothing_here(tmp_path: Path) -> None:
    found = row(tmp_path, replace(PROOF, setting="elsewhere"))
    assert not found["certified"] and found["verdict"] == "open" and found["status"] == "solved"


def test_a_verdict_that_holds_only_up_to_epsilon_says_so_in_its_row(tmp_path: Path) -> None:
    found = row(tmp_path, replace(PROOF, status="positive up to ε", epsilon=2e-16))
    assert found["certified"] and found["verdict"] == "positive"
    assert found["reason"] == "positive up to ε = 2.0e-16"
