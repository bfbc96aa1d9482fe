"""The convex side of every problem of a batch: the bracket of the dual, and theory's networks."""

import time
from pathlib import Path

from zerogap.model.errors import attempt
from zerogap.replication.records import read_batch, write_batch
from zerogap.replication.rows import Given, Solved
from zerogap.solving.constructions import constructions, known_of
from zerogap.solving.dual import bidual
from zerogap.solving.methods.base import Effort


def run(data: Path, output: Path) -> int:
    """Bracket every dual value of a batch and build the networks that theory gives."""
    results = [_solved(given) for given in read_batch(data, Given)]
    write_batch(output, results, "solve-dual")
    return len(results)


def _solved(given: Given) -> Solved:
    problem = given.problem
    started = time.perf_counter()
    failures: list[str] = []
    known = attempt(failures, "theorem", known_of, problem)
    dual = attempt(failures, "dual", bidual, problem, Effort(relaxed=given.gap))
    built = attempt(failures, "construction", constructions, problem, dual) if dual else None
    networks = [*(known.candidates if known else ()), *(built or ())]
    return Solved(
        instance=given.name,
        theorem=known and known.bound and vars(known.bound),
        bound=dual and dual.record(),
        candidates=[{"network": c.network.record(), "method": c.method} for c in networks],
        failures=[*(dual.failures if dual else ()), *failures],
        seconds=time.perf_counter() - started if given.timings else None,
    )
