"""How far one gets on the data that people have, in a given time: the whole of `solve`, proved.

    python -m benchmarks.reach OUT.csv [--quick] [--seconds 300]

Two-layer ReLU networks on data sets of scikit-learn, and on two Gaussian classes of the sizes of
others, features standardised, a column of targets for every class (one, ±1, for cancer). `limit` is
what `solve` was given, `seconds` what it took, checker included, `after_10` the relative width that
was known after ten seconds, and `width` what the certificate proves.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.data import bundled, gaussian, iris, spiral
from benchmarks.measure import measure
from zerogap.model.files import replacing
from zerogap.model.matrices import Array

AFTER = (1, 3, 10, 30, 100)
COLUMNS = [
    "data", "n", "d", "k", "share", "limit", "seconds", "megabytes", "primal", "dual", "width",
    *(f"after_{seconds}" for seconds in AFTER), "method", "evidence", "operations", "certified",
    "reason",
]  # fmt: skip


@dataclass(frozen=True)
class Case:
    """The first n samples of a data set. share: beta over the beta at which the optimum is zero."""

    name: str
    n: int
    share: float

    def data(self) -> tuple[Array, Array]:
        """X (n, d) and Y (n, k)."""
        if self.name in _GAUSSIAN:
            return gaussian(self.n, _GAUSSIAN[self.name])
        if self.name == "spiral":
            return spiral(self.n)
        return iris(self.n) if self.name == "iris" else bundled(self.name, self.n)


# Dimensions of two classes that are made here.
_GAUSSIAN = {"ionosphere-sized": 34, "Pima-sized": 8, "banknotes-sized": 4}
_SIZES = (
    ("spiral", 60), ("iris", 75), ("iris", 150), ("wine", 178), ("ionosphere-sized", 175),
    ("Pima-sized", 383), ("banknotes-sized", 685), ("diabetes", 442), ("cancer", 360),
    ("cancer", 569), ("digits", 300), ("digits-pca", 1000), ("digits", 1000), ("digits", 1797),
)  # fmt: skip
CASES = [Case(name, n, share) for name, n in _SIZES for share in (0.1, 0.01)]
QUICK = [Case("spiral", 9, 0.1), Case("Pima-sized", 20, 0.1), Case("wine", 30, 0.1)]


def solved(case: Case, seconds: float) -> dict[str, Any]:
    """The bracket, what was known when, and what the checker says."""
    from benchmarks.brackets import bracket
    from zerogap import Problem
    from zerogap.convex.ascent import Ascent

    X, Y = case.data()
    beta = case.share * float(Ascent(X).price(Y, np.inf)[0][0])
    problem = Problem(X, Y, activation="relu", architecture="standard", depth=2, beta=beta)
    return bracket(problem, seconds, 1e-6, AFTER)


def rows(cases: list[Case], seconds: float) -> list[dict[str, Any]]:
    """One row for every case."""
    found = []
    for case in cases:
        run = measure(solved, case, seconds, limit=2 * seconds + 60)
        row = {"data": case.name, "n": case.n, "share": case.share, "limit": seconds}
        row |= {"seconds": run.seconds, "megabytes": run.megabytes, "reason": run.reason}
        found.append(row | (run.answer or {}))
        print(found[-1], file=sys.stderr, flush=True)
    return found


def lines(table: pd.DataFrame) -> list[str]:
    """The table for README: size, method, and for both beta width and seconds, proved or not."""
    said = []
    for (name, n), own in table.groupby(["data", "n"], sort=False):
        first, rows = own.iloc[0], own.to_dict("records")
        cells = [
            f"{_percent(row['width'])} in {max(row['seconds'], 1):.0f} s"
            + ("" if row["certified"] else ", not proved")
            for row in rows
        ]
        methods = " / ".join(dict.fromkeys(own["method"]))
        said.append(f"| {name} | {n}×{first['d']}→{first['k']} | {methods} | {' | '.join(cells)} |")
    return said


def _percent(width: float) -> str:
    """Two digits; widths below 10⁻⁵ as powers."""
    if width < 1e-5:
        return f"{width:.0e}"
    return f"{100 * width:.2g} %"


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("output", type=Path)
    parser.add_argument("--quick", action="store_true", help="tiny cases, to try it out")
    parser.add_argument("--seconds", type=float, default=300, help="what each solve is given")
    parser.add_argument("--only", help="data sets whose names begin so")
    given = parser.parse_args()
    cases = [c for c in (QUICK if given.quick else CASES) if c.name.startswith(given.only or "")]
    with replacing(given.output) as temporary:
        table = pd.DataFrame(rows(cases, given.seconds), columns=COLUMNS)
        table.to_csv(temporary, index=False, float_format="%.6g")


if __name__ == "__main__":
    main()
