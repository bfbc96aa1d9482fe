"""Both sides of every problem joined: its certificate, and its row of the gap table."""

from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np

from zerogap.checker.statement import digest
from zerogap.model.bounds import Bounds, PrimalBound
from zerogap.model.errors import attempt
from zerogap.model.network import Network
from zerogap.model.problem import Problem
from zerogap.replication.records import read_batch, write_json
from zerogap.replication.rows import Given, Record, Row, Solved, Trained
from zerogap.replication.sealed import sealing
from zerogap.solving.bidual import Bidual
from zerogap.solving.bracket import Candidate, assemble
from zerogap.solving.certificates import write_jsonl
from zerogap.theory.linear import linear_map


def run(
    data: Path, primal: Path, dual: Path, tolerance: float, certificates: Path, output: Path
) -> int:
    """Write certificates and rows of a batch; a problem without a bracket has a row only."""
    rows, proofs = [], []
    for given, trained, solved in zip(
        read_batch(data, Given), read_batch(primal, Trained), read_batch(dual, Solved), strict=True
    ):
        row, proof = _certified(given, trained, solved, tolerance)
        rows.append(vars(row))
        proofs += [proof] if proof is not None else []
    with sealing(certificates, "certify") as temporary:
        write_jsonl(temporary, proofs)
    write_json(output, rows, "certify")
    return len(rows)


def _certified(given: Given, trained: Trained, solved: Solved, tolerance: float) -> tuple[Row, Any]:
    """The row of a problem, and its certificate or None."""
    problem = given.problem
    candidates = _candidates(given, trained, solved)
    failures = [*solved.failures, *([trained.failure] if trained.failure else [])]
    theorem = PrimalBound(**solved.theorem) if solved.theorem else None
    bounds: Bounds | None = None if not solved.bound else attempt(
        failures, "bracket", assemble, problem, Bidual.of(solved.bound), candidates,
        theorem, tolerance, given.identity,
    )  # fmt: skip
    row = Row(
        claim=given.claim,
        setting=given.setting,
        instance=given.name,
        problem=digest(problem),
        seed=given.seed,
        architecture=given.architecture,
        activation=given.activation,
        regularizer=given.regularizer,
        depth=given.depth,
        beta=given.beta,
        n=problem.n,
        d=problem.d,
        k=problem.k,
        rank=problem.rank,
        data=given.data_label,
        paper=given.paper,
        holds=given.holds,
        branches_allowed=given.branches,
        tags=given.tags,
        seconds_primal=trained.seconds,
        seconds_dual=solved.seconds,
        curve=trained.curve,
        trained=_trained(trained),
        constructed={
            c.method: c.network.objective(problem) for c in candidates if c.method != "training"
        },
        status="failed" if not bounds else "retried" if failures else "solved",
        reason="; ".join(failures),
        **(_bracket(problem, bounds, candidates) if bounds else {}),
    )
    return row, bounds.certificate if bounds else None


def _candidates(given: Given, trained: Trained, solved: Solved) -> list[Candidate]:
    """The networks that may bound P from above: theory's, of as many branches as allowed, first."""
    found = [Candidate(Network.of(c["network"]), c["method"]) for c in solved.candidates]
    if given.branches is not None:
        found = [c for c in found if len(c.network.branches) <= given.branches]
    if trained.network is not None and np.isfinite(trained.value):
        found.append(Candidate(Network.of(trained.network), "training"))
    return found


def _trained(trained: Trained) -> Record:
    """What the tables say of training."""
    network = trained.network if np.isfinite(trained.value) else None
    return {
        "best": trained.value,
        "median": float(np.median(trained.values)) if len(trained.values) else np.inf,
        "values": trained.values,
        "error": trained.error,
        "restarts": len(trained.values),
        "ranks": Network.of(network).ranks() if network else None,
    }


def _bracket(problem: Problem, bounds: Bounds, candidates: list[Candidate]) -> Record:
    """The fields of a row that need a bracket."""
    best = min(candidates, key=lambda c: c.network.objective(problem)).network
    fields: Record = {
        "primal": bounds.primal,
        "primal_method": bounds.primal_method,
        "dual": bounds.dual,
        "dual_method": bounds.dual_method,
        "exact_primal": bounds.exact_primal,
        "exact_dual": bounds.exact_dual,
        "primal_lower": bounds.primal_lower,
        "dual_upper": bounds.dual_upper,
        "branches": len(best.branches),
        "width": best.width,
        "ranks": best.ranks(),
    }
    if problem.activation == "linear":
        values = np.linalg.svd(_map_of(best), compute_uv=False)
        fields["singular_values"] = values
        fields["rank_map"] = int(np.sum(values > 1e-6))
        fields["singular_values_data"] = linear_map(problem)[1]
    return fields


def _map_of(network: Network) -> Any:
    """The linear map Σ_j W_{1,j}…W_{L,j} of a linear network."""
    return sum(reduce(np.matmul, branch) for branch in network.branches)
