"""The stages when a method fails: recorded per problem, retried, never dropped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from zerogap import Problem, training, verify
from zerogap.checker.files import read_jsonl
from zerogap.convex import columns as generation
from zerogap.convex import conic
from zerogap.model.errors import MethodError
from zerogap.replication.claims import batch as expanded
from zerogap.replication.claims import instances
from zerogap.replication.stages import certify, collect, generate, solve_dual
from zerogap.replication.stages import train as train_stage
from zerogap.replication.stages import verify as verify_stage
from zerogap.replication.tables import scoreboard
from zerogap.replication.tables.frames import read
from zerogap.solving import certificates as certificates
from zerogap.solving.methods import columns, moments
from zerogap.solving.solver import solve
from zerogap.training import Training, TrainingOptions, train

SETTING = "two-layer-relu"
OPTIONS = {"replicates": 1, "restarts": 2, "cases": ["relu-n3-d2", "relu-n4-d2"]}


def quick(problems: list[Problem], seeds: list[int], _: TrainingOptions) -> list[Training]:
    return train(problems, seeds, TrainingOptions(restarts=2, steps=40, polish_steps=0))


@pytest.fixture(autouse=True)
def training_is_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zerogap.replication.stages.train.train", quick)


def run(
    folder: Path, options: dict[str, Any] = OPTIONS, size: int = 10
) -> tuple[pd.DataFrame, pd.Series]:
    """All stages, `size` problems a batch: the gap table and the claim's row of the scoreboard."""
    count = len(instances(SETTING, options))
    batches = range(-(-count // size))
    for batch in batches:
        place = f"{SETTING}/{batch}"
        data, primal, dual = (folder / f"{kind}/{batch}.npz" for kind in ("data", "primal", "dual"))
        proofs = folder / f"certificates/{batch}.jsonl"
        digest = expanded(SETTING, options, batch, size)[1]
        generate.run(SETTING, options, batch, size, digest, data)
        train_stage.run(data, primal)
        solve_dual.run(data, dual)
        certify.run(data, primal, dual, 1e-6, proofs, folder / f"gaps/{place}.json")
        verify_stage.run(proofs, 1e-6, folder / f"verdicts/{place}.json")
    (folder / "batches.txt").write_text("\n".join(f"{SETTING}/{batch}" for batch in batches))
    assert collect.run(folder / "batches.txt", folder) == count
    gaps = read(folder / "tables", "gaps.csv")
    assert len(gaps) == count
    return gaps, scoreboard.scoreboard(folder / "tables", 1e-6).iloc[0]


def failing(error: Exception, only: Callable[..., bool] = lambda *_: True) -> Callable[..., Any]:
    def method(*arguments: Any, **_: Any) -> None:
        if only(*arguments):
            raise error

    return method


def test_where_nothing_fails_every_problem_is_solved_without_a_reason(tmp_path: Path) -> None:
    gaps, claim = run(tmp_path)
    assert gaps["status"].tolist() == ["solved", "solved"]
    assert gaps["reason"].isna().all()
    assert claim["verdict"] == "replicated"
    assert "retried" not in claim["evidence"]


FAILURES = {
    "fails": (MethodError("the conic solver stopped with status NumericalError"), "the conic"),
    "times out": (TimeoutError("5 s"), "TimeoutError: 5 s"),
    "stumbles": (np.linalg.LinAlgError("SVD did not\nconverge"), "LinAlgError: SVD did not conv"),
    "runs out of memory": (MemoryError(), "MemoryError:"),
}


@pytest.mark.parametrize(("error", "reason"), FAILURES.values(), ids=FAILURES)
def test_a_dual_solver_that_fails_is_followed_by_the_next_method_and_the_problem_is_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str
) -> None:
    for method in (columns, moments):
        monkeypatch.setattr(method, "gauge", failing(error))
    gaps, claim = run(tmp_path)
    assert gaps["status"].tolist() == ["retried", "retried"]
    assert gaps["reason"].str.startswith(f"dual: {reason}"[:40]).all()
    assert gaps["dual_method"].tolist() == ["spectral bound"] * 2
    assert gaps["certified"].all()
    assert gaps["verdict"].tolist() == ["open", "open"]
    assert claim["verdict"] == "not replicated"
    assert claim["evidence"].endswith("2 open, 2 retried")


def test_an_answer_that_is_not_a_number_is_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nonsense(V: np.ndarray, Y: np.ndarray, *_: Any) -> tuple[np.ndarray, np.ndarray]:
        return np.full_like(Y, np.nan), np.full((V.shape[1], Y.shape[1]), np.nan)

    monkeypatch.setattr("zerogap.convex.columns.master", nonsense)
    gaps, _ = run(tmp_path)
    assert gaps["status"].tolist() == ["retried", "retried"]
    assert gaps["certified"].all()


@pytest.mark.parametrize("status", ["MaxTime", "NumericalError", "PrimalInfeasible"])
def test_a_conic_solver_without_an_answer_says_so(
    monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    class Solver:
        def __init__(self, *_: object) -> None:
            self.status, self.x, self.z = status, [0.0], [0.0]

        def solve(self) -> Solver:
            return self

    monkeypatch.setattr(conic.clarabel, "DefaultSolver", Solver)
    with pytest.raises(MethodError, match=f"stopped with status {status}"):
        conic.minimise(np.eye(1), np.ones(1), np.eye(1), np.ones(1), [])


def test_an_inaccurate_answer_only_weakens_the_bracket(monkeypatch: pytest.MonkeyPatch) -> None:
    accurate = generation.master

    def inaccurate(*arguments: Any) -> Any:
        multipliers, weights, *rest = accurate(*arguments)
        return multipliers * 1.5 + 0.01, weights * 1.01, *rest

    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(4, 2)), rng.normal(size=(4, 1))
    problem = Problem(X, Y, activation="relu", architecture="parallel", depth=2)
    exact = solve(problem)
    monkeypatch.setattr(generation, "master", inaccurate)
    bounds = solve(problem, restarts=0)
    assert verify(bounds.certificate).accepted
    assert bounds.dual <= exact.primal * (1 + 1e-9)
    assert bounds.primal >= exact.dual * (1 - 1e-9)


def test_a_problem_that_breaks_its_training_batch_costs_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, _ = run(tmp_path / "whole")

    def breaks(problems: list[Problem], *rest: Any) -> Any:
        if any(problem.n == 3 for problem in problems):
            raise RuntimeError("eigh did not converge")
        return quick(problems, *rest)

    monkeypatch.setattr("zerogap.replication.stages.train.train", breaks)
    gaps, claim = run(tmp_path / "broken")
    assert gaps["status"].tolist() == ["retried", "solved"]
    assert gaps["reason"][0] == "training: RuntimeError: eigh did not converge"
    assert gaps["verdict"].tolist() == ["zero", "zero"]
    assert gaps["primal"].tolist() == whole["primal"].tolist()
    assert claim["evidence"].endswith("1 retried")


def test_diverged_training_is_named_and_theory_gives_the_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nowhere(shape: Any, X: np.ndarray, restarts: int, seed: int) -> np.ndarray:
        return np.full((restarts, sum(shape.sizes)), np.nan)

    monkeypatch.setattr(training.run, "initial", nowhere)
    gaps, _ = run(tmp_path)
    assert gaps["status"].tolist() == ["retried", "retried"]
    assert gaps["reason"].tolist() == ["training: none of 2 runs interpolates"] * 2
    assert gaps["verdict"].tolist() == ["zero", "zero"]
    rows = read(tmp_path / "tables", "training.csv")
    assert rows["best"].isna().all()


def test_without_any_network_a_problem_has_failed_and_stays_in_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = failing(RuntimeError("no training"))
    monkeypatch.setattr("zerogap.replication.stages.train.train", failed)
    failed = failing(MethodError("no construction"))
    monkeypatch.setattr(solve_dual, "constructions", failed)
    gaps, claim = run(tmp_path)
    assert gaps["status"].tolist() == ["failed", "failed"]
    assert gaps["verdict"].tolist() == ["open", "open"]
    assert gaps["primal"].isna().all()
    assert not gaps["certified"].any()
    for part in ("construction: no construction", "training: RuntimeError: no training"):
        assert gaps["reason"].str.contains(part).all()
    assert (claim["verdict"], claim["evidence"]) == ("not replicated", "2 failed")
    assert not read_jsonl(tmp_path / "certificates/0.jsonl")


def test_one_failed_problem_keeps_a_claim_from_being_replicated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = certificates.build

    def fails_once(problem: Problem, *arguments: Any, **options: Any) -> Any:
        if problem.n == 3:
            raise MethodError("no certificate holds this network")
        return build(problem, *arguments, **options)

    monkeypatch.setattr("zerogap.solving.bracket.build", fails_once)
    gaps, claim = run(tmp_path)
    assert gaps["status"].tolist() == ["failed", "solved"]
    assert gaps["reason"][0] == "bracket: no certificate holds this network"
    assert claim["verdict"] == "replicated under a measured condition"
    assert "1 open, 1 failed" in claim["evidence"]


def test_a_refused_certificate_is_open_with_the_checkers_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = certificates.build

    def too_good(*arguments: Any, claimed: dict[str, float], **options: Any) -> Any:
        return build(*arguments, claimed=claimed | {"dual": 2 * claimed["dual"]}, **options)

    monkeypatch.setattr("zerogap.solving.bracket.build", too_good)
    gaps, claim = run(tmp_path)
    assert gaps["status"].tolist() == ["refused", "refused"]
    assert gaps["reason"].str.startswith("certificate: claimed.dual is ").all()
    assert gaps["verdict"].tolist() == ["open", "open"]
    assert claim["evidence"] == "2 refused"


def test_tables_and_certificates_do_not_depend_on_how_problems_are_batched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def shorter(problems: list[Problem], seeds: list[int], given: TrainingOptions) -> Any:
        return train(problems, seeds, replace(given, steps=400, polish_steps=200))

    monkeypatch.setattr("zerogap.replication.stages.train.train", shorter)
    # Nine problems of three shapes, which share tensor programs where they share a batch.
    cases = ["relu-n3-d2", "relu-n4-d2", "relu-n5-d2-k2"]
    options = {"replicates": 3, "restarts": 3, "cases": cases}
    made = []
    for size in (1, 7, 9):
        folder = tmp_path / str(size)
        run(folder, options, size)
        scoreboard.write(folder / "tables", 1e-6)
        files = sorted((folder / "tables").iterdir())
        proofs = [b.read_bytes() for b in sorted((folder / "certificates").glob("[!.]*"))]
        made.append(({file.name: file.read_bytes() for file in files}, b"".join(proofs)))
    assert made[0][0].keys() >= {"gaps.csv", "training.csv", "details.csv", "claims.csv"}
    assert made[0] == made[1] == made[2]
