"""How the cost of column generation grows with samples, features and cells.

    python -m benchmarks.scaling OUT.csv [--quick]

Two-layer ReLU networks, one output, normal data, interpolation to a proved relative gap of 1e-6.
"""

import sys

import numpy as np
import pandas as pd

from benchmarks.measure import medians
from benchmarks.solvers import Case, columns
from benchmarks.table import write
from zerogap.model.bounds import relative
from zerogap.theory.arrangements import max_cells

COLUMNS = ["n", "d", "cells", "runs", "seconds", "megabytes", "value", "proved", "reason"]
SIZES = {
    2: (20, 50, 100, 200),
    3: (20, 50, 100, 200, 500),
    4: (10, 20, 40, 60),
    5: (10, 20),
}
QUICK = {2: (6, 10), 3: (6,)}
_LIMIT = 1200.0


def table(sizes: dict[int, tuple[int, ...]]) -> pd.DataFrame:
    """One row for every size; the median of three runs where a run takes seconds."""
    found = []
    for d, counts in sizes.items():
        for n in counts:
            cells = max_cells(n, d)
            case = Case("interpolation", n, d, runs=3 if cells < 10_000 else 1)
            run = medians({"columns": columns}, *case.data(), case, runs=case.runs, limit=_LIMIT)[
                "columns"
            ]
            answer = run.answer or {"value": np.nan, "lower": np.nan}
            found.append(
                {
                    "n": n,
                    "d": d,
                    "cells": cells,
                    "runs": case.runs,
                    "seconds": run.seconds,
                    "megabytes": run.megabytes,
                    "value": answer["value"],
                    "proved": relative(answer["value"] - answer["lower"], answer["value"]),
                    "reason": run.reason,
                }
            )
            print(found[-1], file=sys.stderr, flush=True)
    return pd.DataFrame(found, columns=COLUMNS)


def main() -> None:
    """Write the table."""
    write(__doc__, lambda quick: table(QUICK if quick else SIZES))


if __name__ == "__main__":
    main()
