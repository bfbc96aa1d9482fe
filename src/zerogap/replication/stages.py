"""The stages of the replication, one function each: files in, files out (console: zerogap-stage).

generate → (train, solve_dual) → certify → verify → collect → tables, figures, paper; beside them
depth-study → depth-table, search → search-table. A stage reads the files of the stages before it
and nothing else, and every file is written whole or not at all.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zerogap.model.errors import ZerogapError, what_failed
from zerogap.replication.records import read_batch, read_json, write_batch, write_json
from zerogap.replication.sealed import require_intact

if TYPE_CHECKING:
    from zerogap.model.network import Network
    from zerogap.model.problem import Problem
    from zerogap.training import TrainingOptions

# --- generate ---------------------------------------------------------------------------------


def generate(
    setting: str, options: dict[str, Any], batch: int, batch_size: int, output: Path
) -> int:
    """Write the data and the options of one batch of a setting's problems."""
    from zerogap.replication.claims import instances
    from zerogap.replication.families import generate as make

    chosen = instances(setting, options)[batch * batch_size : (batch + 1) * batch_size]
    records = []
    for instance in chosen:
        X, Y = make(instance.data, instance.replicate)
        records.append(
            {**asdict(instance), "seed": instance.seed, "data_label": instance.data_label}
            | {"X": X, "Y": Y, "timings": bool(options.get("timings"))}
        )
    write_batch(output, records)
    return len(records)


def problem_of(record: dict[str, Any]) -> Problem:
    """The problem of a data record."""
    from zerogap.model.problem import Problem

    return Problem(
        record["X"],
        record["Y"],
        activation=record["activation"],
        architecture=record["architecture"],
        depth=record["depth"],
        regularizer=record["regularizer"],
        beta=record["beta"],
    )


# --- train ------------------------------------------------------------------------------------


def train(data: Path, output: Path) -> int:
    """Train every problem of a batch; problems of one shape and effort share a tensor program."""
    import torch

    from zerogap.training import TrainingOptions

    torch.set_num_threads(1)
    records = read_batch(data)
    groups: dict[tuple[int, int, int | None], list[int]] = {}
    for i, record in enumerate(records):
        effort = record["restarts"], record["polish_steps"], record["branches"]
        groups.setdefault(effort, []).append(i)
    results: list[dict[str, Any]] = [{} for _ in records]
    for (restarts, polish_steps, branches), members in groups.items():
        started = time.perf_counter()
        trained = _trained(
            [problem_of(records[i]) for i in members],
            [records[i]["seed"] for i in members],
            TrainingOptions(restarts=restarts, branches=branches, polish_steps=polish_steps),
        )
        seconds = (time.perf_counter() - started) / len(members)
        for i, result in zip(members, trained, strict=True):
            timed = seconds if records[i].get("timings") else None
            results[i] = {"instance": records[i]["name"], **result, "seconds": timed}
    write_batch(output, results)
    return len(results)


def _trained(
    problems: list[Problem], seeds: list[int], options: TrainingOptions
) -> list[dict[str, Any]]:
    """Training records, one per problem; where a group fails, each of its problems by itself."""
    import numpy as np

    from zerogap.training import train as run

    try:
        trained = run(problems, seeds, options)
    except Exception as error:  # one problem must not cost the others
        if len(problems) > 1:
            return [
                record
                for problem, seed in zip(problems, seeds, strict=True)
                for record in _trained([problem], [seed], options)
            ]
        nothing = np.full(options.restarts, np.inf)
        record = {"network": None, "value": np.inf, "error": np.inf, "values": nothing}
        return [record | {"curve": None, "failure": what_failed("training", error)}]
    lost = f"training: none of {options.restarts} runs "
    lost += "interpolates" if problems[0].beta is None else "stays finite"
    return [
        {
            "network": training.network.record(),
            "value": training.value,
            "error": training.error,
            "values": training.values,
            "curve": training.curve,
            "failure": None if np.isfinite(training.value) else lost,
        }
        for training in trained
    ]


# --- solve the dual -----------------------------------------------------------------------------


def solve_dual(data: Path, output: Path) -> int:
    """Bracket every dual value of a batch and build the networks that theory gives."""
    from zerogap.solving.constructions import conjectured_primal, constructions, primal_theorem
    from zerogap.solving.dual import bidual

    results = []
    for record in read_batch(data):
        problem = problem_of(record)
        started = time.perf_counter()
        failures: list[str] = []
        theorem = _attempt(failures, "theorem", primal_theorem, problem)
        conjectured = _attempt(failures, "conjecture", conjectured_primal, problem)
        dual = _attempt(failures, "dual", bidual, problem)
        built = _attempt(failures, "construction", constructions, problem, dual) if dual else None
        results.append(
            {
                "instance": record["name"],
                "theorem": asdict(theorem) if theorem else None,
                "conjectured": conjectured,
                "bound": dual and dual.record(),
                "candidates": [
                    {"network": c.network.record(), "method": c.method} for c in built or []
                ],
                "failures": [*(dual.failures if dual else ()), *failures],
                "seconds": time.perf_counter() - started if record.get("timings") else None,
            }
        )
    write_batch(output, results)
    return len(results)


def _attempt(failures: list[str], step: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """What a step returns, or None with its failure noted: a problem must not cost the batch."""
    try:
        return function(*arguments)
    except Exception as error:  # solvers fail in their own ways
        failures.append(what_failed(step, error))
        return None


# --- certify ------------------------------------------------------------------------------------


def certify(
    data: Path, primal: Path, dual: Path, tolerance: float, certificates: Path, output: Path
) -> int:
    """Join both sides of every problem: its certificate and its row of the gap table."""
    import numpy as np

    from zerogap.model.network import Network
    from zerogap.solving.bidual import Bidual
    from zerogap.solving.bracket import Candidate, Theorem, assemble
    from zerogap.solving.certificates import write_jsonl
    from zerogap.theory.linear import linear_map

    rows, proofs = [], []
    joined = zip(read_batch(data), read_batch(primal), read_batch(dual), strict=True)
    for record, trained, solved in joined:
        problem = problem_of(record)
        row: dict[str, Any] = {
            "claim": record["claim"],
            "setting": record["setting"],
            "instance": record["name"],
            "seed": record["seed"],
            "architecture": record["architecture"],
            "activation": record["activation"],
            "regularizer": record["regularizer"],
            "depth": record["depth"],
            "beta": record["beta"],
            "n": problem.n,
            "d": problem.d,
            "k": problem.k,
            "rank": problem.rank,
            "data": record["data_label"],
            "paper": record["paper"],
            "holds": record["holds"],
            "branches_allowed": record["branches"],
            "tags": record["tags"],
            "conjectured": solved["conjectured"],
            "seconds_primal": trained["seconds"],
            "seconds_dual": solved["seconds"],
            "curve": trained["curve"],
        }
        failures = [*solved["failures"], *([trained["failure"]] if trained["failure"] else [])]
        candidates = [
            Candidate(Network.of(c["network"]), c["method"]) for c in solved["candidates"]
        ]
        if record["branches"] is not None:
            candidates = [c for c in candidates if len(c.network.branches) <= record["branches"]]
        trained_value = trained["value"]
        if np.isfinite(trained_value):
            candidates.append(Candidate(Network.of(trained["network"]), "training"))
        row["trained"] = {
            "best": trained_value,
            "median": float(np.median(trained["values"])),
            "values": trained["values"],
            "error": trained["error"],
            "restarts": len(trained["values"]),
            "ranks": Network.of(trained["network"]).ranks() if np.isfinite(trained_value) else None,
        }
        constructed = [c for c in candidates if c.method != "training"]
        row["constructed"] = {c.method: c.network.objective(problem) for c in constructed}
        theorem = Theorem(**solved["theorem"]) if solved["theorem"] else None
        identity = {key: row[key] for key in ("claim", "setting", "instance")}
        bounds = solved["bound"] and _attempt(
            failures, "bracket", assemble, problem, Bidual.of(solved["bound"]), candidates,
            theorem, tolerance, identity, False,
        )  # fmt: skip
        row["status"] = "failed" if not bounds else "retried" if failures else "solved"
        row["reason"] = "; ".join(failures)
        if bounds:
            best = min(candidates, key=lambda c: c.network.objective(problem)).network
            proofs.append(bounds.certificate)
            row |= {
                "primal": bounds.primal,
                "primal_method": bounds.primal_method,
                "dual": bounds.dual,
                "dual_method": bounds.dual_method,
                "exact_primal": bounds.exact_primal,
                "exact_dual": bounds.exact_dual,
                "primal_lower": bounds.primal_lower,
                "dual_upper": bounds.dual_upper,
                "verdict": bounds.status,
                "branches": len(best.branches),
                "ranks": best.ranks(),
            }
            if problem.activation == "linear":
                best_map = sum_of_products(best)
                row["singular_values"] = np.linalg.svd(best_map, compute_uv=False)
                row["rank_map"] = int(np.sum(row["singular_values"] > 1e-6))
                row["singular_values_data"] = linear_map(problem)[1]
        rows.append(row)
    write_jsonl(certificates, proofs, sealed=True)
    write_json(output, rows)
    return len(rows)


def sum_of_products(network: Network) -> Any:
    """The linear map Σ_j W_{1,j}…W_{L,j} of a linear network."""
    from functools import reduce

    import numpy as np

    return sum(reduce(np.matmul, branch) for branch in network.branches)


# --- verify, collect and the rest ---------------------------------------------------------------


def verify(certificates: Path, tolerance: float, output: Path) -> int:
    """Re-prove every certificate of a file without torch, cvxpy or any solver."""
    from zerogap.checker.check import verify as check
    from zerogap.checker.files import read_jsonl

    require_intact(certificates)
    verdicts = []
    for certificate in read_jsonl(certificates):
        proved = check(certificate, tolerance=tolerance)
        verdicts.append(
            {
                "instance": certificate["id"]["instance"],
                "accepted": proved.accepted,
                "reason": proved.reason,
                "primal": proved.primal,
                "dual": proved.dual,
                "primal_lower": proved.primal_lower,
                "dual_upper": proved.dual_upper,
                "deeper_upper": proved.deeper_upper,
                "status": proved.status,
            }
        )
    write_json(output, verdicts)
    return len(verdicts)


def collect(batches: Path, results: Path) -> int:
    """Gather the batches that a file lists, one setting/batch a line, into the tables."""
    from zerogap.replication.tables import gather

    names = batches.read_text(encoding="utf-8").split()
    return gather(
        [read_json(results / "gaps" / f"{name}.json") for name in names],
        [read_json(results / "verdicts" / f"{name}.json") for name in names],
        results / "tables",
    )


def depth_study(options: dict[str, Any], certificates: Path, output: Path) -> int:
    """Compare three layers with the path program of four, for every n of a batch of the study."""
    from zerogap.replication.studies.depth import study
    from zerogap.solving.certificates import write_jsonl

    rows, proofs = [], []
    for n in options["n"]:
        sizes = {key: value for key, value in options.items() if key != "n"}
        found, proved = study(n, **sizes)
        rows += found
        proofs += proved
    write_jsonl(certificates, proofs, sealed=True)
    write_json(output, rows)
    return len(rows)


def depth_table(results: Path, batches: int, output: Path) -> int:
    """Re-prove the certificates of the depth study and write its table."""
    from zerogap.checker.check import verify as check
    from zerogap.checker.files import read_jsonl
    from zerogap.replication.tables import write_depth

    rows, proved = [], set()
    for batch in range(batches):
        rows += read_json(results / f"depth-study/{batch}.json")
        proofs = results / f"certificates/depth-study/{batch}.jsonl"
        require_intact(proofs)
        for certificate in read_jsonl(proofs):
            if check(certificate).accepted:
                proved.add(certificate["id"]["instance"])
    return write_depth(rows, proved, output)


def search(cases: str, output: Path) -> int:
    """Bound the primal of a few problems, comma-separated, by branch and bound over the weights."""
    from zerogap.replication.studies.search import certificate
    from zerogap.solving.certificates import write_jsonl

    chosen = [name for name in cases.split(",") if name]
    write_jsonl(output, map(certificate, chosen), sealed=True)
    return len(chosen)


def search_table(certificates: Path, tolerance: float, output: Path) -> int:
    """Re-prove the certificates of the search and write its table."""
    from zerogap.checker.check import verify as check
    from zerogap.checker.files import read_jsonl
    from zerogap.replication.tables import write_search

    require_intact(certificates)
    proofs = read_jsonl(certificates)
    return write_search([(proof, check(proof, tolerance)) for proof in proofs], output)


def table1(tables: Path, output: Path) -> int:
    """Write Table 1."""
    from zerogap.replication.tables import write_table1

    return len(write_table1(tables, output))


def scoreboard(tables: Path, output: Path) -> int:
    """Write the claim scoreboard."""
    from zerogap.replication.tables import write_scoreboard

    return len(write_scoreboard(tables, output))


def figure(name: str, tables: Path, output: Path) -> int:
    """Draw one figure, as PNG and PDF, from the tables."""
    from zerogap.replication.figures import draw

    draw(name, tables, output)
    return 1


def paper(source: Path, output: Path) -> int:
    """Compile the paper; it reads its numbers and pictures from the results folder."""
    import typst

    from zerogap.model.files import replacing

    with replacing(output) as temporary:
        typst.compile(str(source), output=str(temporary), root=str(Path.cwd()), timestamp=0)
    return 1


def provenance(output: Path) -> int:
    """What made the results: package versions, the commit, the platform; no times."""
    import platform
    import subprocess
    from importlib.metadata import version

    packages = (
        "zerogap", "numpy", "scipy", "torch", "cvxpy", "clarabel", "pandas", "seaborn",
        "snakemake", "python-flint", "typst",
    )  # fmt: skip

    def git(*arguments: str) -> str | None:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else None

    write_json(
        output,
        {
            "packages": {name: version(name) for name in packages},
            "python": platform.python_version(),
            "machine": platform.machine(),
            "commit": git("rev-parse", "HEAD"),
            "modified": bool(git("status", "--porcelain")),
        },
    )
    return 1


def rulegraph(dot: Path, output: Path) -> int:
    """Draw the rule graph that `snakemake --rulegraph` printed."""
    from zerogap.replication.rulegraph import draw

    draw(dot.read_text(), output)
    return 1


STAGES: dict[str, tuple[Callable[..., int], dict[str, Any]]] = {
    "generate": (
        generate,
        {"setting": str, "options": json.loads, "batch": int, "batch-size": int, "output": Path},
    ),
    "train": (train, {"data": Path, "output": Path}),
    "solve-dual": (solve_dual, {"data": Path, "output": Path}),
    "certify": (
        certify,
        {"data": Path, "primal": Path, "dual": Path, "tolerance": float, "certificates": Path}
        | {"output": Path},
    ),
    "verify": (verify, {"certificates": Path, "tolerance": float, "output": Path}),
    "collect": (collect, {"batches": Path, "results": Path}),
    "depth-study": (
        depth_study,
        {"options": json.loads, "certificates": Path, "output": Path},
    ),
    "depth-table": (depth_table, {"results": Path, "batches": int, "output": Path}),
    "search": (search, {"cases": str, "output": Path}),
    "search-table": (search_table, {"certificates": Path, "tolerance": float, "output": Path}),
    "table1": (table1, {"tables": Path, "output": Path}),
    "scoreboard": (scoreboard, {"tables": Path, "output": Path}),
    "figure": (figure, {"name": str, "tables": Path, "output": Path}),
    "paper": (paper, {"source": Path, "output": Path}),
    "provenance": (provenance, {"output": Path}),
    "rulegraph": (rulegraph, {"dot": Path, "output": Path}),
}


def main(arguments: list[str] | None = None) -> int:
    """Run one stage; prints one line when done. Exit code 2 and one line on a known failure."""
    parser = argparse.ArgumentParser(prog="zerogap-stage", description=__doc__)
    chosen = parser.add_subparsers(dest="stage", required=True)
    for name, (function, options) in STAGES.items():
        sub = chosen.add_parser(name, help=(function.__doc__ or "").splitlines()[0])
        for option, kind in options.items():
            if option == "name":
                sub.add_argument(option, type=kind)
            else:
                sub.add_argument(f"--{option}", type=kind, required=True)
    given = vars(parser.parse_args(arguments))
    stage = given.pop("stage")
    started = time.perf_counter()
    try:
        count = STAGES[stage][0](**given)
    except ZerogapError as error:
        print(f"zerogap-stage {stage}: {error}", file=sys.stderr)
        return 2
    except OSError as error:  # a full disk, a folder that cannot be written
        print(f"zerogap-stage {stage}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(f"{stage}: {count} done in {time.perf_counter() - started:.1f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
