"""What several outputs cost: two-layer ReLU networks on classes, solved and proved.

    python -m benchmarks.outputs OUT.csv [--quick]

Three arms of a spiral in the plane with a constant column, and Iris with standardised features; one
column of targets for every class. `seconds` is the CPU time of `solve` without training, `verify`
that of the checker, `proved` the relative gap that it proves.
"""

import sys
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.data import iris, spiral
from benchmarks.measure import medians
from benchmarks.table import write
from zerogap.model.bounds import relative
from zerogap.model.matrices import Array

COLUMNS = [
    "data", "n", "d", "k", "share", "runs", "seconds", "verify", "operations", "megabytes", "value",
    "proved", "evidence", "reason",
]  # fmt: skip


@dataclass(frozen=True)
class Case:
    """share: beta over the beta at which the optimum is zero."""

    name: str
    n: int
    share: float

    def data(self) -> tuple[Array, Array, float]:
        """X (n, d), Y (n, k) and beta."""
        from zerogap.convex.ascent import Ascent

        X, Y = spiral(self.n) if self.name == "spiral" else iris(self.n)
        return X, Y, self.share * float(Ascent(X).price(Y, np.inf)[0][0])


CASES = [
    *(Case("spiral", 60, share) for share in (0.1, 0.01, 0.001)),
    *(Case("iris", n, share) for n in (50, 75, 150) for share in (0.1, 0.01)),
]
QUICK = [Case("spiral", 9, 0.1), Case("iris", 9, 0.1)]


def certified(X: Array, Y: Array, beta: float) -> dict[str, Any]:
    """Both bounds with a certificate, and the checker's verdict."""
    from zerogap import Problem, solve, verify

    problem = Problem(X, Y, activation="relu", architecture="standard", depth=2, beta=beta)
    started = time.process_time()
    certificate = solve(problem, restarts=0).certificate
    solved = time.process_time()
    verdict = verify(certificate)
    return {
        "seconds": solved - started, "verify": time.process_time() - solved,
        "operations": verdict.operations, "value": verdict.primal,
        "proved": relative(verdict.primal - verdict.dual, verdict.primal),
        "evidence": certificate["lower"]["kind"],
        "refused": "" if verdict.accepted else verdict.reason,
    }  # fmt: skip


def rows(cases: list[Case], runs: int = 3) -> list[dict[str, Any]]:
    """One row for every case."""
    found = []
    for case in cases:
        X, Y, beta = case.data()
        run = medians({"certified": certified}, X, Y, beta, runs=runs, limit=600)["certified"]
        answer = run.answer or {}
        found.append(
            {
                "data": case.name, "n": case.n, "d": X.shape[1], "k": Y.shape[1],
                "share": case.share, "runs": runs, "seconds": run.seconds,
                "megabytes": run.megabytes, "reason": run.reason or answer.get("refused", ""),
                **{name: answer.get(name, np.nan) for name in COLUMNS[7:9] + COLUMNS[10:13]},
            }
        )  # fmt: skip
        print(found[-1], file=sys.stderr, flush=True)
    return found


def main() -> None:
    """Write the table."""
    write(
        __doc__,
        lambda quick: pd.DataFrame(rows(QUICK, runs=1) if quick else rows(CASES), columns=COLUMNS),
    )


if __name__ == "__main__":
    main()
