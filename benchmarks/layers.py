"""How far one gets beyond two layers in a given time: the whole of `solve`, proved.

    python -m benchmarks.layers OUT.csv [--quick] [--only NAME]

Parallel ReLU networks. `teacher`: normal X, targets of a two-layer network of so many neurons with
noise 0.1, β = 0.1‖Xᵀy‖/3. Else data sets of scikit-learn, standardised, wine as its ten first
principal components, at a tenth of the β from which on two layers are zero. Times are those of the
processor, however busy the machine is; `after_3` is the relative width known after three seconds,
and `width` what the certificate proves.
"""

import argparse
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.data import bundled
from benchmarks.measure import measure
from zerogap.model.data import standardized
from zerogap.model.files import replacing
from zerogap.model.matrices import Array

AFTER = (3, 10, 30, 100)
COLUMNS = [
    "data", "n", "d", "k", "depth", "regularizer", "seed", "limit", "seconds", "primal", "dual",
    "width", *(f"after_{seconds}" for seconds in AFTER), "method", "operations", "certified",
    "reason",
]  # fmt: skip


@dataclass(frozen=True)
class Case:
    """neurons: of a teacher, 0 for a data set. limit: seconds for `solve`."""

    data: str
    n: int
    d: int
    depth: int
    regularizer: str
    limit: float
    neurons: int = 0
    seed: int = 0

    def targets(self) -> tuple[Array, Array, float]:
        """X, Y and τ of the power regulariser, βL/2."""
        if self.neurons:
            rng = np.random.default_rng(self.seed)
            X, U = rng.normal(size=(self.n, self.d)), rng.normal(size=(self.d, self.neurons))
            Y = np.maximum(X @ U, 0) @ rng.normal(size=(self.neurons, 1))
            Y += 0.1 * rng.normal(size=(self.n, 1))
            return X, Y, 0.1 * float(np.linalg.norm(X.T @ Y)) / 3 * self.depth / 2
        from zerogap.convex.ascent import Ascent

        X, Y = bundled(self.data, self.n)
        if X.shape[1] > self.d:
            X = standardized(X @ np.linalg.svd(X, full_matrices=False)[2][: self.d].T)
        return X, Y, 0.1 * float(Ascent(X).price(Y, np.inf)[0][0])


CASES = [
    *(Case("teacher", 14, 3, 3, "power", 10, 5, seed) for seed in range(3)),
    Case("teacher", 14, 3, 3, "weight_decay", 10, 5),
    *(Case("teacher", 8, 2, depth, "power", 30, 3) for depth in (4, 5)),
    Case("teacher", 30, 3, 3, "power", 60, 5),
    Case("diabetes", 100, 10, 3, "power", 300),
    Case("wine", 100, 10, 3, "power", 300),
]
QUICK = [Case("teacher", 5, 2, 3, "power", 5, 2), Case("diabetes", 8, 10, 3, "power", 5)]


def solved(case: Case) -> dict[str, Any]:
    """The bracket, what was known when, and what the checker says."""
    from benchmarks.brackets import bracket
    from zerogap import Problem
    from zerogap.model import clock

    clock.now = time.process_time
    X, Y, tau = case.targets()
    problem = Problem(
        X, Y, activation="relu", architecture="parallel", depth=case.depth,
        regularizer=case.regularizer, beta=2 * tau / case.depth,
    )  # fmt: skip
    return bracket(problem, case.limit, 1e-3, AFTER)


def rows(cases: list[Case]) -> list[dict[str, Any]]:
    """One row for every case."""
    found = []
    for case in cases:
        run = measure(solved, case, limit=20 * case.limit + 60)
        row = {**asdict(case), "seconds": run.seconds, "reason": run.reason} | (run.answer or {})
        found.append({name: row.get(name) for name in COLUMNS})
        print(found[-1], file=sys.stderr, flush=True)
    return found


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("output", type=Path)
    parser.add_argument("--quick", action="store_true", help="tiny cases, to try it out")
    parser.add_argument("--only", help="data whose names begin so")
    given = parser.parse_args()
    cases = [c for c in (QUICK if given.quick else CASES) if c.data.startswith(given.only or "")]
    with replacing(given.output) as temporary:
        table = pd.DataFrame(rows(cases), columns=COLUMNS)
        table.to_csv(temporary, index=False, float_format="%.6g")


if __name__ == "__main__":
    main()
