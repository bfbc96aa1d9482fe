"""Head to head on two-layer problems: ours, the published relaxation, and sampled patterns.

    python -m benchmarks.rivals OUT.csv [--quick]

min ½‖f(X) − Y‖² + β/2 Σ‖W‖² at the published β, on data of the published kinds and sizes (`data`).
zerogap: `solve` without training. SCS and Clarabel: the relaxation of `relaxation`, SCS at its
published accuracy. scnn (optional): one output after the other, patterns and iterations doubled as
long as zerogap's time allows, or ten seconds; it bounds nothing. `limit`: the seconds that each
had; where they are out there is no answer, and nothing larger is asked. `sets`: where there are
many, every method takes one after the other for a while and at least one; `seconds` is their
median, of the processor, `bound` and `value` (of a network) are the first one's, `distance` is the
worst: how far the bound is below the best network known. `proved`: whether the checker accepted
every bound. `reason`: why there is no bound, or what a method is behind in.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from benchmarks import data
from benchmarks.measure import LATE, Run, installed, measure, pace
from benchmarks.table import write
from zerogap.model.bounds import relative
from zerogap.model.matrices import Array

COLUMNS = [
    "data", "n", "d", "k", "beta", "method", "sets", "limit", "seconds", "megabytes", "bound",
    "value", "distance", "proved", "reason",
]  # fmt: skip
BETAS = (0.1, 0.01)
# Seconds after which no further set is begun, seconds that ours is given for each, seconds for any
# method, and how many times more the clock may show on a busy machine; gigabytes of
# addresses.
_FAMILY, _EFFORT, _LIMIT, _BUSY, _GIGABYTES = 3.0, 8.0, 20.0, 8.0, 8.0
# The gap that ours is asked for; differences that count for nothing.
_GAP, _SAME = 1e-8, 1e-6
# Seconds that sampling gets at least: iterations that are cut short say nothing.
_LEAST = 10.0

Data = tuple[Array, Array]
# (X, Y, beta, seconds) to bound, value, proved, note; what it does not have may be left out.
Method = Callable[[Array, Array, float, float], dict[str, Any]]


@dataclass(frozen=True)
class Case:
    """sets: (X, Y) of one kind and size."""

    name: str
    sets: tuple[Data, ...]


def cases() -> list[Case]:
    """From small to large."""
    return [
        Case("teacher of 5", tuple(data.teacher(seed) for seed in range(100))),
        Case("teacher of 100", tuple(data.teacher(seed, neurons=100) for seed in range(100))),
        Case("spiral", (data.arms(),)),
        Case("spiral with bias", (data.lifted_arms(),)),
        Case("iris", (data.iris(75),)),
        Case("wine", (data.bundled("wine", 89),)),
        Case("cancer", (data.bundled("cancer", 285),)),
        Case("digits", (data.bundled("digits-pca", 1000),)),
    ]


def quick() -> list[Case]:
    """Two tiny sets."""
    return [Case("teacher of 5", tuple(data.teacher(seed, n=6) for seed in range(2)))]


def ours(X: Array, Y: Array, beta: float, seconds: float) -> dict[str, Any]:
    """A network and a bound that the checker has proved."""
    from zerogap import Problem, solve
    from zerogap.solving.methods.columns import NAME

    problem = Problem(X, Y, activation="relu", architecture="standard", depth=2, beta=beta)
    found = solve(problem, restarts=0, seconds=seconds, gap=_GAP)
    assert found.verdict is not None
    passed = dict(found.methods).get(NAME, "used")
    exact = passed == "used" and found.relative_gap <= _SAME
    return {
        "bound": found.verdict.dual, "value": found.verdict.primal, "proved": found.certified,
        "note": "exact, and proved" if exact else found.dual_method if passed == "used" else passed,
    }  # fmt: skip


def relaxed(X: Array, Y: Array, beta: float, seconds: float, *, solver: str) -> dict[str, Any]:
    """The relaxation's value; the solver takes what time it needs."""
    from benchmarks.relaxation import relaxation

    # Those of the published code; Clarabel has its own.
    options = {"eps_abs": 1e-4, "eps_rel": 1e-4, "max_iters": 10**5} if solver == "SCS" else {}
    value, status = relaxation(X, Y, beta, solver, **options)
    return {"bound": value, "note": "" if status == "optimal" else f"the solver says {status}"}


def sampled(X: Array, Y: Array, beta: float, seconds: float) -> dict[str, Any]:
    """The best network of more and more patterns, as far as so many seconds allow; at least one."""
    from benchmarks import solvers

    started, best, size = time.process_time(), np.inf, 1
    while True:
        began = time.process_time()
        outputs = (solvers.sampled(X, y[:, None], beta, 10 * size, 1000 * size) for y in Y.T)
        # Every output has neurons of its own, so that objectives add up.
        best = min(best, sum(found["value"] for found in outputs))
        now = time.process_time()
        # The next is twice as large for twice as long.
        if now - started + 4 * (now - began) > max(seconds, _LEAST):
            return {"value": best}
        size *= 2


def in_turn(method: Method, sets: tuple[Data, ...], beta: float, seconds: float) -> dict[str, Any]:
    """A method on one set after the other, and the median of its seconds."""
    # What it imports is loaded on a problem that is no part of it.
    method(*data.teacher(0, n=3), beta, 1.0)
    started, found = time.process_time(), []
    for X, Y in sets:
        began = time.process_time()
        answer = method(X, Y, beta, seconds)
        found.append(answer | {"seconds": time.process_time() - began})
        if time.process_time() - started > _FAMILY:
            break
    return {"sets": found, "seconds": float(np.median([answer["seconds"] for answer in found]))}


def rows(chosen: list[Case]) -> list[dict[str, Any]]:
    """One row for every method, data and β."""
    found = []
    late: dict[str, str] = {}
    rivals: dict[str, Method] = {
        name: partial(relaxed, solver=name.upper()) for name in ("SCS", "Clarabel")
    }
    if installed("scnn"):
        rivals["scnn"] = sampled
    for case in chosen:
        for beta in BETAS:
            # `solve` counts seconds of the clock.
            runs = {"zerogap": _run(ours, case, beta, _EFFORT * pace())}
            for name, method in rivals.items():
                if name in late:
                    runs[name] = Run(None, np.nan, np.nan, f"not asked: {late[name]}")
                    continue
                runs[name] = _run(method, case, beta, runs["zerogap"].seconds)
                if runs[name].reason.startswith(LATE):
                    late[name] = f"{runs[name].reason} on {case.name}"
            found += _compared(case, beta, runs)
            print(pd.DataFrame(found[-len(runs) :]).to_string(), file=sys.stderr, flush=True)
    return found


def _run(method: Method, case: Case, beta: float, seconds: float) -> Run:
    return measure(
        in_turn, method, case.sets, beta, seconds, limit=_LIMIT, busy=_BUSY, gigabytes=_GIGABYTES
    )


def _compared(case: Case, beta: float, runs: dict[str, Run]) -> list[dict[str, Any]]:
    """The rows of one problem, and in ours where it is behind."""
    (n, d), k = case.sets[0][0].shape, case.sets[0][1].shape[1]
    answers = {name: run.answer["sets"] if run.answer else [] for name, run in runs.items()}
    limits = {"zerogap": _EFFORT, "scnn": max(_LEAST, runs["zerogap"].seconds)}
    best = np.full(len(case.sets), np.inf)
    for own in answers.values():
        values = [answer.get("value", np.inf) for answer in own]
        best[: len(own)] = np.minimum(best[: len(own)], values)
    table = []
    for name, run in runs.items():
        own = answers[name]
        first = own[0] if own else {}
        distances = [
            relative(value - answer["bound"], value)
            for answer, value in zip(own, best, strict=False)
            if "bound" in answer and np.isfinite(value)
        ]
        worst = max(distances, key=abs, default=np.nan)
        notes = sorted({answer["note"] for answer in own if answer.get("note")})
        if worst < -_SAME:
            notes = ["above the best network: no bound", *notes]
        table.append(
            {
                "data": case.name, "n": n, "d": d, "k": k, "beta": beta, "method": name,
                "sets": len(own), "limit": limits.get(name, _LIMIT), "seconds": run.seconds,
                "megabytes": run.megabytes,
                "bound": first.get("bound", np.nan), "value": first.get("value", np.nan),
                "distance": worst,
                "proved": bool(own) and all(answer.get("proved", False) for answer in own),
                "reason": run.reason or "; ".join(notes),
            }
        )  # fmt: skip
    ours, *others = table
    if runs[ours["method"]].answer:
        ours["reason"] = _behind(ours, others)
    return table


def _behind(ours: dict[str, Any], others: list[dict[str, Any]]) -> str:
    """What a rival is ahead of us in and why, "" where none is."""
    ahead = []
    for other in others:
        said = []
        further = other["distance"] - ours["distance"]
        # Above the best network it is no bound.
        if other["distance"] >= -_SAME and further < -_SAME:
            said.append("tighter")
        if other["seconds"] < ours["seconds"] and np.isfinite(further):
            said.append("faster" if "tighter" in said else f"faster, {further:.1%} looser")
        if other["value"] < ours["value"] * (1 - _SAME):
            said.append("the better network")
        if said:
            ahead.append(f"{other['method']} ({', '.join(said)})")
    return f"behind {' and '.join(ahead)}: {ours['reason']}" if ahead else ""


def main() -> None:
    """Write the table."""
    write(__doc__, lambda tiny: pd.DataFrame(rows(quick() if tiny else cases()), columns=COLUMNS))


if __name__ == "__main__":
    main()
