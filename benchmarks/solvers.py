"""Two-layer programs: column generation against the whole program, and against sampled patterns.

    python -m benchmarks.solvers OUT.csv [--quick]

Exact cases: the same problem to a relative accuracy of 1e-6 by column generation and by the whole
program over all cells, written in cvxpy and given to Clarabel and to SCS. Large cases, where cells
are too many: a network with a proved bound against the optional package `scnn` (on PyPI: pyscnn),
which samples patterns and proves nothing; networks are compared by the same objective. `error` is
relative to the best lower bound proved, `proved` the gap that the method itself proves.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.measure import LATE, installed, medians
from benchmarks.table import write
from zerogap.model.bounds import relative
from zerogap.model.fit import Fit
from zerogap.model.matrices import Array
from zerogap.theory.arrangements import max_cells

COLUMNS = [
    "case", "n", "d", "cells", "share", "targets", "method", "runs", "seconds", "megabytes",
    "ratio", "memory_ratio", "value", "error", "proved", "reason",
]  # fmt: skip
ACCURACY = 1e-6
# Noise on the outputs of a teacher of five ReLU neurons, in standard deviations of these.
NOISE = {"teacher": 0.1, "noisy": 1.0}


@dataclass(frozen=True)
class Case:
    """Normal data; share: beta over the beta at which the optimum is zero, None: interpolation.

    targets: a key of NOISE, or "normal": noise alone. patterns: for scnn. patience: seconds for the
    bound of a bracket.
    """

    name: str
    n: int
    d: int
    share: float | None = None
    targets: str = "normal"
    patterns: int = 0
    patience: float = 10.0
    runs: int = 3
    limit: float = 60.0

    def data(self) -> tuple[Array, Array, float | None]:
        """X (n, d), Y (n, 1) and beta."""
        from zerogap.convex.ascent import Ascent

        rng = np.random.default_rng(0)
        X = rng.normal(size=(self.n, self.d))
        Y = rng.normal(size=(self.n, 1))
        if self.targets in NOISE:
            signal = np.maximum(X @ rng.normal(size=(self.d, 5)), 0) @ rng.normal(size=(5, 1))
            Y = signal + NOISE[self.targets] * signal.std() * Y
        if self.share is None:
            return X, Y, None
        return X, Y, self.share * float(Ascent(X).price(Y, np.inf)[0][0])


EXACT = [
    Case("interpolation", 20, 3),
    Case("interpolation", 50, 3),
    Case("interpolation", 100, 3, runs=1, limit=900),
    Case("regularised", 20, 3, 0.1),
    Case("regularised", 50, 3, 0.1),
]
LARGE = [
    Case("large", 100, 10, 0.1, "teacher", patterns=100, limit=300),
    *(
        Case("large", 200, 10, 0.1, targets, patterns=200, patience=60, runs=1, limit=600)
        for targets in ("teacher", "noisy", "normal")
    ),
    Case("large", 200, 20, 0.1, "normal", patterns=200, runs=1, limit=600),
    Case("large", 200, 20, 0.1, "teacher", patterns=500, runs=1, limit=600),
]
QUICK = [Case("interpolation", 8, 2, runs=1), Case("large", 10, 4, 0.2, patterns=20, runs=1)]


def columns(X: Array, Y: Array, beta: float | None, case: Case) -> dict[str, Any]:
    """Column generation to 1e-6."""
    from zerogap.convex.columns import gauge
    from zerogap.convex.oracles import Features

    started = time.perf_counter()
    found = gauge(Features(X), Fit(Y), beta, ACCURACY)
    return {
        "seconds": time.perf_counter() - started, "value": found.upper, "lower": found.lower,
    }  # fmt: skip


def bracket(X: Array, Y: Array, beta: float | None, case: Case) -> dict[str, Any]:
    """A network by descent and a bound by the moment relaxation."""
    from zerogap.convex.descent import descent
    from zerogap.convex.moments import moment_bound
    from zerogap.model import clock

    assert beta is not None
    started = time.perf_counter()
    above = descent(X, Fit(Y), beta)
    with clock.within(case.patience):
        below = moment_bound(X, Fit(Y), beta, above, gap=1e-3)
    return {
        "seconds": time.perf_counter() - started, "value": above.upper, "lower": below.lower,
    }  # fmt: skip


def clarabel(X: Array, Y: Array, beta: float | None, case: Case) -> dict[str, Any]:
    """The whole program by an interior-point method."""
    tight = dict.fromkeys(("tol_gap_abs", "tol_gap_rel", "tol_feas"), ACCURACY)
    return _whole(X, Y, beta, "CLARABEL", tight)


def scs(X: Array, Y: Array, beta: float | None, case: Case) -> dict[str, Any]:
    """The whole program by operator splitting."""
    tight = {"eps_abs": ACCURACY, "eps_rel": ACCURACY, "max_iters": 10**7}
    return _whole(X, Y, beta, "SCS", tight)


def _whole(
    X: Array, Y: Array, beta: float | None, solver: str, options: dict[str, Any]
) -> dict[str, Any]:
    from zerogap.convex.programs import two_layer_socp

    started = time.perf_counter()
    value = two_layer_socp(X, Y[:, 0], beta, solver=solver, options=options)
    return {"seconds": time.perf_counter() - started, "value": value}


def scnn(X: Array, Y: Array, beta: float | None, case: Case) -> dict[str, Any]:
    """Sampled patterns by scnn."""
    assert beta is not None
    return sampled(X, Y, beta, case.patterns)


def sampled(
    X: Array, Y: Array, beta: float, patterns: int, iterations: int = 10_000
) -> dict[str, Any]:
    """So many patterns by scnn at its own tolerance; its network for Y (n, 1) by our objective."""
    import torch
    from scnn.activations import sample_gate_vectors
    from scnn.metrics import Metrics
    from scnn.models import ConvexReLU
    from scnn.optimize import optimize_model
    from scnn.regularizers import NeuronGL1
    from scnn.solvers import AL

    torch.set_num_threads(1)
    model: Any = ConvexReLU(sample_gate_vectors(0, X.shape[1], patterns))
    # Its loss is the mean of squares over two; unit columns would return weights of other data.
    options: Any = {"return_convex": True, "unitize_data": False, "dtype": "float64"}
    started = time.perf_counter()
    model, _ = optimize_model(
        model, AL(model, iterations), Metrics(), X, Y, regularizer=NeuronGL1(beta / len(X)),
        **options,
    )  # fmt: skip
    seconds = time.perf_counter() - started
    plus, minus = (weights[0].T for weights in model.parameters)
    fit = np.maximum(X @ plus, 0).sum(axis=1) - np.maximum(X @ minus, 0).sum(axis=1)
    cost = np.linalg.norm(plus, axis=0).sum() + np.linalg.norm(minus, axis=0).sum()
    return {"seconds": seconds, "value": float(0.5 * np.sum((fit - Y[:, 0]) ** 2) + beta * cost)}


def rows(cases: list[Case]) -> list[dict[str, Any]]:
    """Run the cases; one row for every method of every case."""
    found = []
    late: set[tuple[str, str]] = set()
    for case in cases:
        X, Y, beta = case.data()
        methods: dict[str, Callable[..., dict[str, Any]]] = {"bracket": bracket, "scnn": scnn}
        if case.name != "large":
            methods = {"columns": columns, "clarabel": clarabel, "scs": scs}
        elif not installed("scnn"):
            methods = {"bracket": bracket}
        # What ran out of time is not asked for more.
        methods = {name: f for name, f in methods.items() if (case.name, name) not in late}
        runs = medians(methods, X, Y, beta, case, runs=case.runs, limit=case.limit)
        ours = next(iter(runs.values()))
        lower = ours.answer["lower"] if ours.answer else np.nan
        for method, run in runs.items():
            if run.reason.startswith(LATE):
                late.add((case.name, method))
            answer = run.answer or {}
            value, below = answer.get("value", np.nan), answer.get("lower", np.nan)
            found.append(
                {
                    "case": case.name,
                    "n": case.n,
                    "d": case.d,
                    "cells": max_cells(case.n, case.d),
                    "share": case.share,
                    "targets": case.targets,
                    "method": method,
                    "runs": case.runs,
                    "seconds": run.seconds,
                    "megabytes": run.megabytes,
                    "ratio": run.seconds / ours.seconds,
                    "memory_ratio": run.megabytes / ours.megabytes,
                    "value": value,
                    "error": relative(value - lower, lower),
                    "proved": relative(value - below, value),
                    "reason": run.reason,
                }
            )
            print(found[-1], file=sys.stderr, flush=True)
    return found


def main() -> None:
    """Write the table."""
    write(
        __doc__,
        lambda quick: pd.DataFrame(rows(QUICK if quick else EXACT + LARGE), columns=COLUMNS),
    )


if __name__ == "__main__":
    main()
