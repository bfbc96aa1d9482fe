"""General global solvers on the weights of tiny networks, beside ours for every width.

    python -m benchmarks.weights OUT.csv [--quick]

Three layers: X = Y = (1, −1)ᵀ interpolated at the least ½Σ‖W‖², which is 3; three classes, and
three and six normal points. Two layers: five normal points of the plane, ½‖f(X) − Y‖² + β/2 Σ‖W‖².
SCIP and Gurobi (both optional) get every ReLU as a binary choice, and no more of the problem than
that a network of known cost bounds the weights; `bound` is theirs after at most so many seconds, of
the processor. zerogap: `solve`, for three layers with `search`; the width is "every", and `proved`
is the checker's verdict.
"""

import math
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
import pandas as pd

from benchmarks.measure import installed, measure
from benchmarks.table import write
from zerogap.model.bounds import relative
from zerogap.model.matrices import Array

COLUMNS = [
    "data", "depth", "width", "method", "seconds", "megabytes", "bound", "value", "proved",
    "reason",
]  # fmt: skip
SECONDS = 5.0
# How many times more the clock may show on a busy machine.
_BUSY = 8.0
# A relative distance from bound to value that solvers leave by themselves.
_CLOSED = 1e-3


@dataclass(frozen=True, eq=False)
class Case:
    """widths: those that the solvers are asked for; beta: None for interpolation.

    options: of `search`, to 1 % of the best network, but for six points to what proves a gap.
    """

    name: str
    X: Array
    Y: Array
    depth: int
    beta: float | None
    options: dict[str, Any] = field(default_factory=dict[str, Any])
    widths: tuple[int, ...] = (2, 3, 4)


def cases() -> list[Case]:
    """Three layers, and two."""
    opposed, rng = np.array([[1.0], [-1.0]]), np.random.default_rng(0)
    three, six = (_normal(n) for n in (3, 6))
    return [
        Case("opposed", opposed, opposed, 3, None, {"leaves": 20}),
        Case("one-hot-3", np.eye(3), np.eye(3), 3, None, {"target": 4.455}),
        Case("normal-3", *three, 3, None, {"target": 2.4767}),
        Case("normal-6", *six, 3, None, {"target": 3.46, "samples": (1, 4, 5)}),
        Case("normal", rng.normal(size=(5, 2)), rng.normal(size=(5, 1)), 2, 0.1),
    ]


def _normal(n: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, n)), rng.normal(size=(n, 1))


def quick() -> list[Case]:
    """Two opposed points and two layers."""
    opposed = np.array([[1.0], [-1.0]])
    return [Case("opposed", opposed, opposed, 2, 0.1, widths=(2,))]


def ours(case: Case) -> dict[str, Any]:
    """A network, and a bound for every width that the checker has proved."""
    # `solve` would load it, for its network.
    import zerogap.model.module  # noqa: F401
    from zerogap import Problem, search, solve

    started = time.process_time()
    problem = Problem(
        case.X, case.Y, activation="relu", architecture="standard", depth=case.depth,
        beta=case.beta,
    )  # fmt: skip
    proof = search(problem, **case.options) if case.depth == 3 else None
    verdict = solve(problem, restarts=0, proof=proof).verdict
    assert verdict is not None
    return {
        "bound": verdict.primal_lower, "value": verdict.primal, "proved": verdict.accepted,
        "seconds": time.process_time() - started,
    }  # fmt: skip


class Program(Protocol):
    """What a solver is given."""

    def real(self, lower: float, upper: float) -> Any:
        """A number in [lower, upper]."""

    def choice(self) -> Any:
        """Zero or one."""

    def require(self, constraint: Any) -> None:
        """Add a constraint, of second degree at most."""

    def minimise(self, cost: Any, seconds: float) -> tuple[float, float]:
        """A lower bound and the best value after at most so many seconds."""


class Scip(Program):
    """A program for SCIP."""

    def __init__(self) -> None:
        from pyscipopt import Model

        self._model = Model()
        self._model.hideOutput()

    def real(self, lower: float, upper: float) -> Any:
        return self._model.addVar(lb=lower, ub=upper)

    def choice(self) -> Any:
        return self._model.addVar(vtype="B")

    def require(self, constraint: Any) -> None:
        self._model.addCons(constraint)

    def minimise(self, cost: Any, seconds: float) -> tuple[float, float]:
        model = self._model
        model.setObjective(cost)
        # The first kind of clock is that of the processor.
        model.setParams({"timing/clocktype": 1, "limits/time": seconds})
        model.optimize()
        # SCIP says 1e20 where it has no network.
        return model.getDualbound(), model.getPrimalbound() if model.getNSols() else math.inf


class Gurobi(Program):
    """A program for Gurobi, whose free licence is for small ones."""

    def __init__(self) -> None:
        import gurobipy

        silent = gurobipy.Env(params={"OutputFlag": 0, "Threads": 1})
        self._model = gurobipy.Model(env=silent)

    def real(self, lower: float, upper: float) -> Any:
        return self._model.addVar(lb=lower, ub=upper)

    def choice(self) -> Any:
        return self._model.addVar(vtype="B")

    def require(self, constraint: Any) -> None:
        self._model.addConstr(constraint)

    def minimise(self, cost: Any, seconds: float) -> tuple[float, float]:
        model, started = self._model, time.process_time()
        model.setObjective(cost)

        def watch(model: Any, where: int) -> None:
            if time.process_time() - started > seconds:
                model.terminate()

        model.optimize(watch)
        return model.ObjBound, model.ObjVal if model.SolCount else math.inf


# A program, and the module that has to be there.
SOLVERS: dict[str, tuple[Callable[[], Program], str]] = {
    "SCIP": (Scip, "pyscipopt"),
    "Gurobi": (Gurobi, "gurobipy"),
}


def general(case: Case, width: int, cost: float, name: str, seconds: float) -> dict[str, Any]:
    """The training problem at one width; cost: what some network attains, at least the optimum."""
    program = SOLVERS[name][0]()
    started = time.process_time()
    # ½Σ‖W‖² of every better network is at most this, so that ‖W_l‖ is at most `radius` and, by the
    # inequality of arithmetic and geometric means, ‖W_1‖⋯‖W_l‖ at most (radius²/l)^{l/2}.
    weight = cost / (case.beta or 1.0)
    radius = math.sqrt(2 * weight)
    sizes = [case.X.shape[1], *[width] * (case.depth - 1), case.Y.shape[1]]
    layers = [
        [[program.real(-radius, radius) for _ in range(after)] for _ in range(before)]
        for before, after in pairwise(sizes)
    ]
    squares = sum(w * w for layer in layers for row in layer for w in row)
    program.require(0.5 * squares <= weight)
    total = program.real(0.0, cost)
    misses = []
    for x, y in zip(case.X, case.Y, strict=True):
        units = list(map(float, x))
        for level, layer in enumerate(layers[:-1], start=1):
            largest = float(np.linalg.norm(x)) * (radius**2 / level) ** (level / 2)
            units = [_relu(program, z, largest) for z in _product(units, layer)]
        for output, target in zip(_product(units, layers[-1]), y, strict=True):
            if case.beta is None:
                program.require(output == float(target))
            else:
                miss = program.real(-math.sqrt(2 * cost), math.sqrt(2 * cost))
                program.require(miss == output - float(target))
                misses.append(miss)
    program.require(0.5 * sum(m * m for m in misses) + (case.beta or 1.0) / 2 * squares <= total)
    bound, value = program.minimise(total, seconds)
    return {"bound": bound, "value": value, "seconds": time.process_time() - started}


def _product(units: list[Any], layer: list[list[Any]]) -> Iterator[Any]:
    return (
        sum(unit * row[j] for unit, row in zip(units, layer, strict=True))
        for j in range(len(layer[0]))
    )


def _relu(program: Program, z: Any, largest: float) -> Any:
    """max(z, 0), where |z| ≤ largest."""
    above, below, on = program.real(0.0, largest), program.real(0.0, largest), program.choice()
    program.require(above - below == z)
    program.require(above <= largest * on)
    program.require(below <= largest * (1 - on))
    return above


def rows(chosen: list[Case], seconds: float) -> list[dict[str, Any]]:
    """One row for every solver, problem and width, and one of ours for every problem."""
    found = []
    solvers = [name for name, (_, module) in SOLVERS.items() if installed(module)]
    for case in chosen:
        run = measure(ours, case, limit=60.0, busy=_BUSY)
        runs: dict[tuple[str, Any], Any] = {("zerogap", "every"): run}
        cost = run.answer["value"] if run.answer else np.nan
        if run.answer:
            for name in solvers:
                for width in case.widths:
                    # It may take a while from the solver's own limit to its answer.
                    given = (case, width, cost, name, seconds)
                    runs[name, width] = measure(general, *given, limit=2 * seconds, busy=_BUSY)
        for (name, width), run in runs.items():
            answer = run.answer or {"bound": np.nan, "value": np.nan}
            closed = not run.answer or relative(answer["value"] - answer["bound"], cost) < _CLOSED
            ended = "at its target" if name == "zerogap" else f"stopped after {seconds:.0f} s"
            found.append(
                {
                    "data": case.name, "depth": case.depth, "width": width, "method": name,
                    "seconds": run.seconds, "megabytes": run.megabytes,
                    "bound": answer["bound"],
                    "value": answer["value"] if math.isfinite(answer["value"]) else math.nan,
                    "proved": answer.get("proved", False),
                    "reason": run.reason or ("" if closed else ended),
                }
            )  # fmt: skip
            print(found[-1], file=sys.stderr, flush=True)
    return found


def main() -> None:
    """Write the table."""
    write(
        __doc__,
        lambda tiny: pd.DataFrame(
            rows(quick(), 5.0) if tiny else rows(cases(), SECONDS), columns=COLUMNS
        ),
    )


if __name__ == "__main__":
    main()
